"""The engine of hedges and an independent reading of the rules in fractions give the same documents."""

from typing import Any

import pytest
from hedge_files import hedge_data
from hypothesis import given, settings
from reference.hedges.drawn import STRUCTURES, made, runs
from reference.hedges.replay import run as reference_run

from bot.config.run_config import RunConfig
from bot.hedges.engine import run_hedges

Run = tuple[dict[str, str], dict[str, Any]]


def assert_engine_agrees(files: dict[str, str], config: dict[str, Any]) -> dict[str, Any]:
    """Run both ways, compare money to the last digit and statistics to 1e-9, and return the document."""
    expected = reference_run(files, config)
    document = run_hedges(RunConfig.parse(config), hedge_data(files, config)).document()
    assert document["trades"] == expected["trades"]
    assert [list(point) for point in document["equity"]] == expected["equity"]
    for name, value in expected["metrics"].items():
        told = pytest.approx(value, rel=1e-9, abs=0) if isinstance(value, float) else value
        assert document["metrics"][name] == told, name
    return document


@pytest.mark.parametrize("structure", STRUCTURES)
def test_runs_of_every_structure_agree_to_the_last_digit(structure: str) -> None:
    documents = [assert_engine_agrees(*made(seed, structure)) for seed in range(25)]
    assert sum(len(document["trades"]) for document in documents) > 25


@settings(max_examples=100, derandomize=True)
@given(runs())
def test_drawn_runs_agree_to_the_last_digit(drawn: Run) -> None:
    assert_engine_agrees(*drawn)
