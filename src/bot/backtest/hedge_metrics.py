"""Metrics of the hedges of a run of spot against a perp, worked out once it is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from bot.accounting import formulas
from bot.accounting.margin import MarginedLeg, margin_model
from bot.accounting.regimes import Regime
from bot.config.run_config import RunConfig
from bot.market.window import ReplayWindow
from bot.models import Trade
from bot.numbers.money import ZERO, book, exact, scaled
from bot.statistics.hedge_metrics import HedgeMetrics
from bot.statistics.metrics import finite
from bot.trading.payments import PaymentBook


@dataclass(frozen=True, slots=True)
class _Tied:
    """Capital that a trade tied, and the events after whose entries it did: from `first` to before `end`."""

    spot: Decimal
    margin: Decimal
    first: int
    end: int


def hedge_metrics(
    config: RunConfig, window: ReplayWindow, trades: Sequence[Trade], paid: PaymentBook
) -> HedgeMetrics:
    """Return the metrics of the hedges of a run that is over.

    Source: docs/domain.md, section 9.
    """
    with exact():
        long_pnl = sum((_spot_pnl(trade) for trade in trades), ZERO)
        price_pnl = sum((trade.price_pnl for trade in trades), ZERO)
        net = sum((trade.net_pnl for trade in trades), ZERO)
        tied = [_tied(trade, config.perp_leverage, window) for trade in trades]
        funding = paid.by_regime(config.regime_high)
        average = _average(tied, window.calendar.moments)
        return HedgeMetrics(
            long_pnl=long_pnl,
            short_pnl=price_pnl - long_pnl,
            borrow_cost=ZERO,
            transfer_cost=ZERO,
            funding_negative=funding[Regime.NEGATIVE],
            funding_neutral=funding[Regime.NEUTRAL],
            funding_high=funding[Regime.HIGH],
            avg_capital_tied=average,
            max_margin_used=_most_margin(tied),
            capacity=None,
            adl_closures=0,
            top_ups=0,
            reductions=0,
            capped_entries=0,
            return_on_capital_tied=_ratio(net, average),
            capital_efficiency=None if average is None else _ratio(average, config.initial_capital),
            min_liquidation_distance=_least_distance(config, window, trades),
        )


def _spot_pnl(trade: Trade) -> Decimal:
    cost = formulas.notional(trade.quantity, trade.spot_entry)
    return formulas.spot_pnl(trade.structure.spot, trade.quantity, cost, trade.spot_exit)


def _tied(trade: Trade, leverage: Decimal, window: ReplayWindow) -> _Tied:
    held = [trade.opened_at_ms, trade.closed_at_ms]
    first, end = np.searchsorted(window.calendar.times_ms, held).tolist()
    margin = formulas.locked_margin(trade.quantity, trade.perp_entry, leverage)
    return _Tied(formulas.notional(trade.quantity, trade.spot_entry), margin, first, end)


def _average(tied: Sequence[_Tied], times: Sequence[int]) -> Decimal | None:
    """Return the booked mean over time of what is tied; None for a single event."""
    elapsed_ms = times[-1] - times[0]
    if not elapsed_ms:
        return None
    weighed = sum(((one.spot + one.margin) * (times[one.end] - times[one.first]) for one in tied), ZERO)
    return book(weighed / elapsed_ms)


def _most_margin(tied: Sequence[_Tied]) -> Decimal:
    """Return the largest sum of margins after the entries of an event."""
    changes: dict[int, Decimal] = {}
    for one in tied:
        changes[one.first] = changes.get(one.first, ZERO) + one.margin
        changes[one.end] = changes.get(one.end, ZERO) - one.margin
    most = used = ZERO
    for place in sorted(changes):
        used += changes[place]
        most = max(most, used)
    return most


def _least_distance(config: RunConfig, window: ReplayWindow, trades: Sequence[Trade]) -> float | None:
    """Return how near a mark candle came to liquidating a short, as a share of its high; None without one."""
    marks = {symbol: window.mark_columns(symbol) for symbol in {trade.symbol for trade in trades}}
    least: Fraction | None = None
    for trade in trades:
        own = marks[trade.symbol]
        held = [trade.opened_at_ms, trade.closed_at_ms]
        first, end = np.searchsorted(own.closed_ms, held, side="right").tolist()
        if first == end:
            continue
        high = scaled(int(own.high.mantissas[first:end].max()), own.high.exponent)
        margin = formulas.locked_margin(trade.quantity, trade.perp_entry, config.perp_leverage)
        leg = MarginedLeg(trade.structure.perp, margin, trade.quantity, trade.perp_entry)
        model = margin_model(window.instruments[trade.symbol], config.margin_exit_ratio)
        backing, need = model.terms(leg, Decimal(1))
        distance = Fraction(backing) / (Fraction(need) * Fraction(high)) - 1
        least = distance if least is None else min(least, distance)
    return None if least is None else float(least)


def _ratio(amount: Decimal, base: Decimal | None) -> float | None:
    return finite(float(Fraction(amount) / Fraction(base))) if base else None
