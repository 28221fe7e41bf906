"""The trials that no other trial beats in two metrics at once."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
_MANY, _SOME = 10_000, 2_000


def pareto_front(first: Floats, second: Floats, *, maximize: tuple[bool, bool]) -> Places:
    """Return the places of the trials that none beats in one metric without losing in the other.

    Sorted by the first metric, best first; of equal trials the first stands for all. NaN takes no part.
    """
    x, y = (-column if more else column for column, more in zip((first, second), maximize, strict=True))
    known = np.flatnonzero(~np.isnan(x) & ~np.isnan(y))
    if len(known) > _MANY:
        some = _stairs(x, y, known[:: len(known) // _SOME])
        known = known[~_beaten(x[known], y[known], x[some], y[some])]
    return _stairs(x, y, known)


def _stairs(x: Floats, y: Floats, places: Places) -> Places:
    """Return those of `places` that no other of them beats, by ascending x; less is better in both."""
    order = places[np.lexsort((places, y[places], x[places]))]
    lowest = np.minimum.accumulate(y[order])
    better = np.ones(len(order), dtype=np.bool_)
    better[1:] = lowest[1:] < lowest[:-1]
    return order[better]


def _beaten(x: Floats, y: Floats, stairs_x: Floats, stairs_y: Floats) -> npt.NDArray[np.bool_]:
    """Return the mask of points that a step has less x and no more y than: nearly all, without sorting."""
    step = np.searchsorted(stairs_x, x, side="left") - 1
    return (step >= 0) & (stairs_y[step] <= y)
