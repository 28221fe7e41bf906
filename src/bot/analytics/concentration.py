"""Is a result broad, or made by one lucky trade or month? Ratios are float64, None where undefined."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from bot.analytics.metrics import EquityCurve
from bot.models import DAY_MS


def best_share(gains: Sequence[Decimal], total: Decimal) -> float | None:
    """Return the largest of `gains` over their `total`; None unless the total is a profit."""
    return float(max(gains) / total) if gains and total > 0 else None


def monthly_gains(equity: EquityCurve, initial: Decimal) -> list[Decimal]:
    """Return the change of equity in each UTC month that has points, oldest first."""
    gains: list[Decimal] = []
    month, before, value = _month(equity[0][0]), initial, initial
    for t_ms, point in equity:
        if _month(t_ms) != month:
            gains.append(value - before)
            month, before = _month(t_ms), value
        value = point
    return [*gains, value - before]


def longest_drawdown_days(equity: EquityCurve, initial: Decimal) -> float:
    """Return the longest time from a peak to its recovery, in days; 0 if the curve never falls.

    The peak starts at `initial` with the first point; a fall without recovery lasts to the last point.
    """
    peak, peak_ms, longest_ms = initial, equity[0][0], 0
    fallen = False
    for t_ms, value in equity:
        if value < peak:
            fallen = True
            continue
        if fallen:
            longest_ms = max(longest_ms, t_ms - peak_ms)
        peak, peak_ms, fallen = value, t_ms, False
    if fallen:
        longest_ms = max(longest_ms, equity[-1][0] - peak_ms)
    return longest_ms / DAY_MS


def settlements_to_break_even(fees: Decimal, trades: int, funding: Decimal, payments: int) -> float | None:
    """Return how many average settlements repay the fees of an average round trip.

    None without trades, or where the average settlement earns nothing.
    """
    if not trades or not payments or funding <= 0:
        return None
    return float((fees / trades) / (funding / payments))


def _month(t_ms: int) -> tuple[int, int]:
    moment = datetime.fromtimestamp(t_ms // 1000, tz=UTC)
    return moment.year, moment.month
