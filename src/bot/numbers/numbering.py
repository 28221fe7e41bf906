"""Columns of small whole numbers by the values that occur in them."""

import numpy as np

from bot.numbers.arrays import IntArray

_MOST_ROOM = 32
"""Room, as a multiple of the numbers, up to which marking what occurs is faster than sorting."""


def numbered(values: IntArray, room: int) -> tuple[IntArray, IntArray]:
    """Return the values that occur, ascending, and the place of each number among them.

    All numbers lie from 0 to before `room`.
    """
    if room > _MOST_ROOM * len(values):
        used, places = np.unique(values, return_inverse=True)
        return used, places
    occurs = np.zeros(room, dtype=np.bool_)
    occurs[values] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[values]


def first_places(kinds: IntArray, count: int) -> IntArray:
    """Return the place of the first number of each of `count` kinds, all of which occur."""
    first = np.empty(count, dtype=np.int64)
    first[kinds[::-1]] = np.arange(len(kinds) - 1, -1, -1)  # of several, the last that is assigned stays
    return first
