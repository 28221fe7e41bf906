"""Columns of whole numbers by the values that occur in them."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from bot.numbers.arrays import IntArray

Numbers = TypeVar("Numbers", bound=npt.NDArray[Any])

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
    used = np.flatnonzero(occurs)
    places = np.empty(room, dtype=np.int64)
    places[used] = np.arange(len(used))
    return used, places[values]


def distinct(values: Numbers) -> Numbers:
    """Return the numbers that occur, ascending; any whole ones, of objects as well.

    Sorting them costs a fifth of the hash table that `numpy.unique` makes.
    """
    ordered = np.sort(values)
    differs = np.ones(len(ordered), dtype=np.bool_)
    differs[1:] = ordered[1:] != ordered[:-1]
    return ordered[differs]  # type: ignore[return-value]


def first_places(kinds: IntArray, count: int) -> IntArray:
    """Return the place of the first number of each of `count` kinds, all of which occur."""
    first = np.empty(count, dtype=np.int64)
    first[kinds[::-1]] = np.arange(len(kinds) - 1, -1, -1)  # of several, the last that is assigned stays
    return first
