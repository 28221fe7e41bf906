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


def alike_groups(done: Measured) -> IntArray:
    """Return a number for each trial, equal where all that it booked is."""
    groups = np.zeros(len(done.numbers), dtype=np.int64)
    for name in ALIKE:
        _, ids = np.unique(done.values[name], return_inverse=True)
        _, groups = np.unique(groups * (int(ids.max(initial=0)) + 1) + ids, return_inverse=True)
    return groups.astype(np.int64)
