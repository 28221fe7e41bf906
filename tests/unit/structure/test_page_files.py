"""Templates, scripts and styles of the pages: by subject, none missing or left over, references one way."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

DASHBOARD = Path(__file__).parents[3] / "api" / "dashboard"
STATIC, TEMPLATES = DASHBOARD / "static", DASHBOARD / "templates"
SUBJECTS = ("compare", "trial", "market", "sweeps", "map", "forms", "charts", "")
"""Folders in the order of the Python packages beside them; shared files lie above all of them.

`map` are the scripts that draw a sweep, `charts` those that draw for every subject; they have no templates.
"""

MOST_FILES = 22
"""As many as modules in a folder."""

_APART = {("trial", "market"), ("market", "trial")}
_IMPORT = re.compile(r"(?:^import (?:.* from )?|\bimport\()\"(\.{1,2}/[^\"]+)\"", re.MULTILINE)
"""Imports at a script's start, and those that are made when something is drawn."""

_STATIC = re.compile(r"static\(('[^)~]+')\)")
_PRELOADED = re.compile(r"for module in \[([^]]+)\]")
_TEMPLATE = re.compile(r"{% (?:extends|import|include) \"([^\"]+)\"")
_RENDERED = re.compile(r"\"([a-z_/]+\.html)\"")


def scripts_imported() -> Iterator[tuple[str, str]]:
    """Yield each script with a script that it imports, both relative to the folder of static files."""
    for path in STATIC.rglob("*.js"):
        for target in _IMPORT.findall(path.read_text()):
            yield _name(path, STATIC), (path.parent / target).resolve().relative_to(STATIC).as_posix()


def files_loaded() -> Iterator[tuple[str, str]]:
    """Yield each template with a static file that it loads."""
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text()
        preloaded = [
            f"{name}.js" for names in _PRELOADED.findall(text) for name in re.findall(r"\"(.+?)\"", names)
        ]
        linked = [name.strip("' ") for names in _STATIC.findall(text) for name in names.split(",")]
        for target in [*linked, *preloaded]:
            yield _name(path, TEMPLATES), target


def templates_used() -> Iterator[tuple[str, str]]:
    """Yield each template with a template that it extends, imports or includes."""
    for path in TEMPLATES.rglob("*.html"):
        for target in _TEMPLATE.findall(path.read_text()):
            yield _name(path, TEMPLATES), target


def templates_rendered() -> Iterator[tuple[str, str]]:
    """Yield each module of the dashboard with a template that it renders."""
    for path in DASHBOARD.rglob("*.py"):
        for target in _RENDERED.findall(path.read_text()):
            yield _name(path, DASHBOARD), target


REFERENCES = {
    "scripts": (scripts_imported, STATIC),
    "static files": (files_loaded, STATIC),
    "templates": (templates_used, TEMPLATES),
    "pages": (templates_rendered, TEMPLATES),
}


@pytest.mark.parametrize("kind", REFERENCES)
def test_every_file_that_a_page_refers_to_is_there(kind: str) -> None:
    references, folder = REFERENCES[kind]
    found = list(references())
    assert found
    assert [(one, target) for one, target in found if not (folder / target).is_file()] == []


@pytest.mark.parametrize("kind", REFERENCES)
def test_pages_use_files_of_their_own_subject_and_of_those_below(kind: str) -> None:
    references, _ = REFERENCES[kind]
    pairs = {(_subject(one), _subject(target)) for one, target in references()}
    assert {pair for pair in pairs if pair in _APART or _place(pair[0]) > _place(pair[1])} == set()


def test_every_template_script_and_style_is_used() -> None:
    used = {target for references, _ in REFERENCES.values() for _, target in references()}
    kept = {_name(path, STATIC) for path in STATIC.rglob("*") if path.is_file()}
    kept |= {_name(path, TEMPLATES) for path in TEMPLATES.rglob("*.html")}
    assert kept - used == set()


def test_page_of_a_run_names_every_script_that_draws_its_curve_before_they_ask_for_each_other() -> None:
    named = {target for one, target in files_loaded() if one == "trial/scripts.html"}
    imports: dict[str, set[str]] = {}
    for one, target in scripts_imported():
        imports.setdefault(one, set()).add(target)
    assert {target for one in named for target in imports.get(one, set())} - named == set()


@pytest.mark.parametrize("folder", [STATIC, TEMPLATES], ids=["static", "templates"])
def test_no_folder_of_page_files_holds_more_than_a_reader_takes_in(folder: Path) -> None:
    counts = Counter(_subject(_name(path, folder)) for path in folder.rglob("*") if path.is_file())
    assert set(counts) | {"map", "charts"} == set(SUBJECTS)
    assert {name: count for name, count in counts.items() if count > MOST_FILES} == {}


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _subject(name: str) -> str:
    parent = PurePosixPath(name).parent.as_posix()
    return "" if parent == "." else parent


def _place(subject: str) -> int:
    return SUBJECTS.index(subject)
