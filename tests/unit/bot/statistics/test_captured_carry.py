"""Captured carry by the trades alone equals the sum over the payments one by one."""

from decimal import Decimal
from typing import Any

from builders import market_data, run_config
from hypothesis import given, settings
from reference.markets import runs
from toy_market import START, candles, configured, pair, window

from bot.backtest import Baselines, ReplayWindow, RunResult, replay
from bot.config.run_config import RunConfig
from bot.models import HOUR_MS, CloseReason, FundingPayment
from bot.statistics.carry import CarryComparison


def beside(config: RunConfig, shown: ReplayWindow) -> tuple[RunResult, RunResult, CarryComparison]:
    baselines = Baselines(shown)
    run = replay(config, shown)
    return run, baselines.of(config), baselines.compare(run)


def kind_of_miss(run: RunResult, payment: FundingPayment) -> str | None:
    """Return when a settlement was missed, None if it was not."""
    if any((own.symbol, own.t_ms) == (payment.symbol, payment.t_ms) for own in run.payments):
        return None
    trades = [trade for trade in run.trades if trade.symbol == payment.symbol]
    if all(payment.t_ms <= trade.opened_at_ms for trade in trades):
        return "before"
    return "after" if all(payment.t_ms > trade.closed_at_ms for trade in trades) else "between"


def total(amounts: list[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def assert_agrees_with_payments(run: RunResult, hold: RunResult, carry: CarryComparison) -> None:
    missed: dict[str | None, list[Decimal]] = {"before": [], "between": [], "after": [], None: []}
    for payment in hold.payments:
        missed[kind_of_miss(run, payment)].append(payment.amount)
    assert carry.missed_before_entry == total(missed["before"])
    assert carry.missed_between == total(missed["between"])
    assert carry.missed_after_exit == total(missed["after"])
    available = total([payment.amount for payment in hold.payments])
    captured = total([payment.amount for payment in run.payments])
    assert carry.available_funding == available
    assert carry.captured_share == (float(captured / available) if available > 0 else None)
    assert carry.extra_round_trips == len(run.trades) - len(hold.trades)
    assert carry.extra_fees == run.metrics.total_fees - hold.metrics.total_fees


@settings(max_examples=200, derandomize=True)
@given(runs())
def test_generated_markets(drawn: tuple[dict[str, Any], dict[str, Any]]) -> None:
    market, values = drawn
    config = run_config(**values)
    rows = {symbol: market[symbol] for symbol in config.symbols}
    assert_agrees_with_payments(*beside(config, ReplayWindow.build(config, market_data(rows, config.end))))


def test_a_settlement_at_the_moment_of_a_liquidation_is_missed_between_trades() -> None:
    prices = ["120", *["100"] * 5]
    rates = {1: "0.0001", **dict.fromkeys(range(2, 7), "0.01")}
    market = {"X": pair(rates, prices, mark=candles(prices, {4: "215"}))}
    config = configured(market, initial_capital=1000, min_funding_rate="0.001", exit_funding_rate="0")
    run, hold, carry = beside(config, window(market, config))
    assert [(trade.reason, trade.closed_at_ms - START) for trade in run.trades] == [
        (CloseReason.LIQUIDATION, 4 * HOUR_MS),
        (CloseReason.END, 6 * HOUR_MS),
    ]
    assert [trade.reason for trade in hold.trades] == [CloseReason.END]
    assert_agrees_with_payments(run, hold, carry)


def test_a_run_that_never_entered_has_missed_everything_before_its_entry() -> None:
    market = {"X": pair(dict.fromkeys(range(1, 5), "0.001"), ["100"] * 4)}
    config = configured(market, initial_capital=1000, min_funding_rate="1")
    _, hold, carry = beside(config, window(market, config))
    assert carry.missed_before_entry == carry.available_funding == hold.metrics.total_funding > 0
    assert (carry.missed_between, carry.missed_after_exit, carry.captured_share) == (0, 0, 0)
