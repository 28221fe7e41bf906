"""Trials of a sweep that booked the very same, such as thresholds between which no rate lies."""

import numpy as np

from bot.numbers.arrays import IntArray
from sweeps.storage.blocks import Measured

ALIKE = (
    "net_pnl",
    "total_fees",
    "max_drawdown",
    "total_trades",
    "funding_payments",
    "liquidations",
)
"""Metrics of two runs that, if all are equal to the last digit, came from the same trades."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


def alike_groups(done: Measured) -> IntArray:
    """Return a number for each trial, equal where all that it booked is.

    Trials are sorted by one key of all columns, which is compared with them: six sorts would take as many
    times longer.
    """
    columns = [np.add(done.values[name], 0).view(np.uint64) for name in ALIKE]  # a zero has one sign
    keys = np.zeros(len(done.numbers), dtype=np.uint64)
    for bits in columns:
        keys = (keys ^ bits) * _MIX
        keys ^= keys >> _HALF
    _, first, groups = np.unique(keys, return_index=True, return_inverse=True)
    if any((bits != bits[first][groups]).any() for bits in columns):  # two results have one key
        _, groups = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
    return groups.astype(np.int64)
