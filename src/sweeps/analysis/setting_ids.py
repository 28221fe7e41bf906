"""Settings of a sweep: its trials but for the values of some axes."""

from collections.abc import Collection

import numpy as np

from bot.numbers.arrays import IntArray
from sweeps.spec.space import TrialSpace

_DENSE = 2**22
_MANY = 2**40


def setting_ids(space: TrialSpace, cells: IntArray, over: Collection[str]) -> tuple[IntArray, int]:
    """Return the number of each cell's setting of the axes but `over`, and the count of settings.

    Axes linked with one of `over` vary with it.
    """
    keys, most = np.zeros(len(cells), dtype=np.int64), 1
    for name in shared_axes(space, over):
        values = len(space.by_name[name].values)
        if most * values > _MANY:
            keys = np.unique(keys, return_inverse=True)[1]
            most = len(cells)
        keys = keys * values + space.positions(cells, name)
        most *= values
    if most > _DENSE:
        settings, ids = np.unique(keys, return_inverse=True)
        return ids.astype(np.int64), len(settings)
    places = np.zeros(most, dtype=np.int64)
    places[keys] = 1
    places = np.cumsum(places) - 1
    return places[keys], int(places[-1]) + 1


def shared_axes(space: TrialSpace, over: Collection[str]) -> list[str]:
    """Return the axes that the trials of one setting share: all but `over` and those linked with them."""
    apart = {space.dimension_of[name] for name in over}
    return [axis.name for axis in space.axes if space.dimension_of[axis.name] not in apart]
