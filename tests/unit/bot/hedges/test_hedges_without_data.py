"""Runs of hedges say what their data cover, and are refused where that is too little."""

import json
from pathlib import Path

import pytest
from builders import run_config
from hedge_files import hedge_data

from bot.config.run_config import RunConfig
from bot.errors import InsufficientDataError
from bot.hedges.engine import run_hedges

HOUR = 3_600_000
START = 1_704_067_200_000
FUNDING = "timestamp_ms,funding_rate,interval_hours,mark_price\n" + "".join(
    f"{START + hour * HOUR},0.001,8,\n" for hour in (0, 8)
)
CANDLES = "timestamp_ms,open,high,low,close,volume\n" + "".join(
    f"{START + hour * HOUR},100,100,100,100,10\n" for hour in range(-1, 8)
)
ONE = {"alpha/AAAUSDT-funding.csv": FUNDING, "alpha/AAAUSDT-perp-1h.csv": CANDLES}
TWO = {**ONE, "beta/AAAUSDT-funding.csv": FUNDING, "beta/AAAUSDT-perp-1h.csv": CANDLES}
CONFIG = run_config(
    exchange="alpha",
    symbols=["AAA/USDT:USDT"],
    structure="perp_perp",
    short_exchange="beta",
    start=START,
    end=START + 8 * HOUR,
)


def test_run_covers_each_of_its_markets_by_name() -> None:
    run = run_hedges(CONFIG, hedge_data(TWO, {"exchange": "alpha", "end": CONFIG.end}))
    covered = run.document()["coverage"]
    assert [*covered] == ["AAA/USDT:USDT", "AAA/USDT:USDT@beta"]
    counts = {name: covered["AAA/USDT:USDT@beta"][name] for name in ("funding_found", "perp_found")}
    assert counts == {"funding_found": 2, "perp_found": 8}


def test_run_without_one_of_its_markets_is_refused_by_name() -> None:
    with pytest.raises(InsufficientDataError, match="^symbols: AAA/USDT:USDT@beta: nothing of it is held in"):
        run_hedges(CONFIG, hedge_data(ONE, {"exchange": "alpha", "end": CONFIG.end}))


def test_settlements_of_either_perp_that_are_not_recorded_are_counted() -> None:
    case = json.loads((Path(__file__).parent / "cases" / "03-perp-perp-two-grids.json").read_text())
    lines = case["files"]["alpha/AAAUSDT-funding.csv"].splitlines(keepends=True)
    holed = {**case["files"], "alpha/AAAUSDT-funding.csv": "".join([*lines[:2], *lines[3:]])}

    def missed(files: dict[str, str]) -> int:
        document = run_hedges(RunConfig.parse(case["config"]), hedge_data(files, case["config"])).document()
        found: int = document["metrics"]["missed_settlements"]
        return found

    assert (missed(case["files"]), missed(holed)) == (0, 1)
