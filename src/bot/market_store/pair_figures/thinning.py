"""Thin long series for a chart: keep every extreme, and no more points than it has room for."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from bot.numbers.arrays import FloatArray, IntArray
from bot.statistics.metrics import Units

_PER_COLUMN = 4


def thinned(times_ms: IntArray, series: Sequence[Units | FloatArray], columns: int) -> IntArray:
    """Return the points to draw of `series` over n ascending times in `columns` columns of pixels.

    Of each column the first and last point, and the lowest and highest of every series; all of them where
    there are few. What is drawn through them looks like what is drawn through all.
    """
    if len(times_ms) <= _PER_COLUMN * columns:
        return np.arange(len(times_ms))
    span = int(times_ms[-1] - times_ms[0]) + 1
    column = (times_ms - times_ms[0]) * columns // span
    turns = np.flatnonzero(np.diff(column))
    kept = [turns, turns + 1, np.array([0, len(times_ms) - 1])]
    for values in series:
        order = np.lexsort((values, column))
        kept += [order[np.append(0, turns + 1)], order[np.append(turns, len(order) - 1)]]
    return cast("IntArray", np.unique(np.concatenate(kept)))
