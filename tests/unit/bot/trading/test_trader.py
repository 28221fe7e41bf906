"""Trading loop at one event, step by step, on a market small enough to follow by eye."""

from decimal import Decimal
from typing import Any

import pytest
from toy_market import RULES, START, candles, configured, pair, window

from bot.backtest import RunResult, replay
from bot.models import HOUR_MS, CloseReason


def run(market: dict[str, Any], **overrides: Any) -> RunResult:
    config = configured(market, **overrides)
    return replay(config, window(market, config))


def test_the_settlement_of_the_entry_is_not_collected_and_that_of_the_exit_is() -> None:
    rates = {1: "0.01", 2: "0.02", 3: "0.00001", 4: "0.01"}
    result = run({"X": pair(rates, ["100"] * 4)}, initial_capital=1000)
    [trade] = result.trades
    assert (trade.quantity, trade.funding_payments, trade.reason) == (5, 2, CloseReason.SIGNAL)
    assert trade.funding == 5 * 100 * (Decimal("0.02") + Decimal("0.00001"))
    assert result.equity[-1] == (START + 4 * HOUR_MS, 1000 + trade.funding)


def test_a_rate_an_hour_before_or_after_the_held_span_changes_nothing() -> None:
    rates = {1: "0.01", 2: "0.02", 3: "0.00001", 4: "-0.5", 5: "0"}
    calm = run({"X": pair(rates, ["100"] * 5)}, initial_capital=1000)
    wild = run({"X": pair({**rates, 1: "0.9", 4: "-0.9"}, ["100"] * 5)}, initial_capital=1000)
    assert calm.metrics == wild.metrics


def test_negative_funding_is_paid() -> None:
    rates = {1: "0.01", 2: "-0.02", 3: "0"}
    result = run({"X": pair(rates, ["100"] * 3)}, initial_capital=1000)
    assert result.metrics.total_funding == -10


def test_everything_is_closed_at_the_last_event_even_at_stale_prices() -> None:
    rates = {1: "0.01", 2: "0.01", 50: "0.01"}
    result = run({"X": pair(rates, ["100", "101"])}, initial_capital=1000)
    [trade] = result.trades
    assert (trade.reason, trade.closed_at_ms, trade.spot_exit) == (CloseReason.END, START + 50 * HOUR_MS, 101)


def test_stale_prices_stop_exits_but_not_funding() -> None:
    rates = {1: "0.01", 10: "-0.01", 11: "-0.01"}
    result = run({"X": pair(rates, ["100"])}, initial_capital=1000)
    [trade] = result.trades
    assert (trade.reason, trade.funding_payments) == (CloseReason.END, 2)


def test_a_mark_high_between_events_takes_the_margin_and_spot_is_sold_at_that_close() -> None:
    rates = {1: "0.01", 4: "0.01", 5: "0.01", 6: "0.01"}
    spot = ["100", "120", "130", "140", "150", "160"]
    market = {"X": pair(rates, spot, mark=candles(["100"] * 6, {3: "220"}))}
    result = run(market, initial_capital=1000, max_simultaneous_positions=1)
    liquidated, again = result.trades
    assert (liquidated.reason, liquidated.closed_at_ms) == (CloseReason.LIQUIDATION, START + 3 * HOUR_MS)
    assert (liquidated.spot_exit, liquidated.perp_exit, liquidated.funding) == (130, None, 0)
    assert liquidated.price_pnl == 5 * 30 - 500
    assert again.opened_at_ms == START + 5 * HOUR_MS


def test_a_margin_exit_comes_before_the_signal() -> None:
    rates = {1: "0.01", 2: "-0.01", 3: "0.01"}
    market = {"X": pair(rates, ["100", "197.8", "197.8"], mark=candles(["100", "197.8", "197.8"]))}
    market["X"]["instrument"] = {**RULES, "mmr": "0.01"}
    result = run(market, initial_capital=1000)
    assert result.trades[0].reason is CloseReason.MARGIN


def test_slots_go_to_the_best_yield_and_what_does_not_fit_is_counted() -> None:
    market = {
        "A": pair({1: "0.001", 2: "0.001"}, ["100"] * 2),
        "B": pair({1: "0.002", 2: "0.002"}, ["100000"] * 2),
        "C": pair({1: "0.0015", 2: "0.0015"}, ["100"] * 2),
    }
    result = run(market, initial_capital=1000)
    assert [trade.symbol for trade in result.trades] == ["C"]
    assert result.metrics.skipped_entries == 1


def test_compounding_sizes_on_equity_and_fixed_capital_does_not() -> None:
    rates = {1: "0.01", 2: "0.5", 3: "-0.1", 4: "0.01", 5: "0.01"}
    fixed = run({"X": pair(rates, ["100"] * 5)}, initial_capital=1000)
    grown = run({"X": pair(rates, ["100"] * 5)}, initial_capital=1000, sizing_base="equity")
    assert [trade.quantity for trade in fixed.trades] == [5, 5]
    assert [trade.quantity for trade in grown.trades] == [5, 6]


def test_the_ledger_adds_up_exactly() -> None:
    rates = {hour: "0.0007" if hour % 3 else "-0.0001" for hour in range(1, 60)}
    prices = [str(100 + (7 * hour) % 13) for hour in range(60)]
    result = run({"X": pair(rates, prices)}, spot_taker="0.001", perp_taker="0.0005", slippage_bps=5)
    metrics = result.metrics
    assert metrics.total_trades > 5
    assert metrics.net_pnl == metrics.total_funding + metrics.price_pnl - metrics.total_fees
    assert metrics.net_pnl == sum(trade.net_pnl for trade in result.trades)
    assert result.equity[-1][1] == metrics.final_equity == 10000 + metrics.net_pnl


def test_scaling_units_by_a_thousand_changes_no_money() -> None:
    rates = {hour: "0.0007" if hour % 4 else "-0.0001" for hour in range(1, 40)}
    base = run({"X": pair(rates, [str(100 + hour % 9) for hour in range(40)])})
    small = pair(rates, [str(Decimal(100 + hour % 9) / 1000) for hour in range(40)])
    small["instrument"] = {**RULES, "qty_step": "1000", "min_qty": "1000"}
    assert run({"X": small}).metrics == base.metrics


def test_the_identity_of_a_run_follows_parameters_and_data() -> None:
    market = {"X": pair({1: "0.01", 2: "0.01"}, ["100"] * 2)}
    same = {run(market).run_key, run(market, initial_capital="10000.0").run_key}
    assert len(same) == 1
    assert run(market, initial_capital=10001).run_key not in same
    market["X"]["funding"][1] = (START + 2 * HOUR_MS, "0.02", 8, None)
    assert run(market).run_key not in same


def test_a_window_without_settlements_is_refused() -> None:
    with pytest.raises(Exception, match=r"start: no settlement is held from 2024-01-02"):
        run({"X": pair({1: "0.01"}, ["100"] * 40)}, start="2024-01-02", end="2024-01-03")
