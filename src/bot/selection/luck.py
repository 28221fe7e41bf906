"""Sharpe ratio that a search finds by luck alone: bootstrap of weeks, and the largest over all its trials.

The sums of a part of the trials are a row for each, and two maxima for each draw; parts merge in any order.

Source: Politis, Romano, The stationary bootstrap, JASA 89 (1994), for the draws; White, A reality check for
data snooping, Econometrica 68 (2000), for the maximum over all trials.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from bot.numbers.arrays import FloatArray, IntArray
from bot.selection.days.calendar import Calendar
from bot.selection.days.digests import Digests, first_of_equals
from bot.selection.days.week_shifts import NO_SHIFTS, Shifting, drawn_shifts
from bot.selection.return_sums import ReturnSums

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
        sums: ReturnSums,
        rows: IntArray,
        shifting: Shifting = drawn_shifts,
    ) -> Self | None:
        """Return the sums of different trials, which have some of the rows, by ascending number.

        `numbers` are those of the trials at all rows; `shifting` works out the shifts. None where the days
        are too few weeks.
        """
        if sums.sample is None:
            return None
        weekly, sharpe, deviations = sums.sample
        found = [shifting(calendar, weekly[some], deviations[some]) for some in _pieces(rows)] or [NO_SHIFTS]
        return cls(
            numbers[rows],
            sums.digests[rows],
            sharpe[rows],
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


def _pieces(rows: IntArray) -> list[IntArray]:
    return [rows[first : first + _ROWS] for first in range(0, len(rows), _ROWS)]
