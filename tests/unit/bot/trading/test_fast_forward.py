"""Fast-forward books many settlements of a hedge at once and leaves the same account as one by one."""

from typing import Any

import pytest
from builders import market_data, run_config
from hypothesis import given, settings
from reference.markets import runs
from toy_market import RULES, START, candles, configured, pair, window

from bot.backtest import ReplayWindow, RunResult, replay
from bot.config.run_config import RunConfig
from bot.models import HOUR_MS, CloseReason, MarketEvent
from bot.trading.trader import CarryTrader

NEVER = 10**9


def replayed(config: RunConfig, shown: ReplayWindow, *, at_once_from: int) -> RunResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.trading.trader._LONG", at_once_from)
        return replay(config, shown)


def assert_same_account(config: RunConfig, shown: ReplayWindow) -> RunResult:
    singly = replayed(config, shown, at_once_from=NEVER)
    at_once = replayed(config, shown, at_once_from=1)
    assert at_once.document() == singly.document()
    assert at_once.payments == singly.payments
    assert at_once.equity == singly.equity
    return at_once


def run(market: dict[str, Any], **overrides: Any) -> RunResult:
    config = configured(market, **overrides)
    return assert_same_account(config, window(market, config))


@settings(max_examples=150, derandomize=True)
@given(runs())
def test_generated_markets_leave_the_same_account(drawn: tuple[dict[str, Any], dict[str, Any]]) -> None:
    market, values = drawn
    config = run_config(**values)
    rows = {symbol: market[symbol] for symbol in config.symbols}
    assert_same_account(config, ReplayWindow.build(config, market_data(rows, config.end)))


def test_a_hedge_in_one_slot_of_two_pairs_is_followed_to_the_liquidation_between_its_settlements() -> None:
    prices = ["100", "101", "99", "100", "100", "100"]
    held = pair(dict.fromkeys(range(1, 7), "0.01"), prices, mark=candles(prices, {4: "250"}))
    other = pair({1: "0.001", 3: "0.02"}, prices)
    result = run({"X": held, "Y": other}, initial_capital=1000, max_simultaneous_positions=1)
    assert [(trade.symbol, trade.reason, trade.funding_payments) for trade in result.trades] == [
        ("X", CloseReason.LIQUIDATION, 2),
        ("X", CloseReason.END, 1),
    ]


def test_two_hedges_are_paid_at_the_same_settlements_in_the_order_of_their_pairs() -> None:
    prices = ["100"] * 4
    market = {
        "X": pair(dict.fromkeys(range(1, 5), "0.01"), prices),
        "Y": pair(dict.fromkeys(range(1, 5), "0.02"), prices),
        "Z": pair(dict.fromkeys(range(1, 5), "0.00001"), prices),
    }
    result = run(market, initial_capital=1000, max_simultaneous_positions=3, min_funding_rate="0.001")
    assert [(payment.t_ms - START, payment.symbol) for payment in result.payments] == [
        (hour * HOUR_MS, symbol) for hour in (2, 3, 4) for symbol in ("X", "Y")
    ]


def test_amounts_beyond_64_bits_are_booked_digit_for_digit() -> None:
    prices = ["100", "103.33333333", "99", "101"]
    market = {"X": pair(dict.fromkeys(range(1, 5), "0.0123456789"), prices)}
    result = run(market, initial_capital="900000000000000")
    [trade] = result.trades
    assert trade.funding_payments == 3
    assert result.equity[-1] == (START + 4 * HOUR_MS, 9 * 10**14 + trade.net_pnl)


SPARSE = {"X": {1: "0.01", 5: "0.02", 9: "0.01"}, "Y": dict.fromkeys(range(2, 10), "0.001")}
"""Settlements of a pair that is held, and of one that settles in between and is too small to be entered."""


def sparse(mark: Any = None, rates: dict[str, dict[int, str]] = SPARSE, **overrides: Any) -> RunResult:
    prices = ["100", "101", "103", "102", "99", "100", "104", "103", "101"]
    small = {**RULES, "min_qty": "1000"}
    held = pair(rates["X"], prices) if mark is None else pair(rates["X"], prices, mark=candles(prices, mark))
    market = {"X": held, "Y": pair(rates["Y"], prices, instrument=small)}
    return run(market, initial_capital=1000, max_simultaneous_positions=1, **overrides)


def test_a_hedge_is_paid_where_its_own_pair_settles_and_held_through_what_settles_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    singly: list[int] = []
    on_event = CarryTrader.on_event

    def noted(trader: CarryTrader, event: MarketEvent) -> None:
        singly.append((event.t_ms - START) // HOUR_MS)
        on_event(trader, event)

    monkeypatch.setattr(CarryTrader, "on_event", noted)
    result = sparse()
    assert [payment.t_ms for payment in result.payments] == [START + hour * HOUR_MS for hour in (5, 9)]
    [trade] = result.trades
    assert trade.funding_payments == 2
    # One event after another, then at once: but for the entry, and the last event, which closes the hedge.
    assert singly == [1, 2, 3, 4, 5, 6, 7, 8, 1]


def test_a_hedge_is_liquidated_at_an_event_that_passes_its_pair_by() -> None:
    first, *_ = sparse(mark={3: "250"}).trades
    assert (first.reason, first.funding_payments) == (CloseReason.LIQUIDATION, 0)
    assert first.closed_at_ms <= START + 4 * HOUR_MS


def test_signals_to_leave_are_counted_where_the_pair_settles_whatever_settles_in_between() -> None:
    rates = {"X": {1: "0.01", 3: "-0.01", 6: "-0.01", 8: "-0.01"}, "Y": SPARSE["Y"]}
    result = sparse(rates=rates, exit_confirmations=2)
    assert [(trade.reason, trade.closed_at_ms) for trade in result.trades] == [
        (CloseReason.SIGNAL, START + 6 * HOUR_MS)
    ]
