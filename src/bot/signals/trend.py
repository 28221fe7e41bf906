"""Trend sub-score: the exponential average of the funding rate compared with itself one span ago."""

from collections import deque
from decimal import Decimal

AVERAGE_PLACES = 12
_STEP = Decimal(1).scaleb(-AVERAGE_PLACES)
RISING, STABLE, FALLING = Decimal(1), Decimal("0.5"), Decimal(0)


def next_average(average: Decimal | None, rate_8h: Decimal, span: int) -> Decimal:
    """Return the moving average after one more rate, at 12 places; `average` is None at the first."""
    if average is None:
        return rate_8h.quantize(_STEP)
    return ((2 * rate_8h + (span - 1) * average) / (span + 1)).quantize(_STEP)


def trend_score(change: Decimal | None, stable_threshold: Decimal) -> Decimal:
    """Return 1 for rising, 0 for falling, 0.5 for stable or not known yet.

    `change` is the average's change over one span, per 8 hours.
    """
    if change is None or -stable_threshold <= change <= stable_threshold:
        return STABLE
    return RISING if change > 0 else FALLING


class RateAverage:
    """The moving average of one pair's rates, remembered over one span."""

    __slots__ = ("_averages", "_span")

    def __init__(self, span: int) -> None:
        self._span = span
        self._averages: deque[Decimal] = deque(maxlen=span + 1)

    def add(self, rate_8h: Decimal) -> None:
        """Take in the next rate per 8 hours."""
        newest = self._averages[-1] if self._averages else None
        self._averages.append(next_average(newest, rate_8h, self._span))

    @property
    def change(self) -> Decimal | None:
        """Change of the average over one span, None before a whole span is known."""
        known = self._averages
        return known[-1] - known[0] if len(known) > self._span else None
