"""Columns of whole numbers by the values that occur in them."""

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
    used = np.flatnonzero(occurs)
    places = np.empty(room, dtype=np.int64)
    places[used] = np.arange(len(used))
    return used, places[values]


def occurring(values: IntArray) -> IntArray:
    """Return the different numbers, ascending.

    `np.unique` alone looks every number up in a table, which takes ten times as long, and loads arrays with
    masks to ask whether these have any.
    """
    ascending = np.sort(values)
    begins = np.ones(len(ascending), dtype=np.bool_)
    begins[1:] = ascending[1:] != ascending[:-1]
    return ascending[begins]


def by_first(values: IntArray) -> tuple[IntArray, IntArray]:
    """Return the first place of each different number, ascending, and which of these each number is."""
    order = np.argsort(values)
    ordered = values[order]
    begins = np.ones(len(ordered), dtype=np.bool_)
    begins[1:] = ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(begins)
    if len(starts) == len(values):
        return starts, starts
    kinds = np.empty(len(values), dtype=np.int64)
    kinds[order] = np.cumsum(begins) - 1
    return in_order_of_first(np.minimum.reduceat(order, starts), kinds)


def in_order_of_first(first: IntArray, kinds: IntArray) -> tuple[IntArray, IntArray]:
    """Return the first places of kinds, ascending, and kinds numbered in that order."""
    begins = np.zeros(len(kinds), dtype=np.bool_)
    begins[first] = True
    rank = np.cumsum(begins) - 1  # of each first place among all
    return np.flatnonzero(begins), rank[first[kinds]]


def first_places(kinds: IntArray, count: int) -> IntArray:
    """Return the place of the first number of each of `count` kinds, all of which occur."""
    first = np.empty(count, dtype=np.int64)
    first[kinds[::-1]] = np.arange(len(kinds) - 1, -1, -1)  # of several, the last that is assigned stays
    return first
