"""Basis at settlements: the perp's price relative to spot."""

from dataclasses import dataclass

import numpy as np

from bot.market.series import CandleSeries
from bot.numbers.arrays import FloatArray, IntArray
from bot.numbers.columns import DecimalColumn
from bot.signals.basis import basis


@dataclass(frozen=True, slots=True)
class BasisFigures:
    """The basis at the settlements whose two prices are known; fractions of spot."""

    known: int
    mean: float
    deviation: float | None
    lowest: float
    highest: float
    latest: float


def basis_at(times: IntArray, spot: CandleSeries, perp: CandleSeries, max_age_ms: int) -> FloatArray:
    """Return the basis as of each of `times`, from the newest closed candles of both legs.

    NaN where one leg has none, or only one that closed more than `max_age_ms` before.
    """
    return basis(_closes_at(times, spot, max_age_ms), _closes_at(times, perp, max_age_ms))


def basis_figures(values: FloatArray) -> BasisFigures | None:
    """Return the figures of those values that are known, None without any."""
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    return BasisFigures(
        known=len(known),
        mean=float(known.mean()),
        deviation=float(known.std(ddof=1)) if len(known) > 1 else None,
        lowest=float(known.min()),
        highest=float(known.max()),
        latest=float(known[-1]),
    )


def _closes_at(times: IntArray, candles: CandleSeries, max_age_ms: int) -> FloatArray:
    if not len(candles):
        return np.full(len(times), np.nan)
    closed = candles.open_ms + candles.timeframe_ms
    newest = np.searchsorted(closed, times, side="right") - 1
    fresh = (newest >= 0) & (times - closed[newest] <= max_age_ms)
    return np.where(fresh, _floats(candles.close)[newest], np.nan)


def _floats(column: DecimalColumn) -> FloatArray:
    return np.asarray(column.mantissas.astype(np.float64) / 10.0**-column.exponent, dtype=np.float64)
