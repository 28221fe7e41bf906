"""Contracts that end inside a window, with `end_dead_markets`: who leaves when, at which prices, and why."""

from typing import Any

import pytest
from toy_market import HOUR_MS, START, candles, configured, pair, window

from bot.backtest import Baselines, RunResult, blocked_entries, explain, replay
from bot.backtest.decision_trace import decision_snapshots
from bot.models import CloseReason

EVERY_8_H = dict.fromkeys(range(8, 81, 8), "0.01")
FLAT = ["100"] * 80


def dead(alive: int, prices: list[str] = FLAT, **extra: Any) -> dict[str, Any]:
    """Return a pair whose perp trades for `alive` hours, and repeats its last price without volume after."""
    market = pair(EVERY_8_H, extra.pop("spot", FLAT), perp=prices, **extra)
    last = market["perp"][alive - 1][4]
    flat = [(row[0], last, last, last, last, "0") for row in market["perp"][alive:]]
    return {**market, "perp": [*market["perp"][:alive], *flat]}


def run(market: dict[str, Any], **values: Any) -> RunResult:
    config = configured(market, **{"end": START + 80 * HOUR_MS, "end_dead_markets": True, **values})
    return replay(config, window(market, config))


def hours(t_ms: int) -> float:
    return (t_ms - START) / HOUR_MS


def test_a_hedge_leaves_where_the_last_live_candle_closed_and_no_settlement_after_it_counts() -> None:
    # entered at 8 h, collects at 16 and 24 h, ends at 30 h
    spot = [*["100"] * 28, *["98"] * 52]
    result = run({"X": dead(30, spot=spot)}, slippage_bps=100, spot_taker="0.001", perp_taker="0.002")
    [trade] = result.trades
    quantity = trade.quantity
    assert (trade.reason, hours(trade.closed_at_ms), trade.funding_payments) == (CloseReason.DELISTED, 30, 2)
    assert (trade.spot_entry, trade.perp_entry) == (101, 99)
    assert trade.spot_exit * 100 == 98 * 99
    assert trade.perp_exit == 100
    assert trade.price_pnl == quantity * (trade.spot_exit - 101) + quantity * (99 - 100)
    per_unit = 101 * 1 + 99 * 2 + trade.spot_exit * 1 + 100 * 2
    assert trade.fees == quantity * per_unit / 1000
    assert result.metrics.delistings == 1
    assert result.metrics.pnl_after_market_end == 0
    assert {equity for t_ms, equity in result.equity if hours(t_ms) > 30} == {10_000 + trade.net_pnl}


def test_a_settlement_at_the_very_moment_of_the_end_is_not_collected() -> None:
    result = run({"X": dead(24)})
    [trade] = result.trades
    assert (hours(trade.closed_at_ms), trade.funding_payments) == (24, 1)


def test_the_short_is_settled_at_the_newest_mark_not_at_the_last_trade() -> None:
    mark = candles(["101"] * 80)
    result = run({"X": dead(30, mark=mark)})
    assert result.trades[0].perp_exit == 101


@pytest.mark.parametrize(("wick_h", "reason"), [(29, "liquidation"), (30, "liquidation"), (31, "delisted")])
def test_at_one_moment_a_liquidation_comes_first_and_no_later_candle_liquidates(
    wick_h: int, reason: str
) -> None:
    result = run({"X": dead(30, mark=candles(FLAT, {wick_h: "500"}))})
    assert (result.trades[0].reason, hours(result.trades[0].closed_at_ms)) == (reason, min(wick_h, 30))


def test_nothing_is_entered_from_the_end_on() -> None:
    rates = {8: "0.01", 16: "-0.01", 24: "0.01", 32: "0.01", 40: "0.01"}
    market = dead(24)
    market["funding"] = pair(rates, FLAT)["funding"]
    assert [hours(trade.opened_at_ms) for trade in run({"X": market}).trades] == [8]
    market["perp"] = dead(25)["perp"]
    assert [hours(trade.opened_at_ms) for trade in run({"X": market}).trades] == [8, 24]


def test_a_slot_that_an_end_frees_is_taken_at_the_next_event() -> None:
    result = run({"X": dead(30), "Y": pair(EVERY_8_H, FLAT)})
    assert [(trade.symbol, hours(trade.opened_at_ms), trade.reason) for trade in result.trades] == [
        ("X", 8, "delisted"),
        ("Y", 32, "end"),
    ]


def test_what_ended_between_two_events_is_listed_in_order_of_opening() -> None:
    market = {"Y": dead(27), "X": dead(31), "Z": dead(29, mark=candles(FLAT, {26: "500"}))}
    result = run(market, max_simultaneous_positions=3)
    assert [(trade.symbol, trade.reason, hours(trade.closed_at_ms)) for trade in result.trades] == [
        ("X", "delisted", 31),
        ("Y", "delisted", 27),
        ("Z", "liquidation", 26),
    ]


def test_a_market_whose_data_merely_stop_ends_while_others_go_on() -> None:
    stopped = pair({8: "0.01", 16: "0.01"}, FLAT, perp=["100"] * 20)
    result = run({"X": stopped, "Y": pair(EVERY_8_H, FLAT, perp=FLAT)}, max_simultaneous_positions=2)
    first, second = result.trades
    assert (first.reason, hours(first.closed_at_ms)) == (CloseReason.DELISTED, 20)
    assert second.reason is CloseReason.END


def test_a_run_whose_last_event_comes_before_the_end_of_the_contract_closes_there_as_ever() -> None:
    result = run({"X": pair({8: "0.01", 16: "0.01"}, FLAT, perp=["100"] * 20)})
    assert [(trade.reason, hours(trade.closed_at_ms)) for trade in result.trades] == [(CloseReason.END, 16)]
    assert result.document()["market_ends"] == {"X": START + 20 * HOUR_MS}


def test_a_market_that_ended_before_the_window_is_never_entered() -> None:
    market = {"X": dead(30)}
    assert run(market, start=START + 31 * HOUR_MS).trades == ()
    late = run(market, start=START + 31 * HOUR_MS, end_dead_markets=False)
    assert late.metrics.pnl_after_market_end == late.metrics.net_pnl != 0


def test_without_the_parameter_a_dead_contract_is_held_on_as_ever() -> None:
    [trade] = run({"X": dead(30)}, end_dead_markets=False).trades
    assert (trade.reason, trade.funding_payments) == (CloseReason.END, 9)


def test_holding_and_captured_carry_end_with_the_contract() -> None:
    market = {"X": dead(30)}
    config = configured(market, end=START + 80 * HOUR_MS, end_dead_markets=True)
    shown = window(market, config)
    explanation = explain(replay(config, shown), shown, Baselines(shown))
    assert [trade.reason for trade in explanation.baseline.trades] == [CloseReason.DELISTED]
    assert explanation.carry.available_funding == explanation.baseline.metrics.total_funding
    assert explanation.carry.captured_share == 1
    assert explanation.carry.missed_after_exit == 0


def test_what_kept_a_run_out_after_the_end_says_so() -> None:
    market = {"X": dead(30)}
    config = configured(market, start=START + 31 * HOUR_MS, end=START + 80 * HOUR_MS, end_dead_markets=True)
    shown = window(market, config)
    [report] = blocked_entries(replay(config, shown), shown)
    assert (report.gate, report.blocked) == ("delisted", 6)
    [snapshot] = decision_snapshots(config, shown, [(START + 40 * HOUR_MS, "X")]).values()
    assert snapshot.gate is not None
    assert snapshot.gate.name == "delisted"


def test_a_hedge_of_a_contract_that_stopped_trading_has_made_what_it_makes_by_hand() -> None:
    # 9000 / (100.7027*1.0005*1.001 + 100.7531*0.9995*1.00055) allows q = 44.64021
    # out at 30 h: spot 100.4324*0.9995 = 100.3821838, short at 100.4826
    # what prices made is q*(100.3821838 - 100.75305135) + q*(100.70272345 - 100.4826) = -6.72924828
    # the fees are q*(100.75305135 + 100.3821838)*0.001 + q*(100.70272345 + 100.4826)*0.00055 = 13.91824444
    market = dead(30, [*["100.7531"] * 29, *["100.4826"] * 51], spot=[*["100.7027"] * 29, *["100.4324"] * 51])
    market["funding"] = pair({8: "0.01", **dict.fromkeys(range(16, 81, 8), "0")}, FLAT)["funding"]
    market["instrument"] = {}
    costs = {"spot_taker": "0.001", "perp_taker": "0.00055", "slippage_bps": 5, "allocation": "0.9"}
    result = run({"X": market}, exit_funding_rate=0, min_holding_periods=300, **costs)
    [trade] = result.trades
    assert (str(trade.quantity), hours(trade.closed_at_ms)) == ("44.64021", 30)
    assert str(trade.price_pnl) == "-6.72924828"
    assert str(trade.fees) == "13.91824444"
    assert str(result.metrics.net_pnl) == "-20.64749272"
