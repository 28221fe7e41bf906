"""Thresholds that a window's own rates suggest, so that a first run over it trades."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil, floor, log10
from typing import Any

import numpy as np

from bot.market.series import CandleSeries
from bot.numbers.arrays import FloatArray, IntArray
from bot.numbers.money import plain

DIGITS = 2
NOTHING_PAID = ("hardly any settlement of this window paid the short: there is nothing to enter for",)
_CANDLES_OF_A_DAY = 24


@dataclass(frozen=True, slots=True, eq=False)
class WindowFigures:
    """Pairs at their settlements in a window, all together, one value each.

    `rates_8h` are fractions per 8 hours, `volumes` the quote volume of the newest 24 perp candles, `basis`
    (perp - spot) / spot and `ages_hours` how long before the older of both prices closed, all NaN without
    candles; `interval_hours` is the shortest interval.
    """

    rates_8h: FloatArray
    volumes: FloatArray
    basis: FloatArray
    ages_hours: FloatArray
    interval_hours: int

    def rate(self, share: float) -> float:
        """Return the rate per 8 h that `share` of the settlements do not exceed, one that occurred."""
        return float(np.quantile(self.rates_8h, share, method="inverted_cdf"))


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Parameters of one run, axes of a sweep, and what they are, in sentences; values as they are written."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def __or__(self, other: "Suggestion") -> "Suggestion":
        """Return both, the other one last."""
        return Suggestion(
            {**self.parameters, **other.parameters},
            {**self.grid, **other.grid},
            (*self.notes, *other.notes),
        )

    def document(self) -> dict[str, Any]:
        """Return the suggestion as JSON values."""
        return {"parameters": dict(self.parameters), "grid": dict(self.grid), "notes": list(self.notes)}


def rounded(value: float, digits: int = DIGITS) -> str:
    """Return a number as plain text, cut towards zero to some significant digits."""
    if not value:
        return "0"
    exponent = floor(log10(abs(value))) - digits + 1
    number = Decimal(repr(value)).scaleb(-exponent)
    return plain(Decimal(int(number)).scaleb(exponent))


def in_bps(rate: str) -> str:
    """Return a rate, a fraction as text, in basis points."""
    return plain(Decimal(rate) * 10_000)


def daily_volumes(times_ms: IntArray, perp: CandleSeries) -> FloatArray:
    """Return the quote volume of the 24 newest candles that are closed at each time, NaN before the first."""
    traded = np.concatenate([[0.0], np.cumsum(_floats(perp.volume) * _floats(perp.close))])
    closed = np.searchsorted(perp.open_ms + perp.timeframe_ms, times_ms, side="right")
    sums = traded[closed] - traded[np.maximum(closed - _CANDLES_OF_A_DAY, 0)]
    return np.asarray(np.where(closed > 0, sums, np.nan), dtype=np.float64)


def _floats(column: Any) -> FloatArray:
    return np.asarray(column.mantissas.astype(np.float64) * 10.0**column.exponent, dtype=np.float64)


def price_age(figures: WindowFigures, default: Decimal) -> Suggestion:
    """Return the price age, in whole hours, that nearly all settlements need, if it is above the default."""
    known = figures.ages_hours[~np.isnan(figures.ages_hours)]
    if not len(known) or float(np.quantile(known, 0.5)) <= default:
        return Suggestion()
    hours = ceil(float(np.quantile(known, 0.95)))
    note = f"the newest candles closed up to {hours} h before settlements: max_price_age_hours {hours}"
    return Suggestion({"max_price_age_hours": hours}, {}, (note,))


def volume_floor(figures: WindowFigures, default: Decimal) -> str | None:
    """Return a least 24 h volume that nine of ten settlements reach, None where they reach the default."""
    known = figures.volumes[~np.isnan(figures.volumes)]
    if not len(known):
        return None
    low = float(np.quantile(known, 0.1, method="inverted_cdf"))
    return None if low >= default else rounded(low, 1)
