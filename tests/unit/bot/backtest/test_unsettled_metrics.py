"""Metrics of a run on settlements that are not in the data, and on P&L booked after a contract had ended."""

from typing import Any

import pytest
from toy_market import HOUR_MS, START, candles, configured, pair, window

from bot.backtest import RunResult, replay


def dead(perp: list[str], alive: int, **extra: Any) -> dict[str, Any]:
    """Return a pair whose perp trades for `alive` hours, and repeats its last price without volume after."""
    market = pair(dict.fromkeys(range(8, 57, 8), "0.01"), ["100"] * 60, perp=perp, **extra)
    last = market["perp"][alive - 1][4]
    flat = [(row[0], last, last, last, last, "0") for row in market["perp"][alive:]]
    return {**market, "perp": [*market["perp"][:alive], *flat]}


def run(market: dict[str, Any], **values: Any) -> RunResult:
    config = configured(market, **{"initial_capital": 1000, "end": START + 56 * HOUR_MS, **values})
    return replay(config, window(market, config))


def test_a_run_over_living_markets_names_no_end_and_leaves_the_amount_undefined() -> None:
    result = run({"X": dead(["100"] * 60, 50)})
    assert result.contract_ends == {}
    assert result.metrics.pnl_after_market_end is None
    assert result.document()["market_ends"] == {}
    assert result.document()["metrics"]["pnl_after_market_end"] is None


def test_funding_posted_after_the_last_live_candle_is_named_as_such() -> None:
    # q = 5 of 200 a unit; 8 h entry, then 5 * 100 * 0.01 = 5 at 16, 24 and, after the end at 30 h, 32 to 56 h
    result = run({"X": dead(["100"] * 60, 30)})
    assert result.document()["market_ends"] == {"X": START + 30 * HOUR_MS}
    assert result.metrics.total_funding == 30
    assert result.metrics.pnl_after_market_end == 20


def test_a_settlement_at_the_moment_of_the_end_was_still_earned() -> None:
    assert run({"X": dead(["100"] * 60, 24)}).metrics.pnl_after_market_end == 20
    assert run({"X": dead(["100"] * 60, 23)}).metrics.pnl_after_market_end == 25


def test_spot_that_moves_on_alone_and_the_costs_of_leaving_count_as_booked_after_the_end() -> None:
    # at 30 h: q = 4 (unit 100.2 + 100.2); spot 100 -> 90 alone; exit fees 0.36 + 0.4
    market = dead(["100"] * 60, 30)
    market["spot"] = candles([*["100"] * 40, *["90"] * 20])
    result = run({"X": market}, spot_taker="0.001", perp_taker="0.001")
    [trade] = result.trades
    assert (trade.quantity, trade.net_pnl) == (4, 4 * 6 - 40 - (0 + trade.fees))
    assert result.metrics.pnl_after_market_end == 4 * 4 - 40 - (trade.fees - trade.quantity * 2 / 10)


def test_a_round_trip_opened_after_the_end_counts_as_a_whole_and_one_that_ended_before_not_at_all() -> None:
    market = dead(["100"] * 60, 20)
    for hour, rate in ((8, "0.01"), (16, "-0.01"), (24, "0.01")):
        place = [START + hour * HOUR_MS == row[0] for row in market["funding"]].index(True)
        market["funding"][place] = (START + hour * HOUR_MS, rate, 8, None)
    result = run({"X": market}, spot_taker="0.001")
    first, second = result.trades
    assert (first.closed_at_ms, second.opened_at_ms) == (START + 16 * HOUR_MS, START + 24 * HOUR_MS)
    assert result.metrics.pnl_after_market_end == second.net_pnl


def test_ends_of_several_markets_add_up() -> None:
    market = {"X": dead(["100"] * 60, 30), "Y": dead(["100"] * 60, 22), "Z": dead(["100"] * 60, 50)}
    result = run(market, max_simultaneous_positions=3, initial_capital=3000)
    assert result.document()["market_ends"] == {"X": START + 30 * HOUR_MS, "Y": START + 22 * HOUR_MS}
    assert result.metrics.pnl_after_market_end == 20 + 25


@pytest.mark.parametrize(
    ("hours", "missed"),
    [
        (range(8, 57, 8), 0),
        ((8, 16, 40, 48, 56), 2),
        ((16, 24, 32), 3),
        ((8, 56), 5),
        ((56,), 0),
    ],
)
def test_settlements_that_fell_due_while_a_hedge_was_held_and_are_not_recorded_are_counted(
    hours: Any, missed: int
) -> None:
    market = {
        "X": pair(dict.fromkeys(hours, "0.01"), ["100"] * 60),
        "Y": pair(dict.fromkeys(range(8, 57, 8), "-0.01"), ["100"] * 60),
    }
    assert run(market).metrics.missed_settlements == missed


def test_settlements_missing_after_the_end_of_the_contract_are_not_missed() -> None:
    market = {"X": dead(["100"] * 60, 30), "Y": pair(dict.fromkeys(range(8, 57, 8), "-0.01"), ["100"] * 60)}
    market["X"]["funding"] = market["X"]["funding"][:2]
    assert run(market).metrics.missed_settlements == 1
    market["X"]["funding"] = market["X"]["funding"][:1]
    assert run(market).metrics.missed_settlements == 2


def test_settlements_missing_while_nothing_is_held_are_not_counted() -> None:
    hours = {8: "0.01", 16: "-0.01", 48: "-0.01", 56: "-0.01"}
    assert run({"X": pair(hours, ["100"] * 60)}).metrics.missed_settlements == 0


def test_a_settlement_missing_at_the_candle_that_liquidates_was_not_due_any_more() -> None:
    prices = ["100"] * 60
    market = {
        "X": pair({8: "0.01", 16: "0.01", 32: "-0.01"}, prices),
        "Y": pair(dict.fromkeys(range(8, 57, 8), "-0.01"), prices),
    }
    for hour, missed in ((23, 0), (24, 0), (25, 1)):
        market["X"]["perp"] = candles(prices, {hour: "300"})
        result = run(market, exit_funding_rate="-1")
        assert (result.metrics.liquidations, result.metrics.missed_settlements) == (1, missed)
