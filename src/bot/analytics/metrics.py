"""Statistics of an equity curve and its trades. Ratios are float64, None where undefined.

Sums are taken with `math.fsum` and powers in 40 digits, so every machine gets the same bits.
"""

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal, Overflow

from bot.models import DAY_MS
from bot.money import EXACT, ONE, ZERO

EquityCurve = Sequence[tuple[int, Decimal]]
DAYS_PER_YEAR = 365
_YEAR_MS = DAYS_PER_YEAR * DAY_MS


def max_drawdown(equity: Iterable[Decimal], initial: Decimal) -> tuple[Decimal, float]:
    """Return the deepest fall from a running peak, in money and as a fraction of its peak.

    The peak starts at `initial` (positive); the two need not happen at the same moment.
    """
    peak, deepest, deepest_share = initial, ZERO, 0.0
    before = initial
    for value in equity:
        if value is before:
            continue
        before = value
        if value >= peak:
            peak = value
            continue
        fall = peak - value
        deepest = max(deepest, fall)
        deepest_share = max(deepest_share, float(fall / peak))
    return deepest, deepest_share


def daily_returns(equity: EquityCurve, initial: Decimal) -> list[float] | None:
    """Return the returns of UTC days, from the first point's day to the last's, oldest first.

    A day's equity is its last point before midnight; a day without points repeats the day before.
    None if the equity that a return is taken on is not positive.
    """
    returns: list[float] = []
    before = initial
    for closing in _daily_closes(equity):
        if before <= 0:
            return None
        returns.append(float((closing - before) / before) if closing != before else 0.0)
        before = closing
    return returns


def _daily_closes(equity: EquityCurve) -> Iterable[Decimal]:
    day = equity[0][0] // DAY_MS
    closing = equity[0][1]
    for t_ms, value in equity:
        while t_ms // DAY_MS > day:
            yield closing
            day += 1
        closing = value
    yield closing


def volatility(returns: Sequence[float], periods_per_year: int = DAYS_PER_YEAR) -> float | None:
    """Return the annualised standard deviation (ddof 1); None for fewer than two returns."""
    deviation = _deviation(returns)
    return None if deviation is None else deviation * math.sqrt(periods_per_year)


def sharpe_ratio(returns: Sequence[float], periods_per_year: int = DAYS_PER_YEAR) -> float | None:
    """Return annualised mean over deviation; None for fewer than two returns or no deviation."""
    deviation = _deviation(returns)
    if not deviation:
        return None
    return _mean(returns) / deviation * math.sqrt(periods_per_year)


def sortino_ratio(returns: Sequence[float], periods_per_year: int = DAYS_PER_YEAR) -> float | None:
    """Return annualised mean over downside deviation; None for fewer than two or no losing returns."""
    if len(returns) < 2:
        return None
    downside = math.sqrt(math.fsum(value * value for value in returns if value < 0) / len(returns))
    return _mean(returns) / downside * math.sqrt(periods_per_year) if downside else None


def annualized_return(initial: Decimal, final: Decimal, elapsed_ms: int) -> float | None:
    """Return the compound growth per 365 days; None for no time, a lost account, or no finite value."""
    if elapsed_ms <= 0 or final <= 0:
        return None
    years = EXACT.divide(Decimal(elapsed_ms), Decimal(_YEAR_MS))
    try:
        growth = EXACT.power(EXACT.divide(final, initial), EXACT.divide(ONE, years))
    except Overflow:
        return None
    rate = float(EXACT.subtract(growth, ONE))
    return rate if math.isfinite(rate) else None


def ratio(numerator: float | None, denominator: float | None) -> float | None:
    """Return numerator over denominator; None if one is missing or the denominator is zero."""
    if numerator is None or not denominator:
        return None
    return numerator / denominator


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _deviation(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
