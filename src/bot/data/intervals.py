"""Funding intervals: read off the settlements where a venue does not state them, and their history."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from bot.data.gaps import Times
from bot.models import HOUR_MS

MAX_INTERVAL_HOURS = 24


def inferred_hours(settled_ms: Sequence[int]) -> list[int]:
    """Return the interval in hours of each settlement, from ascending, distinct times on full hours.

    It is the hours since the settlement before, for the first one those of the second. A longer step than
    the interval so far is a new interval only if the next step is as long; else it is a hole in the record,
    and the interval stays. A lone settlement has none: the result is empty.
    """
    steps = [(after - before) // HOUR_MS for before, after in pairwise(settled_ms)]
    if not steps:
        return []
    current = _first_interval(steps)
    hours = [current]
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if step < current or (step == following and step <= MAX_INTERVAL_HOURS):
            current = step
        hours.append(current)
    return hours


def is_settled(hours: Sequence[int], settled_ms: Sequence[int]) -> bool:
    """Say whether the last interval needs no later settlement to be certain."""
    return len(settled_ms) > 1 and settled_ms[-1] - settled_ms[-2] <= hours[-1] * HOUR_MS


def _first_interval(steps: Sequence[int]) -> int:
    if steps[0] <= MAX_INTERVAL_HOURS:
        return steps[0]
    return next((step for step in steps if step <= MAX_INTERVAL_HOURS), MAX_INTERVAL_HOURS)


@dataclass(frozen=True, slots=True)
class IntervalSpan:
    """Settlements in a row with one interval: the first and the last of them, and how many."""

    hours: int
    from_ms: int
    to_ms: int
    settlements: int


def interval_spans(settled_ms: Times, hours: npt.NDArray[np.int64]) -> list[IntervalSpan]:
    """Return the spans of one interval each, oldest first, of ascending settlements."""
    if not len(hours):
        return []
    starts = [0, *(np.flatnonzero(np.diff(hours)) + 1).tolist()]
    return [
        IntervalSpan(int(hours[start]), int(settled_ms[start]), int(settled_ms[stop - 1]), stop - start)
        for start, stop in zip(starts, [*starts[1:], len(hours)], strict=True)
    ]
