"""Small cases worked out by hand: configuration, files and the document that they give."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from builders import market_data, run_config

from bot.backtest import run_backtest

CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))


def rows(case: dict[str, Any], name: str) -> list[list[str | int]]:
    """Return the rows of a file of a case, times as whole numbers."""
    table = list(csv.reader(StringIO(case["files"][name])))[1:]
    return [[int(first), *rest] for first, *rest in table]


def market(case: dict[str, Any]) -> dict[str, Any]:
    """Return the market of a case with one pair on one exchange."""
    stem = "alpha/AAAUSDT"
    funding = [
        [t, rate, int(hours), mark or None] for t, rate, hours, mark in rows(case, f"{stem}-funding.csv")
    ]
    candles = {leg: rows(case, f"{stem}-{leg}-1h.csv") for leg in ("spot", "perp")}
    return {"AAA/USDT:USDT": {"funding": funding, "mark": None, **candles}}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_worked_out_by_hand_gives_its_document_to_the_last_digit(path: Path) -> None:
    case = json.loads(path.read_text())
    config, expected = run_config(**case["config"]), case["expected"]
    document = run_backtest(config, market_data(market(case), config.end, "alpha")).document()
    for name, known in expected["metrics"].items():
        told = pytest.approx(known, rel=1e-9, abs=0) if isinstance(known, float) else known
        assert document["metrics"][name] == told, name
    assert document["trades"] == expected["trades"]
    assert document["equity"] == expected["equity"]
