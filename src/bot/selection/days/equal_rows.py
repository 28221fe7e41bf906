"""Rows of daily returns that are equal in every bit: what follows from them is worked out once."""

import numpy as np

from bot.numbers.arrays import FloatArray, IntArray


def equal_rows(returns: FloatArray, hold: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the first rows of those that are equal in both matrices, and which of these each row equals.

    Some that are equal may be kept apart: sums of rows, which find candidates, can differ in their rounding.
    """
    weights = np.sqrt(np.arange(1, returns.shape[1] + 1, dtype=np.float64))
    keys = zip((returns @ weights).tolist(), (hold @ weights).tolist(), strict=True)
    first: list[int] = []
    known: dict[tuple[float, float], int] = {}
    place = np.empty(len(returns), dtype=np.int64)
    for row, key in enumerate(keys):
        found = known.setdefault(key, len(first))
        if found < len(first) and _are_equal(returns, hold, row, first[found]):
            place[row] = found
        else:
            place[row] = len(first)
            first.append(row)
    return np.array(first, dtype=np.int64), place


def _are_equal(returns: FloatArray, hold: FloatArray, row: int, other: int) -> bool:
    return all(one[row].tobytes() == one[other].tobytes() for one in (returns, hold))
