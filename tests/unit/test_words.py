"""Words of the code: names avoid retired ones, docstrings begin with a noun or an imperative."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = ("src", "workers", "api")
RETIRED = {
    "callers": "principals",
    "calm": "fast forward",
    "course": "run record",
    "courses": "run records",
    "excerpt": "point sample",
    "footing": "compatibility",
    "growing": "extend",
    "grown": "extended",
    "harvest": "chunk buffer",
    "heap": "malloc",
    "hints": "import options",
    "insight": "explanation",
    "journeys": "account group",
    "parting": "divergence",
    "quiet": "fast forward",
    "quota": "backlog limit",
    "rhythm": "chunk limits",
    "rival": "hold baseline",
    "room": "admission",
    "sight": "decision snapshot",
    "sights": "decision trace",
    "stirring": "fast forward",
    "students": "analysis threads",
    "tally": "counter",
    "unpacking": "column cache",
    "wording": "plurals",
    "worths": "equity curve",
}
"""The word to say instead, by the retired one."""

_WH_CLAUSE = re.compile(
    r"(Of |From |In |By |To |At )?(what|where|how|which|who|whom|whose|when|whether|why)(ever)?\b",
    re.IGNORECASE,
)
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
Named = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | Named


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def parts(name: str) -> set[str]:
    """Return the words of a name in snake or camel case, in small letters."""
    return {part.lower() for part in _PART.findall(name)}


def public_names(path: Path) -> Iterator[str]:
    """Yield the name of a module and those of its classes and public functions."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, Named) and not node.name.startswith("_"):
            yield node.name


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of each docstring, those below constants and fields included."""
    for node in ast.walk(tree):
        if isinstance(node, Documented):
            for statement in node.body:
                value = statement.value if isinstance(statement, ast.Expr) else None
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield statement.lineno, value.value.strip()


def wh_clauses(path: Path) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line}: {text.splitlines()[0]}"
        for line, text in docstrings(ast.parse(path.read_text()))
        if _WH_CLAUSE.match(text)
    ]


def retired(names: Iterator[str]) -> list[str]:
    return [f"{name}: say {RETIRED[part]}" for name in names for part in sorted(parts(name) & RETIRED.keys())]


@pytest.mark.parametrize("folder", PROGRAMS)
def test_modules_classes_and_public_functions_use_no_retired_word(folder: str) -> None:
    found = {str(path.relative_to(ROOT)): retired(public_names(path)) for path in sources(folder)}
    assert found
    assert {path: names for path, names in found.items() if names} == {}


def test_test_modules_use_no_retired_word() -> None:
    modules = sources("tests")
    assert modules
    assert retired(path.stem for path in modules) == []


@pytest.mark.parametrize("folder", [*PROGRAMS, "tests"])
def test_no_docstring_begins_with_a_wh_clause(folder: str) -> None:
    assert [line for path in sources(folder) for line in wh_clauses(path)] == []


@pytest.mark.parametrize("name", ["Harvest", "refuse_another_footing", "heap", "GrownSweep", "RoomDep"])
def test_retired_words_are_found_in_snake_and_camel_case(name: str) -> None:
    assert len(retired(iter([name]))) == 1


@pytest.mark.parametrize("name", ["headroom", "cheap", "ChunkBuffer", "test_quietly"])
def test_longer_words_that_contain_a_retired_one_pass(name: str) -> None:
    assert retired(iter([name])) == []


@pytest.mark.parametrize(
    "text",
    ["What a run saw.", "How many trials.", "Of what is stored.", "Whether it ended.", "Whatever comes."],
)
def test_wh_clauses_are_found_wherever_a_docstring_may_stand(text: str) -> None:
    quoted = f'"""{text}"""'
    source = f"{quoted}\nX = 1\n{quoted}\nclass A:\n    {quoted}\n    def f(self):\n        {quoted}\n"
    found = list(docstrings(ast.parse(source)))
    assert found == [(1, text), (3, text), (5, text), (7, text)]
    assert all(_WH_CLAUSE.match(written) for _, written in found)


@pytest.mark.parametrize("text", ["Whole numbers.", "Number of trials.", "Return what is held."])
def test_nouns_and_imperatives_pass(text: str) -> None:
    assert _WH_CLAUSE.match(text) is None
