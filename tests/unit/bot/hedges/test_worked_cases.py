"""Small cases worked out by hand: configuration, files and the document that they give."""

import json
from pathlib import Path
from typing import Any

import pytest
from hedge_files import hedge_data

from bot.config.run_config import RunConfig
from bot.hedges.engine import run_hedges

CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))


def document_of(case: dict[str, Any]) -> dict[str, Any]:
    """Return the result document of a case."""
    data = hedge_data(case["files"], case["config"])
    return run_hedges(RunConfig.parse(case["config"]), data).document()


def test_every_case_of_the_contract_is_here() -> None:
    assert len(CASES) == 16


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_worked_out_by_hand_gives_its_document_to_the_last_digit(path: Path) -> None:
    case = json.loads(path.read_text())
    document, expected = document_of(case), case["expected"]
    for name, known in expected["metrics"].items():
        told = pytest.approx(known, rel=1e-9, abs=0) if isinstance(known, float) else known
        assert document["metrics"][name] == told, name
    assert document["trades"] == expected["trades"]
    assert document["equity"] == expected["equity"]
