"""Rows of daily returns that are equal in every bit: what follows from them is worked out once."""

from collections.abc import Callable

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray

FindingEquals = Callable[
    [FloatArray, FloatArray, tuple[IntArray, IntArray] | None], tuple[IntArray, IntArray]
]
"""Way to find `equal_rows`; which rows are kept apart although they are equal may differ."""

_ROWS = 64
"""Rows looked at together: few enough for a cache."""


def equal_rows(
    returns: FloatArray, hold: FloatArray, pairs: tuple[IntArray, IntArray] | None = None
) -> tuple[IntArray, IntArray]:
    """Return the first of the pairs of rows that are equal in both, and which of these each pair equals.

    `pairs` are the places of rows in either matrix; without them each row stands beside that of its place.
    Some that are equal may be kept apart: sums of rows, which find candidates, can differ in their rounding.
    """
    rows = np.arange(len(returns) if pairs is None else len(pairs[0]))
    own, held = (rows, rows) if pairs is None else pairs
    candidate = _first_alike(_weighed(returns, own), _weighed(hold, held))
    asked = np.flatnonzero(candidate != rows)
    for start in range(0, len(asked), _ROWS):
        some = asked[start : start + _ROWS]
        others = candidate[some]
        different = ~(
            _are_equal(returns, own[some], own[others]) & _are_equal(hold, held[some], held[others])
        )
        candidate[some[different]] = some[different]
    first = np.flatnonzero(candidate == rows)
    return first, np.searchsorted(first, candidate)


def _weighed(matrix: FloatArray, rows: IntArray) -> FloatArray:
    """Return the weighted sums of some rows of a matrix, others of which may hold anything."""
    weights = np.sqrt(np.arange(1, matrix.shape[1] + 1, dtype=np.float64))
    found = np.empty(len(rows))
    for start in range(0, len(rows), _ROWS):
        some = slice(start, start + _ROWS)
        np.matmul(matrix[rows[some]], weights, out=found[some])
    return found


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
