"""Sharpe ratio that a search finds by luck alone: bootstrap of weeks, and the largest over all its trials.

The sums of a part of the trials are a row for each, and two maxima for each draw; parts merge in any order.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.selection.days.calendar import DRAWS, Calendar
from bot.selection.days.digests import Digests, first_of_equals
from bot.selection.days.whole_returns import WholeReturns
from bot.selection.sharpe import deviations
from bot.selection.week_shifts import Shifting, drawn_shifts

_ROWS = 512


@dataclass(frozen=True, slots=True, eq=False)
class LuckSums:
    """Sums of the eligible trials of one part against one benchmark.

    Row i belongs to trial `numbers[i]`; `sharpe` and `tau` are NaN where returns of the sample do not vary.
    `highest` and `highest_in_taus` are, of each draw, the largest shift of any trial's Sharpe ratio, and of
    any in units of its `tau`; minus infinity without trials.
    """

    numbers: IntArray
    digests: Digests
    sharpe: FloatArray
    tau: FloatArray
    highest: FloatArray
    highest_in_taus: FloatArray

    @classmethod
    def of(
        cls,
        calendar: Calendar,
        numbers: IntArray,
        returns: WholeReturns,
        asked: BoolArray,
        shifting: Shifting = drawn_shifts,
    ) -> Self:
        """Return the sums of the trials in `asked`, of equal ones the lowest number, by ascending number.

        Those without statistics are left out. `shifting` works out the shifts.
        """
        rows = np.flatnonzero(asked & returns.usable)
        digests = returns.digests(rows)
        firsts = first_of_equals(numbers[rows], digests)
        rows = rows[firsts]
        found = [_shifts(calendar, returns.values[some], shifting) for some in _pieces(rows)] or [_nothing()]
        return cls(
            numbers[rows],
            digests[firsts],
            np.concatenate([one.sharpe for one in found]),
            np.concatenate([one.tau for one in found]),
            np.maximum.reduce([one.highest for one in found]),
            np.maximum.reduce([one.highest_in_taus for one in found]),
        )

    @classmethod
    def merged(cls, parts: Sequence[Self]) -> Self:
        """Return the sums of all parts, by trial number; of equal trials the lowest number stays."""
        numbers = np.concatenate([part.numbers for part in parts])
        digests = np.concatenate([part.digests for part in parts])
        rows = first_of_equals(numbers, digests)
        return cls(
            numbers[rows],
            digests[rows],
            np.concatenate([part.sharpe for part in parts])[rows],
            np.concatenate([part.tau for part in parts])[rows],
            np.maximum.reduce([part.highest for part in parts]),
            np.maximum.reduce([part.highest_in_taus for part in parts]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Shifts:
    sharpe: FloatArray
    tau: FloatArray
    highest: FloatArray
    highest_in_taus: FloatArray


def _pieces(rows: IntArray) -> list[IntArray]:
    return [rows[first : first + _ROWS] for first in range(0, len(rows), _ROWS)]


def _nothing() -> _Shifts:
    return _Shifts(np.empty(0), np.empty(0), np.full(DRAWS, -math.inf), np.full(DRAWS, -math.inf))


def _shifts(calendar: Calendar, values: FloatArray, shifting: Shifting) -> _Shifts:
    """Return the Sharpe ratios of some trials, and their bootstrap shifts in the drawn weeks.

    Source: Politis, Romano (1994) for the draws; White, A reality check for data snooping, Econometrica 68
    (2000), for the maximum over all trials.
    """
    sample = values[:, calendar.sample_start :]
    n, totals = calendar.sample_days, sample.sum(axis=1)
    spread = deviations(n, totals, np.einsum("ij,ij->i", sample, sample))
    return _Shifts(totals / n / spread, *shifting(calendar, calendar.weekly(values), spread))
