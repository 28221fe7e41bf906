"""Daily returns of many runs over the same days, beside those of their hold baselines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Self

import numpy as np

from bot.models import DAY_MS
from bot.numbers.arrays import FloatArray, IntArray
from bot.statistics import metrics as stats
from bot.statistics.metrics import Calendar, Units
from bot.statistics.returns import Returns, year_ratios

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class DailyReturns:
    """Daily returns of n runs (docs/domain.md, section 9), those of T UTC days from `first_day` on.

    Runs share rows (of T): `row_of[i]` is that of run i among `rows`, `hold_of[i]` that of its account among
    `holds`. A row of NaN is that of an account whose equity was not positive.
    """

    first_day: date
    rows: FloatArray
    row_of: IntArray
    holds: FloatArray
    hold_of: IntArray

    @classmethod
    def of(cls, first_day: date, runs: FloatArray, holds: FloatArray, hold_of: IntArray) -> Self:
        """Return the returns of runs that have a row each (n x T)."""
        return cls(first_day, runs, np.arange(len(runs)), holds, hold_of)

    @classmethod
    def none(cls, calendar: Calendar) -> Self:
        """Return the returns of no run over the days of a calendar."""
        nothing = np.empty((0, len(calendar.day_ends)))
        return cls.of(first_day_of(calendar), nothing, nothing, np.empty(0, dtype=np.int64))

    @classmethod
    def concatenated(cls, parts: Sequence[Self]) -> Self:
        """Return the runs of at least one part, all over the same days, one part after the other."""
        parts = [part for part in parts if len(part)] or parts[:1]
        if len(parts) == 1:
            return parts[0]
        return cls(
            parts[0].first_day,
            *_joined([(part.rows, part.row_of) for part in parts]),
            *_joined([(part.holds, part.hold_of) for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.row_of)

    @property
    def days(self) -> int:
        """Number of days T."""
        return int(self.rows.shape[1])

    @property
    def runs(self) -> FloatArray:
        """The returns of each run (n x T)."""
        return _each(self.rows, self.row_of)

    def take(self, places: IntArray) -> Self:
        """Return the runs at these places, in this order; their rows stay where they are."""
        return replace(self, row_of=self.row_of[places], hold_of=self.hold_of[places])

    def over(self, first_day: date, days: int) -> Self:
        """Return them over a span of days that holds all of theirs, 0 on the others.

        Raises ValueError for one that does not.
        """
        before = (self.first_day - first_day).days
        after = days - before - self.days
        if before < 0 or after < 0:
            last_day = self.first_day + timedelta(days=self.days - 1)
            raise ValueError(f"{days} days from {first_day} do not hold {self.first_day} to {last_day}")
        if before == after == 0:
            return self
        rows, holds = (_padded(rows, before, after) for rows in (self.rows, self.holds))
        return replace(self, first_day=first_day, rows=rows, holds=holds)

    def distinct(self) -> tuple[IntArray, IntArray]:
        """Return the first runs of those that share both rows, and which of these each run is alike."""
        pairs = self.row_of * max(len(self.holds), 1) + self.hold_of
        _, first, alike = np.unique(pairs, return_index=True, return_inverse=True)
        return first, alike.reshape(-1)

    def hold(self) -> FloatArray:
        """Return the returns of the hold baseline of each run (n x T)."""
        return _each(self.holds, self.hold_of)


def first_day_of(calendar: Calendar) -> date:
    """Return the UTC day of the first event."""
    return _EPOCH + timedelta(days=int(calendar.times_ms[0]) // DAY_MS)


def daily_returns_of(units: Units, initial: int, calendar: Calendar) -> FloatArray:
    """Return the daily returns of one equity curve, in units; NaN where one is on no positive equity."""
    return stats.daily_returns(units[np.newaxis], initial, calendar).ravel()


def sharpe_over(returns: FloatArray, hold: FloatArray) -> float | None:
    """Return the annualised Sharpe ratio of daily returns less those of a hold baseline.

    None where it is undefined, where a return is, and for returns that are all zero.
    """
    if not returns.any():
        return None
    lead = Returns.of_matrix((returns - hold)[np.newaxis])
    _, sharpe, _ = year_ratios(lead, stats.DAYS_PER_YEAR)
    return stats.finite(sharpe.item())


def _each(rows: FloatArray, places: IntArray) -> FloatArray:
    """Return the rows at these places, without a copy where they are all in order, or one and the same."""
    if np.array_equal(places, np.arange(len(rows))):
        return rows
    if len(rows) == 1:
        return np.broadcast_to(rows, (len(places), rows.shape[1]))
    return rows[places]


def _joined(parts: Sequence[tuple[FloatArray, IntArray]]) -> tuple[FloatArray, IntArray]:
    """Return the rows of all parts, one part after the other, and which of them each run has."""
    starts = np.cumsum([0, *(len(rows) for rows, _ in parts)])
    places = [row_of + start for (_, row_of), start in zip(parts, starts, strict=False)]
    return np.concatenate([rows for rows, _ in parts]), np.concatenate(places)


def _padded(rows: FloatArray, before: int, after: int) -> FloatArray:
    """Return rows with days added on both sides: 0, in rows of NaN NaN."""
    padded = np.pad(rows, ((0, 0), (before, after)))
    padded[np.isnan(rows).any(axis=1)] = np.nan
    return padded
