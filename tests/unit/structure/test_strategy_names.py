"""No part of the product but `bot.strategies` knows a strategy by its name."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
STRATEGIES = ROOT / "src/bot/strategies"
SOURCES = [
    path
    for folder in ("src", "api", "workers")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".html", ".js"} and not path.is_relative_to(STRATEGIES)
]
NAMES = frozenset(
    tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["carrygrid.strategies"]
)
QUOTED = re.compile(rf"""["'`]({"|".join(NAMES)})["'`]""")
SAID = re.compile(rf"\b({'|'.join(NAMES - {'hold'})})\b")  # "hold" is a verb that pages need
ALLOWED = {
    ("src/bot/config/parameters.py", "simple"): "the default of `strategy_mode`, which run keys contain",
    ("src/bot/backtest/baseline.py", "bot.strategies.hold"): "the baseline of every run is that strategy",
    ("api/dashboard/static/trial/trial.js", "hold"): "the part of a trial's page with the baseline's curve",
    ("api/dashboard/templates/trial/trial_result.html", "hold"): "the same curve, sent with the page",
    ("api/dashboard/static/map/inspector.js", "hold"): "the same curve beside the map of a sweep",
    ("src/bot/kernel/decision_tables.py", "bot.strategies.hold"): "the same baseline, decided over columns",
    (
        "src/bot/backtest/walk_forward_run.py",
        "hold",
    ): "the part of a walk-forward on holding, in its document",
    ("src/bot/selection/judging.py", "hold"): "the part of a report on holding, named by its contract",
    ("src/bot/selection/report.py", "hold"): "the same part",
    ("src/bot/selection/stored/packed_sums.py", "hold"): "the sums of that part",
    ("src/bot/selection/walk_forward.py", "hold"): "the metrics of holding beside a stitched run",
    ("api/schemas/walk_forward.py", "hold"): "the same two",
    ("src/carrygrid/records.py", "hold"): "the same curve, read",
    ("src/carrygrid/cli/sweep/selection.py", "hold"): "the same part, printed",
    ("src/sweeps/jobs/promotion.py", "hold"): "the reason why that part is missing",
}


def names_in(source: str, suffix: str) -> set[str]:
    """Return the strategies that a source names, and the modules of strategies that it imports."""
    if suffix == ".py":
        return set(_in_python(ast.parse(source)))
    found = {match[1] for match in QUOTED.finditer(source)}
    return found | ({match[1] for match in SAID.finditer(source)} if suffix == ".html" else set())


def _in_python(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in NAMES:
            yield str(node.value)
        imported = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        imported += [one.name for one in node.names] if isinstance(node, ast.Import) else []
        yield from (name for name in imported if name.removeprefix("bot.strategies.") in NAMES)


def test_no_strategy_is_named_outside_the_strategies_without_a_reason() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in SOURCES
        for name in names_in(path.read_text(), path.suffix)
    }
    assert found == set(ALLOWED)


@pytest.mark.parametrize(
    ("source", "suffix", "named"),
    [
        ('if config.strategy_mode == "composite": pass', ".py", {"composite"}),
        ("import bot.strategies.simple", ".py", {"bot.strategies.simple"}),
        ('"""Of `simple` and others."""\nx = "a simple one"', ".py", set()),
        ('return entry ?? "simple"', ".js", {"simple"}),
        ("lines.push(curve.hold)", ".js", set()),
        ("<p>simple and composite; they hold</p>", ".html", {"simple", "composite"}),
        ("{% if mode == 'hold' %}", ".html", {"hold"}),
    ],
)
def test_names_are_found_in_code_scripts_and_pages(source: str, suffix: str, named: set[str]) -> None:
    assert names_in(source, suffix) == named
