"""Track records of many trials as columns, each over the days of its own run: what is stored with a trial."""

import math
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np

from bot.numbers.arrays import FloatArray
from bot.selection.days.calendar import Calendar
from bot.selection.days.week_shifts import own_deviations, shift_squares
from bot.selection.days.whole_returns import whole_returns
from bot.selection.sharpe import moments, powers, split_sums
from bot.selection.track.track_record import chances_above, error_square

_ROWS = 512


class SampleMoments(NamedTuple):
    """Moments of the whole returns of n trials over the sample of a calendar, NaN where these do not vary.

    `sharpe` is daily, `kurtosis` raw; `shifts` are the `week_shifts.shift_squares`.
    """

    sharpe: FloatArray
    deviation: FloatArray
    skewness: FloatArray
    kurtosis: FloatArray
    shifts: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class TrackColumns:
    """Track records of n trials, NaN where undefined.

    `psr` is the probability that the true Sharpe ratio is positive, `t_eff` the number of independent days
    that the sample is worth; `skewness` and raw `kurtosis` are of the daily returns.
    """

    psr: FloatArray
    t_eff: FloatArray
    skewness: FloatArray
    kurtosis: FloatArray

    @classmethod
    def of(cls, first_day: date, returns: FloatArray) -> Self:
        """Return the records of daily returns (n x days) from `first_day` on; a row with a NaN has none."""
        trials, days = returns.shape
        calendar = shared_calendar(first_day, days)
        if calendar.unfit or not trials:
            return cls.none(trials)
        pieces = [returns[first : first + _ROWS] for first in range(0, trials, _ROWS)]
        found = [_moments(calendar, whole_returns(some).values) for some in pieces]
        return cls.of_moments(calendar, SampleMoments(*map(np.concatenate, zip(*found, strict=True))))

    @classmethod
    def of_moments(cls, calendar: Calendar, of: SampleMoments) -> Self:
        """Return the records that follow from moments over the sample of a calendar."""
        n = calendar.sample_days
        tau = own_deviations(calendar, of.shifts, of.deviation)
        t_eff = np.where(np.isnan(of.sharpe), np.nan, np.fmin(n - 1, 1 / (tau * tau)))
        square = error_square(n, of.sharpe, of.skewness, of.kurtosis, t_eff)
        with np.errstate(invalid="ignore"):
            scores = of.sharpe / np.sqrt(square)
        return cls(chances_above(scores), t_eff, of.skewness, of.kurtosis)

    def by_name(self) -> dict[str, FloatArray]:
        """Return the columns by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def none(cls, trials: int) -> Self:
        """Return trials without a record."""
        return cls(*np.full((4, trials), math.nan))


@lru_cache(maxsize=8)
def shared_calendar(first_day: date, days: int) -> Calendar:
    """Return one calendar for all trials of a window, so that its weeks are drawn once."""
    return Calendar(first_day, days)


def _moments(calendar: Calendar, values: FloatArray) -> SampleMoments:
    """Return the moments of whole returns (trials x days)."""
    n, sums = calendar.sample_days, powers(split_sums(values[:, calendar.sample_start :]))
    spreads = n * sums[1] - sums[0] * sums[0]
    varied = np.flatnonzero(spreads)
    found = SampleMoments(*np.full((5, len(values)), math.nan))
    found.shifts[:] = shift_squares(calendar, calendar.weekly(values))
    if not len(varied):
        return found
    first, *others = (one[varied] for one in sums)
    variance, third, fourth = (one.astype(np.float64) for one in moments(n, first, *others))
    found.deviation[varied] = np.sqrt((spreads[varied] / (n * (n - 1))).astype(np.float64))
    found.sharpe[varied] = (first / n).astype(np.float64) / found.deviation[varied]
    found.skewness[varied] = third / variance / np.sqrt(variance)
    found.kurtosis[varied] = fourth / (variance * variance)
    return found
