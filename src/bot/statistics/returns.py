"""Statistics of periodic returns, of many curves at once.

Sums run strictly from the oldest to the newest return and everything else is one IEEE operation an element,
so every machine, and every number of curves, gives the same bits. Undefined statistics are NaN.
"""

import math
from dataclasses import dataclass
from typing import Self, cast

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.statistics.metrics import ratio


@dataclass(frozen=True, slots=True, eq=False)
class Returns:
    """Returns of curves over `periods` equal periods: those that are not zero, curve by curve.

    Curve n has `counts[n]` of them, the oldest first. Of `broken` curves nothing is known but that they
    have no returns to speak of.
    """

    values: FloatArray
    counts: IntArray
    periods: int
    broken: BoolArray

    @classmethod
    def of_matrix(cls, returns: FloatArray) -> Self:
        """Return the rows of a matrix (curves x periods); a curve with a NaN is broken."""
        broken, some = np.asarray(np.isnan(returns).any(axis=1)), returns != 0
        some[broken] = False
        return cls(returns[some], np.count_nonzero(some, axis=1), returns.shape[1], broken)


def year_ratios(returns: Returns, periods_per_year: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return annualised volatility, Sharpe and Sortino ratio.

    All are NaN below two periods; Sharpe also at zero deviation, Sortino also without a loss. Volatility is
    the standard deviation (ddof 1), the ratios are means over deviations and over downside deviations.
    """
    values, counts, periods = returns.values, returns.counts, returns.periods
    if periods < 2:
        undefined = np.full(len(counts), np.nan)
        return undefined, undefined, undefined
    owners, year = np.arange(len(counts)).repeat(counts), math.sqrt(periods_per_year)

    def sums(amounts: FloatArray) -> FloatArray:
        return cast("FloatArray", np.bincount(owners, weights=amounts, minlength=len(counts)))

    means = sums(values) / float(periods)
    distances = values - means[owners]
    squares = sums(distances * distances) + (periods - counts) * (means * means)
    deviations = np.where(_constant(returns), 0.0, np.sqrt(squares / (periods - 1)))
    losses = np.minimum(values, 0.0)
    downside = np.sqrt(sums(losses * losses) / periods)
    deviations[returns.broken] = np.nan
    return deviations * year, ratio(means, deviations) * year, ratio(means, downside) * year


def _constant(returns: Returns) -> BoolArray:
    """Return the mask of curves with the same return in every period."""
    counts = returns.counts
    constant = np.asarray(counts == 0)
    full = np.flatnonzero(counts == returns.periods)
    for curve, end in zip(full.tolist(), counts.cumsum()[full].tolist(), strict=True):
        values = returns.values[end - returns.periods : end]
        constant[curve] = values.min() == values.max()
    return constant
