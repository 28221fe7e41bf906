"""Funding intervals where a venue does not state them: read off the settlements themselves."""

from collections.abc import Sequence
from itertools import pairwise

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
