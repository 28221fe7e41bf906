"""The pages for readers name files, headings, modules and sections that exist."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from composing import ROOT
from pydantic_core import PydanticUndefined

from bot.config.run_config import RunConfig
from bot.notation import plain

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FOLDERS = ("src/", "tests/", "api/", "workers/", "docs/", "examples/", "deploy/")
PACKAGES = {
    "bot": ROOT / "src",
    "sweeps": ROOT / "src",
    "carrygrid": ROOT / "src",
    "api": ROOT,
    "workers": ROOT,
    "benchmarks": ROOT / "tests",
}


def _quoted(page: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", page.read_text())


def _headings(page: Path) -> set[str]:
    found = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in found}


def _is_named(dotted: str) -> bool:
    """Return whether a dotted name is a module, or a name that its module's text has."""
    *parents, name = dotted.split(".")
    at = PACKAGES[parents[0]].joinpath(*parents)
    if (at / name).is_dir() or (at / f"{name}.py").exists():
        return True
    homes = [at.with_suffix(".py"), at / "__init__.py"]
    return any(re.search(rf"\b{name}\b", home.read_text()) for home in homes if home.exists())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_project_leads_to_a_file_and_its_heading(page: Path) -> None:
    links = re.findall(r"\]\(([^)]+)\)", page.read_text())
    lost = []
    for link in links:
        path, _, heading = link.partition("#")
        target = (page.parent / path) if path else page
        if "://" not in link and not (target.exists() and (not heading or heading in _headings(target))):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_and_module_that_a_page_names_exists(page: Path) -> None:
    quoted = " ".join(_quoted(page))
    paths = {word for word in re.findall(r"[\w./\-]+", quoted) if word.startswith(FOLDERS)}
    modules = set(re.findall(rf"(?<![\w./])(?:{'|'.join(PACKAGES)})(?:\.[a-z]\w*)+", quoted))
    # Entry points, a file, a channel, a name of before.
    outside = {"carrygrid.strategies", "carrygrid.dump", "carrygrid.written", "api.cli"}
    lost = {path for path in paths if not (ROOT / path).exists()}
    assert lost | {name for name in modules - outside if not _is_named(name)} == set()


def test_sections_of_the_accounting_rules_that_code_cites_exist() -> None:
    headings = re.findall(r"^## (\d+)\.", (ROOT / "docs" / "domain.md").read_text(), re.MULTILINE)
    cited = {
        number
        for path in (ROOT / "src").rglob("*.py")
        for number in re.findall(r"docs/domain\.md, section (\d+)", path.read_text())
    }
    assert headings == [str(number) for number in range(1, len(headings) + 1)]
    assert cited
    assert cited - set(headings) == set()


def test_every_decision_has_its_line_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^\| \[\d{4}\]\((.+?)\)", (folder / "README.md").read_text(), re.MULTILINE)
    assert listed == sorted(path.name for path in folder.glob("0*.md"))


def _slow_tests(file: Path) -> list[str]:
    text = file.read_text()
    if re.search(r"^pytestmark = .*pytest\.mark\.slow", text, re.MULTILINE):
        return re.findall(r"^(?:async )?def (test_\w+)", text, re.MULTILINE)
    return re.findall(
        r"^@pytest\.mark\.slow\n(?:(?:@|\)| ).*\n)*(?:async )?def (test_\w+)", text, re.MULTILINE
    )


def test_page_of_promises_marks_the_tests_that_only_all_runs() -> None:
    slow = {name for file in ROOT.glob("tests/**/test_*.py") for name in _slow_tests(file)}
    rows = [row for row in (ROOT / "docs/reliability.md").read_text().splitlines() if row.startswith("|")]
    named = re.findall(r"`(test_\w+)`( \(slow\))?", "\n".join(rows))
    assert {name for name, mark in named if mark} == {name for name, _ in named} & slow != set()


def test_every_parameter_of_a_run_stands_once_in_the_rules_with_its_default() -> None:
    page = (ROOT / "docs" / "domain.md").read_text()
    section = page[page.index("## 7. Parameters") : page.index("## 8. Coverage")]
    listed = re.findall(r"^\| `(\w+)` \| (\S+) \| \S.* \|$", section, re.MULTILINE)
    expected = {name: _shown(field.default) for name, field in RunConfig.model_fields.items()}
    assert len(listed) == len(expected)
    assert dict(listed) == expected


def _shown(default: object) -> str:
    if default is PydanticUndefined:
        return "required"
    if isinstance(default, Decimal):
        return plain(default)
    return {"None": "none", "False": "false", "()": "[]"}.get(str(default), str(default))
