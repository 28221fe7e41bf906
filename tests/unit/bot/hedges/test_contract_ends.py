"""Ends of contracts: which price each leg leaves at, and why."""

import json
from pathlib import Path
from typing import Any

from hedge_files import hedge_data

from bot.config.run_config import RunConfig
from bot.hedges.engine import run_hedges

CASES = Path(__file__).parent / "cases"
START = 1_704_067_200_000
END = START + 8 * 3_600_000
"""Moment of the second settlement of the case."""


def inverse_trade(lives: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return the trade of the case of a price that halves, with 1 % slippage, under lives of its markets."""
    case = json.loads((CASES / "04-inverse-halved.json").read_text())
    files = {**case["files"], **{f"alpha/{name}-life.json": json.dumps(rows) for name, rows in lives.items()}}
    config = {**case["config"], "slippage_bps": "100"}
    (trade,) = run_hedges(RunConfig.parse(config), hedge_data(files, config)).document()["trades"]
    return trade


SPOT_ENDS = {"AAAUSDT": [{"market": "spot", "from_ms": 0, "to_ms": END}]}
PERP_ENDS = {
    "AAAUSD_PERP": [
        {"market": "perp", "from_ms": 0, "to_ms": END, "settle_price": "79"},
        {"market": "perp", "from_ms": END},
    ]
}
"""The ticker is used again, so that the run has events after the end."""


def test_an_inverse_perp_that_ends_with_its_spot_is_settled_and_the_coins_are_sold() -> None:
    trade = inverse_trade({**SPOT_ENDS, **PERP_ENDS})
    assert (trade["reason"], trade["closed_at"]) == ("delisted", END)
    assert (trade["short_exit"], trade["long_exit"]) == ("79", "79.2")


def test_an_inverse_perp_whose_spot_ends_is_bought_back_as_taker() -> None:
    trade = inverse_trade(SPOT_ENDS)
    assert (trade["reason"], trade["closed_at"]) == ("delisted", END)
    assert (trade["short_exit"], trade["long_exit"]) == ("80.8", "79.2")


def test_a_reused_ticker_without_marks_of_its_own_is_liquidated_by_its_perp_candles() -> None:
    case = json.loads((CASES / "14-delisted-and-reused.json").read_text())
    candles = case["files"]["alpha/AAAUSDT-perp-1h.csv"].splitlines()
    wick = candles[-1].replace("51,51,51,51", "51,5000,51,51")
    files = {
        **case["files"],
        "alpha/AAAUSDT-perp-1h.csv": "\n".join([*candles[:-1], wick]) + "\n",
        "alpha/AAAUSDT-mark-1h.csv": "\n".join(candles[:3]) + "\n",
    }
    trades = run_hedges(RunConfig.parse(case["config"]), hedge_data(files, case["config"])).document()[
        "trades"
    ]
    assert [trade["reason"] for trade in trades] == ["delisted", "liquidation"]
