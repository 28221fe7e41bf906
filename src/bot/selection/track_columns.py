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
from bot.selection.sharpe import SPLIT_SUMS, PowerSums, split_sums
from bot.selection.track_record import TrackRecord
from bot.selection.week_shifts import own_deviations

_ROWS = 512
_UNDEFINED = (math.nan,) * 4


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
    """Return a row of psr, t_eff, skewness and kurtosis for each trial."""
    powers = PowerSums.of_split(calendar.sample_days, rows[:, :SPLIT_SUMS])
    spread = np.array([math.nan if one.deviation is None else one.deviation for one in powers])
    taus = own_deviations(calendar, rows[:, SPLIT_SUMS:], spread)
    return np.array([_row(*one) for one in zip(powers, taus.tolist(), strict=True)])


def _row(sums: PowerSums, tau: float) -> tuple[float, ...]:
    record = TrackRecord.of(sums, tau)
    if record is None:
        return _UNDEFINED
    psr = record.psr(0.0)
    return math.nan if psr is None else psr, record.t_eff, record.skewness, record.kurtosis
