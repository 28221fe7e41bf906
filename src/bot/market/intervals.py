"""Funding intervals: read off the settlements where a venue does not state them, and their history."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from bot.models import HOUR_MS
from bot.numbers.arrays import IntArray

MAX_INTERVAL_HOURS = 24


Origins = npt.NDArray[np.uint8]
"""The `IntervalOrigin` of each settlement."""


class IntervalOrigin(IntEnum):
    """Origin of the interval of a stored settlement.

    `UNRECORDED` are those of rows stored before this was written down: they stay as they are.
    """

    STATED = 0
    INFERRED = 1
    UNRECORDED = 2


def inferred_hours(settled_ms: Sequence[int], stated: Sequence[int] | None = None) -> list[int]:
    """Return the interval in hours of each settlement of a series, from its times and what is stated.

    `settled_ms` are ascending, distinct times on full hours; `stated` holds the intervals that a venue
    states, 0 where it does not. A stated interval stays. Any other one is the hours since the settlement
    before; for the first one, those of the first that tells. A longer step than the interval so far is a new
    interval only if the next step is as long and no other interval is stated at its end; else it is a hole in
    the record, and the interval stays.

    All are 0 where nothing tells: no interval is stated, and no two settlements are within 24 hours.
    """
    count = len(settled_ms)
    known = [0] * count if stated is None else stated
    steps = (np.diff(np.asarray(settled_ms, dtype=np.int64)) // HOUR_MS).tolist()
    current = known[0] or _first_interval(steps, known) if count else 0
    if not current:
        return [0] * count
    hours = [current]
    for at, step in enumerate(steps, 1):
        if known[at]:
            current = known[at]
        elif step != current and (step < current or _is_confirmed(step, at, steps, known)):
            current = step
        hours.append(current)
    return hours


def _is_confirmed(step: int, at: int, steps: Sequence[int], stated: Sequence[int]) -> bool:
    """Say whether the step to settlement `at` is an interval because the next one is as long."""
    if at == len(steps) or step > MAX_INTERVAL_HOURS:
        return False
    return steps[at] == step and stated[at + 1] in {0, step}


def _first_interval(steps: Sequence[int], stated: Sequence[int]) -> int:
    for at, step in enumerate(steps, 1):
        if stated[at]:
            return min(stated[at], step)
        if step <= MAX_INTERVAL_HOURS:
            return step
    return 0


def is_settled(hours: Sequence[int], settled_ms: Sequence[int]) -> bool:
    """Say whether the last interval needs no later settlement to be certain."""
    return len(settled_ms) > 1 and settled_ms[-1] - settled_ms[-2] <= hours[-1] * HOUR_MS


@dataclass(frozen=True, slots=True)
class IntervalSpan:
    """Settlements in a row with one interval: the first and the last of them, and how many."""

    hours: int
    from_ms: int
    to_ms: int
    settlements: int


def interval_spans(settled_ms: IntArray, hours: IntArray) -> list[IntervalSpan]:
    """Return the spans of one interval each, oldest first, of ascending settlements; none while undecided."""
    if not np.any(hours):
        return []
    starts = [0, *(np.flatnonzero(np.diff(hours)) + 1).tolist()]
    return [
        IntervalSpan(int(hours[start]), int(settled_ms[start]), int(settled_ms[stop - 1]), stop - start)
        for start, stop in zip(starts, [*starts[1:], len(hours)], strict=True)
    ]
