"""Sums of rows of daily returns, as whole numbers, that trials are judged by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.selection.days.calendar import Calendar
from bot.selection.days.digests import Digests
from bot.selection.days.equal_rows import FindingEquals, equal_rows
from bot.selection.days.segments import Segments, SegmentSums
from bot.selection.days.week_shifts import Shifting, drawn_shifts
from bot.selection.days.whole_returns import whole_parts
from bot.selection.sharpe import deviations

_MOST_RETURNS = 125_000
"""Daily returns that are summed at a time: 1 MB for each of some five copies of them."""


@dataclass(frozen=True, slots=True, eq=False)
class ReturnRows:
    """Rows of daily returns at `places` of a matrix, less those at `held` of `hold` where there is one."""

    returns: FloatArray
    places: IntArray
    hold: FloatArray | None = None
    held: IntArray | None = None

    def __len__(self) -> int:
        return len(self.places)

    @property
    def days(self) -> int:
        """Number of days."""
        return int(self.returns.shape[1])

    def at(self, rows: IntArray) -> Self:
        """Return some of the rows."""
        held = None if self.held is None else self.held[rows]
        return type(self)(self.returns, self.places[rows], self.hold, held)

    def part(self, some: slice) -> FloatArray:
        """Return the returns of some of the rows."""
        own = self.returns[self.places[some]]
        return own if self.hold is None or self.held is None else own - self.hold[self.held[some]]


class SampleSums(NamedTuple):
    """Sums of m rows over each week of the sample (m x weeks); Sharpe ratios and deviations over all of it.

    The latter are NaN where the returns do not vary.
    """

    weekly: FloatArray
    sharpe: FloatArray
    deviations: FloatArray


class ReturnSums(NamedTuple):
    """Sums of m rows; exponents, which are usable, and digests as of `WholeReturns`.

    `sample` is None where the days are too few weeks.
    """

    exponents: IntArray
    usable: BoolArray
    digests: Digests
    segments: SegmentSums
    sample: SampleSums | None


Summing = Callable[[Calendar, Segments, ReturnRows], ReturnSums]
"""Way to work out `return_sums`; every one gives the same bits."""


class Arithmetic(NamedTuple):
    """Ways to work out what most of the time of judging trials goes into; every one gives the same bits."""

    equal_rows: FindingEquals
    sums: Summing
    shifts: Shifting


def return_sums(calendar: Calendar, segments: Segments, rows: ReturnRows) -> ReturnSums:
    """Return the sums of rows over the sample and the pieces of the days of a calendar.

    Raises ValueError for more days than sums can be exact over.
    """
    most = max(1, _MOST_RETURNS // max(rows.days, 1))
    parts = [
        _of_part(calendar, segments, rows.at(np.arange(first, min(first + most, len(rows)))))
        for first in range(0, max(len(rows), 1), most)
    ]
    return parts[0] if len(parts) == 1 else _joined(parts)


def _of_part(calendar: Calendar, segments: Segments, rows: ReturnRows) -> ReturnSums:
    whole = whole_parts(len(rows), rows.days, rows.part)
    return ReturnSums(
        whole.exponents,
        whole.usable,
        whole.digests(),
        segments.sums(whole.values),
        None if calendar.unfit else _of_sample(calendar, whole.values),
    )


def _of_sample(calendar: Calendar, values: FloatArray) -> SampleSums:
    sample, n = values[:, calendar.sample_start :], calendar.sample_days
    totals = sample.sum(axis=1)
    spread = deviations(n, totals, np.einsum("ij,ij->i", sample, sample))
    return SampleSums(calendar.weekly(values), totals / n / spread, spread)


def _joined(parts: list[ReturnSums]) -> ReturnSums:
    samples = [part.sample for part in parts if part.sample]
    return ReturnSums(
        np.concatenate([part.exponents for part in parts]),
        np.concatenate([part.usable for part in parts]),
        np.concatenate([part.digests for part in parts]),
        SegmentSums.joined([part.segments for part in parts]),
        SampleSums(*map(np.concatenate, zip(*samples, strict=True))) if samples else None,
    )


PLAIN = Arithmetic(equal_rows, return_sums, drawn_shifts)
