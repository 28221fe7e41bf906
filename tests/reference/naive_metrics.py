"""Metrics of a run from its trades and equity curve; statistics are worked out in 60 digits.

The statistics are returned as the float64 nearest to the true value, so that a comparison at 1e-9
measures the other implementation's rounding, not two of them.
"""

import math
from collections.abc import Sequence
from decimal import Context, Decimal, Overflow, localcontext
from fractions import Fraction
from itertools import pairwise

from tests.reference.naive_track_record import track_record
from tests.reference.naive_trades import Trade

DAY_MS = 86_400_000
YEAR_MS = 365 * DAY_MS
_UNITS = 10**8
"""Of money in the returns that become whole numbers, so that their last bit is that of the contract's."""
Curve = Sequence[tuple[int, Fraction]]
Metric = Fraction | int | float | None


def metrics_of(
    initial: Fraction, curve: Curve, trades: Sequence[Trade], *, skipped: int, payments: int, events_held: int
) -> dict[str, Metric]:
    """Return every metric of a run by name: money as fractions, counts, and statistics or None."""
    results = [trade.net_pnl for trade in trades]
    held_hours = sum(
        (Fraction(trade.closed_at - trade.opened_at, 3_600_000) for trade in trades), Fraction(0)
    )
    drawdowns = _drawdowns(initial, curve)
    return {
        "net_pnl": sum(results, Fraction(0)),
        "total_funding": sum((trade.funding for trade in trades), Fraction(0)),
        "price_pnl": sum((trade.price_pnl for trade in trades), Fraction(0)),
        "total_fees": sum((trade.fees for trade in trades), Fraction(0)),
        "max_drawdown": max(fall for fall, _ in drawdowns),
        "final_equity": curve[-1][1],
        "total_trades": len(trades),
        "winning_trades": sum(result > 0 for result in results),
        "liquidations": sum(trade.reason == "liquidation" for trade in trades),
        "margin_exits": sum(trade.reason == "margin" for trade in trades),
        "delistings": sum(trade.reason == "delisted" for trade in trades),
        "skipped_entries": skipped,
        "funding_payments": payments,
        "win_rate": _ratio(sum(result > 0 for result in results), len(trades)),
        "profit_factor": _ratio(
            sum(result for result in results if result > 0), -sum(result for result in results if result < 0)
        ),
        "time_in_market": _ratio(events_held, len(curve)),
        "avg_holding_hours": _ratio(held_hours, len(trades)),
        "max_drawdown_pct": float(max(share for _, share in drawdowns)),
        **curve_statistics(initial, curve),
    }


def curve_statistics(initial: Fraction, curve: Curve) -> dict[str, Metric]:
    """Return the statistics that depend on the equity curve alone."""
    annualized = annualized_return(initial, curve)
    worst = max(share for _, share in _drawdowns(initial, curve))
    calmar = None if annualized is None or worst == 0 else annualized / float(worst)
    return {
        "total_return": float(curve[-1][1] / initial - 1),
        "annualized_return": annualized,
        "calmar": calmar if calmar is not None and math.isfinite(calmar) else None,
        **daily_statistics(daily_equity(initial, curve)),
        **track_record(curve[0][0] // DAY_MS, _float_returns(daily_equity(initial, curve))),
    }


def annualized_return(initial: Fraction, curve: Curve) -> float | None:
    """Return the compound return per year of 365 days, None where undefined."""
    years = Fraction(curve[-1][0] - curve[0][0], YEAR_MS)
    growth = curve[-1][1] / initial
    if years == 0 or growth <= 0:
        return None
    with localcontext(Context(prec=60)):
        try:
            result = float(_decimal(growth) ** _decimal(1 / years) - 1)
        except Overflow:
            return None
    return result if math.isfinite(result) else None


def daily_equity(initial: Fraction, curve: Curve) -> list[Fraction]:
    """Return the initial capital, then the last equity of each UTC day from the first event's on."""
    days = range(curve[0][0] // DAY_MS, curve[-1][0] // DAY_MS + 1)
    values = [initial]
    by_day = {t // DAY_MS: equity for t, equity in curve}
    for day in days:
        values.append(by_day.get(day, values[-1]))
    return values


def daily_statistics(values: Sequence[Fraction]) -> dict[str, Metric]:
    """Return volatility, Sharpe and Sortino of equally spaced daily values, the first being the capital."""
    undefined: dict[str, Metric] = {"volatility": None, "sharpe": None, "sortino": None}
    if len(values) < 3 or any(value <= 0 for value in values[:-1]):
        return undefined
    returns = [after / before - 1 for before, after in pairwise(values)]
    with localcontext(Context(prec=60)):
        return undefined | _annualized_statistics([_decimal(value) for value in returns])


def _float_returns(values: Sequence[Fraction]) -> list[float] | None:
    if any(value <= 0 for value in values[:-1]):
        return None
    return [float(_UNITS * (after - before)) / float(_UNITS * before) for before, after in pairwise(values)]


def _annualized_statistics(returns: Sequence[Decimal]) -> dict[str, Metric]:
    mean = sum(returns, Decimal(0)) / len(returns)
    squares = sum(((value - mean) ** 2 for value in returns), Decimal(0))
    deviation = (squares / (len(returns) - 1)).sqrt() if len(set(returns)) > 1 else Decimal(0)
    downside = (sum((min(value, Decimal(0)) ** 2 for value in returns), Decimal(0)) / len(returns)).sqrt()
    year = Decimal(365).sqrt()
    return {
        "volatility": float(deviation * year),
        "sharpe": float(mean / deviation * year) if deviation else None,
        "sortino": float(mean / downside * year) if downside else None,
    }


def _drawdowns(initial: Fraction, curve: Curve) -> list[tuple[Fraction, Fraction]]:
    peak, falls = initial, []
    for _, equity in curve:
        peak = max(peak, equity)
        falls.append((peak - equity, (peak - equity) / peak))
    return falls


def _ratio(numerator: Fraction | int, denominator: Fraction | int) -> float | None:
    return float(Fraction(numerator) / denominator) if denominator else None


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)
