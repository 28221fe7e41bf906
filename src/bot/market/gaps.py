"""Gaps in a recorded series: pure functions over times."""

from dataclasses import dataclass

import numpy as np

from bot.numbers.arrays import IntArray


@dataclass(frozen=True, slots=True)
class Gap:
    """`missing` rows that should be there, the first and the last of them at these times."""

    from_ms: int
    to_ms: int
    missing: int

    def document(self) -> dict[str, int]:
        """Return the hole as JSON values."""
        return {"from_ms": self.from_ms, "to_ms": self.to_ms, "missing": self.missing}


def candle_gaps(open_ms: IntArray, timeframe_ms: int) -> list[Gap]:
    """Return the holes between ascending open times."""
    before = np.flatnonzero(np.diff(open_ms) > timeframe_ms)
    return [
        Gap(left + timeframe_ms, right - timeframe_ms, (right - left) // timeframe_ms - 1)
        for left, right in zip(open_ms[before].tolist(), open_ms[before + 1].tolist(), strict=True)
    ]


def settlements_expected(t_ms: IntArray, interval_ms: IntArray) -> IntArray:
    """Return for each settlement but the first how many the step to it should hold, itself included.

    The step is measured in the interval in force at its end, rounded half-even, and is at least one.
    """
    steps = np.rint(np.diff(t_ms) / interval_ms[1:]).astype(np.int64)
    return np.maximum(steps, 1)


def missing_settlements(t_ms: IntArray, interval_ms: IntArray, until_ms: int) -> IntArray:
    """Return due times of settlements that are not among the ascending `t_ms`, up to `until_ms`.

    Between two settlements as many as `settlements_expected` counts, in the interval in force at the later
    one; after the last in its own interval.
    """
    if not len(t_ms):
        return t_ms
    missing = np.append(settlements_expected(t_ms, interval_ms) - 1, _since(t_ms, interval_ms, until_ms))
    steps = np.append(interval_ms[1:], interval_ms[-1])
    before = np.repeat(np.arange(len(t_ms)), missing)
    places = np.arange(len(before)) - np.repeat(np.cumsum(missing) - missing, missing) + 1
    due: IntArray = t_ms[before] + places * steps[before]
    return due[due <= until_ms]


def _since(t_ms: IntArray, interval_ms: IntArray, until_ms: int) -> int:
    return max(0, (until_ms - int(t_ms[-1])) // int(interval_ms[-1]))


def funding_gaps(t_ms: IntArray, interval_ms: IntArray) -> list[Gap]:
    """Return the holes between ascending settlements."""
    expected = settlements_expected(t_ms, interval_ms)
    found = []
    for at in np.flatnonzero(expected > 1).tolist():
        interval = int(interval_ms[at + 1])
        first = int(t_ms[at]) + interval
        found.append(Gap(first, max(first, int(t_ms[at + 1]) - interval), int(expected[at]) - 1))
    return found
