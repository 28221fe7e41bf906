"""The naive implementation of hedges is held to small cases that were worked out by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.reference.hedges.replay import run

CASES = sorted((Path(__file__).parents[1] / "bot" / "hedges" / "cases").glob("*.json"))


def at(document: Any, path: str) -> Any:
    """Return what a path such as `trades.0.fees` leads to."""
    for part in path.split("."):
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def told(value: Any) -> Any:
    """Return what a value of a case is compared with: statistics at 1e-9, all else as it is."""
    return pytest.approx(value, rel=1e-9, abs=0) if isinstance(value, float) else value


def test_the_cases_are_there() -> None:
    assert len(CASES) == 16


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_gives_its_document_to_the_last_digit(path: Path) -> None:
    case = json.loads(path.read_text())
    document, expected = run(case["files"], case["config"]), case["expected"]
    assert document["trades"] == expected["trades"]
    assert document["equity"] == expected["equity"]
    assert document["metrics"] == {name: told(value) for name, value in expected["metrics"].items()}
    for figure in case["by_hand"]:
        assert at(document, figure["path"]) == told(figure["value"]), figure["how"]
