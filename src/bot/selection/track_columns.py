"""Track records of many trials as columns, each over the days of its own run: what is stored with a trial."""

import math
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Self

import numpy as np

from bot.numbers.arrays import FloatArray
from bot.selection.days.calendar import Calendar
from bot.selection.days.whole_returns import whole_returns
from bot.selection.sharpe import SPLIT_SUMS, moments, powers, split_sums
from bot.selection.track_record import chance_above, error_square
from bot.selection.week_shifts import own_deviations

_ROWS = 512


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
        if not record_sums(calendar):
            return cls.none(trials)
        sums = np.empty((trials, record_sums(calendar)))
        for first in range(0, trials, _ROWS):
            some = slice(first, first + _ROWS)
            values = whole_returns(returns[some]).values
            sums[some, :SPLIT_SUMS] = split_sums(values[:, calendar.sample_start :])
            sums[some, SPLIT_SUMS:] = calendar.weekly(values)
        return cls.of_sums(first_day, days, sums)

    @classmethod
    def of_sums(cls, first_day: date, days: int, sums: FloatArray) -> Self:
        """Return the records of trials from their `record_sums`; equal rows are worked out once."""
        calendar = shared_calendar(first_day, days)
        if not sums.size:
            return cls.none(len(sums))
        places: dict[bytes, int] = {}
        of = np.array([places.setdefault(row.tobytes(), len(places)) for row in sums], dtype=np.int64)
        distinct = sums[np.unique(of, return_index=True)[1]]
        pieces = [distinct[first : first + _ROWS] for first in range(0, len(distinct), _ROWS)]
        return cls(*np.concatenate([_records(calendar, some) for some in pieces])[of].T.copy())

    def by_name(self) -> dict[str, FloatArray]:
        """Return the columns by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def none(cls, trials: int) -> Self:
        """Return trials without a record."""
        return cls(*np.full((4, trials), math.nan))


def record_sums(calendar: Calendar) -> int:
    """Return the number of sums that a record is made from, 0 where the days are too few or too many for one.

    They are the `SPLIT_SUMS` of the whole returns of the sample, then the sum of each of its weeks; 0 for
    trials without statistics.
    """
    return 0 if calendar.unfit else SPLIT_SUMS + calendar.weeks


@lru_cache(maxsize=8)
def shared_calendar(first_day: date, days: int) -> Calendar:
    """Return one calendar for all trials of a window, so that its weeks are drawn once."""
    return Calendar(first_day, days)


def _records(calendar: Calendar, rows: FloatArray) -> FloatArray:
    """Return a row of psr, t_eff, skewness and kurtosis for each trial, as `TrackRecord` has them."""
    n = calendar.sample_days
    found = np.full((len(rows), 4), math.nan)
    first, second, third, fourth = powers(rows[:, :SPLIT_SUMS])
    spreads = n * second - first * first
    varied = np.flatnonzero(spreads)
    if not len(varied):
        return found
    sums = [one[varied] for one in (first, second, third, fourth)]
    variance, third_moment, fourth_moment = (one.astype(np.float64) for one in moments(n, *sums))
    deviation = np.sqrt((spreads[varied] / (n * (n - 1))).astype(np.float64))
    sharpe = (sums[0] / n).astype(np.float64) / deviation
    skewness = third_moment / variance / np.sqrt(variance)
    kurtosis = fourth_moment / (variance * variance)
    tau = own_deviations(calendar, rows[varied, SPLIT_SUMS:], deviation)
    t_eff = np.fmin(n - 1, 1 / (tau * tau))
    square = error_square(n, sharpe, skewness, kurtosis, t_eff)
    with np.errstate(invalid="ignore"):
        scores = sharpe / np.sqrt(square)
    psr = [math.nan if math.isnan(one) else chance_above(one) for one in scores.tolist()]
    found[varied] = np.stack([psr, t_eff, skewness, kurtosis], axis=1)
    return found
