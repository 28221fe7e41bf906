"""Rows of daily returns that are equal in every bit: what follows from them is worked out once."""

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray

_ROWS = 64
"""Rows compared at a time: few enough for a cache."""


def equal_rows(returns: FloatArray, hold: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the first rows of those that are equal in both matrices, and which of these each row equals.

    Some that are equal may be kept apart: sums of rows, which find candidates, can differ in their rounding.
    """
    weights = np.sqrt(np.arange(1, returns.shape[1] + 1, dtype=np.float64))
    candidate = _first_alike(returns @ weights, hold @ weights)
    rows = np.arange(len(returns))
    asked = np.flatnonzero(candidate != rows)
    for start in range(0, len(asked), _ROWS):
        some = asked[start : start + _ROWS]
        different = ~(_are_equal(returns, some, candidate[some]) & _are_equal(hold, some, candidate[some]))
        candidate[some[different]] = some[different]
    first = np.flatnonzero(candidate == rows)
    return first, np.searchsorted(first, candidate)


def _first_alike(keys: FloatArray, others: FloatArray) -> IntArray:
    """Return for each place the first place with the same pair of keys; one with a NaN is like no other."""
    order = np.lexsort((others, keys))
    same = (np.diff(keys[order]) == 0) & (np.diff(others[order]) == 0)
    begins = np.concatenate([np.ones(min(len(order), 1), dtype=np.bool_), ~same])
    found = np.empty(len(order), dtype=np.int64)
    found[order] = order[begins][np.cumsum(begins) - 1]
    return found


def _are_equal(matrix: FloatArray, rows: IntArray, others: IntArray) -> BoolArray:
    """Return which of some rows have every bit of the others beside them."""
    found: BoolArray = (matrix[rows].view(np.int64) == matrix[others].view(np.int64)).all(axis=1)
    return found
