"""Trials of a sweep with equal ledgers, such as those of thresholds between which no rate lies."""

import numpy as np
import numpy.typing as npt

from bot.numbers.arrays import BoolArray, IntArray
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
    order = np.argsort(keys)
    ordered = keys[order]
    begins = np.ones(len(keys), dtype=np.bool_)
    begins[1:] = ordered[1:] != ordered[:-1]
    if any(_differs_within(bits[order], begins) for bits in columns):  # two results have one key
        _, groups = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
        return groups.astype(np.int64)
    groups = np.empty(len(keys), dtype=np.int64)
    groups[order] = np.cumsum(begins) - 1
    return groups


def _differs_within(values: npt.NDArray[np.uint64], begins: BoolArray) -> bool:
    """Return whether two values of one group differ; groups begin where `begins` says."""
    return bool(np.any((values[1:] != values[:-1]) & ~begins[1:]))
