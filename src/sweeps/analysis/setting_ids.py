"""Settings of a sweep: its trials but for the values of some axes."""

from collections.abc import Collection

import numpy as np

from bot.numbers.arrays import IntArray
from sweeps.spec.space import TrialSpace

_DENSE = 2**22
_MANY = 2**40
_AT_ONCE = 65_536
"""Trials that are looked at together: of a million, all took 8 MB for each step."""


def setting_ids(space: TrialSpace, cells: IntArray, over: Collection[str]) -> tuple[IntArray, int]:
    """Return the number of each cell's setting of the axes but `over`, and the count of settings.

    Axes linked with one of `over` vary with it.
    """
    keys, most = np.zeros(len(cells), dtype=np.int64), 1
    pieces = [slice(first, first + _AT_ONCE) for first in range(0, len(cells), _AT_ONCE)]
    for name in shared_axes(space, over):
        values = len(space.by_name[name].values)
        if most * values > _MANY:
            keys = np.unique(keys, return_inverse=True)[1]
            most = len(cells)
        for some in pieces:
            keys[some] = keys[some] * values + space.positions(cells[some], name)
        most *= values
    if most > _DENSE:
        settings, ids = np.unique(keys, return_inverse=True)
        return ids.astype(np.int64, copy=False), len(settings)
    places = np.zeros(most, dtype=np.int64)
    places[keys] = 1
    places = np.cumsum(places) - 1
    for some in pieces:
        keys[some] = places[keys[some]]
    return keys, int(places[-1]) + 1


def shared_axes(space: TrialSpace, over: Collection[str]) -> list[str]:
    """Return the axes that the trials of one setting share: all but `over` and those linked with them."""
    apart = {space.dimension_of[name] for name in over}
    return [axis.name for axis in space.axes if space.dimension_of[axis.name] not in apart]
