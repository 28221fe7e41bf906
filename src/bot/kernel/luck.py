"""Bootstrap shifts of Sharpe ratios by the compiled library, equal in every bit to those of NumPy."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from bot.kernel.layouts import Luck
from bot.kernel.loading import Library
from bot.numbers.arrays import FloatArray, IntArray
from bot.selection.days.calendar import DRAWS, Calendar
from bot.selection.days.week_shifts import DrawnShifts, Shifting


class _Steps(NamedTuple):
    """Draws of weeks as steps: each takes the running sum of the first `weeks` weeks `counts` times."""

    starts: IntArray
    weeks: IntArray
    counts: FloatArray


def shifts_by(library: Library) -> Shifting:
    """Return what works out the shifts of drawn weeks by `library`."""

    def shifts(calendar: Calendar, weekly: FloatArray, deviations: FloatArray) -> DrawnShifts:
        steps, trials = _steps(calendar), len(weekly)
        weekly, deviations = np.ascontiguousarray(weekly), np.ascontiguousarray(deviations)
        found = DrawnShifts(np.empty(trials), np.empty(DRAWS), np.empty(DRAWS))
        read = weekly, deviations, steps.starts, steps.weeks, steps.counts
        library.shifts(
            Luck(
                trials,
                calendar.weeks,
                DRAWS,
                calendar.sample_days,
                *(array.ctypes.data for array in read),
                calendar.correction,
                *(array.ctypes.data for array in found),
            )
        )
        return found

    return shifts


@lru_cache(maxsize=8)
def _steps(calendar: Calendar) -> _Steps:
    """Return the draws of a calendar: weeks next to each other that are drawn equally often need no step."""
    counts = calendar.week_counts
    changes = counts - np.concatenate([counts[:, 1:], np.zeros((len(counts), 1))], axis=1)
    draw, week = np.nonzero(changes)
    starts = np.searchsorted(draw, np.arange(len(counts) + 1))
    return _Steps(starts.astype(np.int64), (week + 1).astype(np.int64), changes[draw, week])
