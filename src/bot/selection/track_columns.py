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
from bot.selection.week_shifts import bootstrap_deviations, week_shifts

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
        calendar = shared_calendar(first_day, returns.shape[1])
        if not judges(calendar):
            return cls.none(len(returns))
        sums = []
        for first in range(0, len(returns), _ROWS):
            values = whole_returns(returns[first : first + _ROWS]).values
            split = split_sums(values[:, calendar.sample_start :])
            sums.append(np.hstack([split, calendar.weekly(values)]))
        return cls.of_sums(calendar, np.concatenate(sums)) if sums else cls.none(0)

    @classmethod
    def of_sums(cls, calendar: Calendar, sums: FloatArray) -> Self:
        """Return the records of trials from `SPLIT_SUMS` sums each and those of the weeks of the sample.

        They are of whole returns, in a calendar that `judges`; rows of trials without statistics are 0. Equal
        rows are worked out once.
        """
        places: dict[bytes, int] = {}
        of = np.array([places.setdefault(row.tobytes(), len(places)) for row in sums], dtype=np.int64)
        distinct = sums[np.unique(of, return_index=True)[1]]
        pieces = [distinct[first : first + _ROWS] for first in range(0, len(distinct), _ROWS)]
        return cls(*np.concatenate([_records(calendar, some) for some in pieces])[of].T.copy())

    @classmethod
    def none(cls, trials: int) -> Self:
        """Return trials without a record."""
        return cls(*np.full((4, trials), math.nan))


def judges(calendar: Calendar) -> bool:
    """Return whether there are enough weeks for a record, and not too many days."""
    return calendar.unfit is None


@lru_cache(maxsize=8)
def shared_calendar(first_day: date, days: int) -> Calendar:
    """Return one calendar for all trials of a window, so that its weeks are drawn once."""
    return Calendar(first_day, days)


def _records(calendar: Calendar, rows: FloatArray) -> FloatArray:
    """Return a row of psr, t_eff, skewness and kurtosis for each trial."""
    split = rows[:, :SPLIT_SUMS].tolist()
    powers = [PowerSums.of_split(calendar.sample_days, row) for row in split]
    spread = np.array([math.nan if one.deviation is None else one.deviation for one in powers])
    taus = bootstrap_deviations(week_shifts(calendar, rows[:, SPLIT_SUMS:], spread))
    return np.array([_row(*one) for one in zip(powers, taus.tolist(), strict=True)])


def _row(sums: PowerSums, tau: float) -> tuple[float, ...]:
    record = TrackRecord.of(sums, tau)
    if record is None:
        return _UNDEFINED
    psr = record.psr(0.0)
    return math.nan if psr is None else psr, record.t_eff, record.skewness, record.kurtosis
