"""The trials that no other trial beats in two metrics at once."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def pareto_front(first: Floats, second: Floats, *, maximize: tuple[bool, bool]) -> npt.NDArray[np.intp]:
    """Return the places of the trials that none beats in one metric without losing in the other.

    Sorted by the first metric, best first; of equal trials the first stands for all. NaN takes no part.
    """
    x, y = (-column if more else column for column, more in zip((first, second), maximize, strict=True))
    known = np.flatnonzero(~np.isnan(x) & ~np.isnan(y))
    order = known[np.lexsort((known, y[known], x[known]))]
    lowest = np.minimum.accumulate(y[order])
    better = np.ones(len(order), dtype=np.bool_)
    better[1:] = lowest[1:] < lowest[:-1]
    return order[better]
