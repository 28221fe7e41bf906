"""Places of trials on the ordered axes of a grid, and their neighbours, one step away on one axis."""

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bot.numbers.arrays import FloatArray, IntArray

_PLACES_A_TRIAL = 4
"""Places that a table of all of them may have for each trial; sparser grids are searched."""

_AT_ONCE = 65_536
"""Trials whose places are worked out together where those of all are not kept."""

Slices = tuple[slice, ...]
Steps = npt.NDArray[np.integer[Any]]
"""Ranks of values, in as few bytes as they fit into."""


class Places(Protocol):
    """Places of n trials on k ordered axes."""

    def steps(self, rows: IntArray) -> Steps:
        """Return the ranks of the values of some trials (m x k), -1 where an axis does not apply."""

    def axes(self, rows: IntArray | slice, /) -> IntArray:
        """Return how many axes apply to each of some trials and have several values."""

    def near(self, rows: IntArray) -> IntArray:
        """Return the rows of the neighbours of some trials (m x 2k), -1 where there is none."""

    def worst(self, levels: FloatArray) -> tuple[FloatArray, IntArray]:
        """Return the lowest level of each trial and its neighbours, and how many these are."""


class WholeGrid:
    """Places of every trial of a grid in the order of its values: neighbours are always as many rows away.

    `sizes` are the numbers of steps of its dimensions, the last of which turns fastest; `ordered` says which
    of them are ordered axes.
    """

    def __init__(self, sizes: Sequence[int], ordered: Sequence[bool]) -> None:
        self._sizes = tuple(sizes)
        self._ordered = [axis for axis, own in enumerate(ordered) if own]
        self._strides = [math.prod(sizes[axis + 1 :]) for axis in range(len(sizes))]

    def steps(self, rows: IntArray) -> Steps:
        """Return the ranks of the values of some trials (m x k)."""
        found = [rows // self._strides[axis] % self._sizes[axis] for axis in self._ordered]
        return np.array(found, dtype=np.int64).reshape(len(found), len(rows)).T

    def axes(self, _rows: IntArray | slice, /) -> IntArray:
        """Return how many axes have several values, the same for each trial."""
        return np.array(sum(self._sizes[axis] > 1 for axis in self._ordered), dtype=np.int64)

    def near(self, rows: IntArray) -> IntArray:
        """Return the rows of the neighbours of some trials (m x 2k), -1 where there is none."""
        steps = self.steps(rows)
        found = np.full((len(rows), 2 * len(self._ordered)), -1, dtype=np.int64)
        for column, axis in enumerate(self._ordered):
            up, down = steps[:, column] < self._sizes[axis] - 1, steps[:, column] > 0
            found[up, 2 * column] = rows[up] + self._strides[axis]
            found[down, 2 * column + 1] = rows[down] - self._strides[axis]
        return found

    def worst(self, levels: FloatArray) -> tuple[FloatArray, IntArray]:
        """Return the lowest level of each trial and its neighbours, and how many these are."""
        held = levels.reshape(self._sizes)
        worst, counts = held.copy(), np.zeros(self._sizes, dtype=np.int64)
        for axis in self._ordered:
            lower, upper = [slice(None)] * len(self._sizes), [slice(None)] * len(self._sizes)
            lower[axis], upper[axis] = slice(None, -1), slice(1, None)
            for own, next_to in ((tuple(lower), tuple(upper)), (tuple(upper), tuple(lower))):
                np.minimum(worst[own], held[next_to], out=worst[own])
                counts[own] += 1
        return worst.ravel(), counts.ravel()


class GridPlaces:
    """Places of n trials by their `steps` (n x k) and `others`, which stand for all that no axis varies.

    Trials with other `others` are no neighbours. A grid whose places are mostly taken, each once, is a table:
    neighbours are then whole slices of it.
    """

    def __init__(self, steps: Steps, others: Steps) -> None:
        self._steps, self._others = steps, others
        # The first place is that of trials that an axis does not apply to.
        self._sizes: IntArray = steps.max(axis=0, initial=-1).astype(np.int64) + 2
        self._strides: IntArray = np.append(np.cumprod(self._sizes[::-1])[::-1], 1)
        self._shape = (int(others.max(initial=-1)) + 1, *self._sizes.tolist())

    def steps(self, rows: IntArray) -> Steps:
        """Return the ranks of the values of some trials (m x k), -1 where an axis does not apply."""
        return self._steps[rows]

    def axes(self, rows: IntArray | slice, /) -> IntArray:
        """Return how many axes apply to each of some trials and have several values."""
        found: IntArray = np.count_nonzero(self._steps[rows][:, self._sizes > 2] >= 0, axis=1)
        return found

    def near(self, rows: IntArray) -> IntArray:
        """Return the rows of the neighbours of some trials (m x 2k), -1 where there is none."""
        if self._table is None:
            return self._searched[rows]
        table, cells, steps = self._table, self._cells_of(rows), self._steps[rows]
        found = np.full((len(rows), 2 * steps.shape[1]), -1, dtype=np.int64)
        for axis, stride in enumerate(self._strides[1:].tolist()):
            up = (steps[:, axis] >= 0) & (steps[:, axis] < self._sizes[axis] - 2)
            down = steps[:, axis] > 0
            found[up, 2 * axis] = table[cells[up] + stride]
            found[down, 2 * axis + 1] = table[cells[down] - stride]
        return found

    def worst(self, levels: FloatArray) -> tuple[FloatArray, IntArray]:
        """Return the lowest level of each trial and its neighbours, and how many these are."""
        if self._table is None:
            return self._worst_searched(levels)
        held = self._spread(levels, math.inf)
        there = self._spread(np.ones(len(levels), dtype=np.int8), 0)
        worst, counts = held.copy(), np.zeros(self._shape, dtype=np.int8)
        for lower, upper in self._pairs():
            np.minimum(worst[lower], held[upper], out=worst[lower])
            np.minimum(worst[upper], held[lower], out=worst[upper])
            counts[lower] += there[upper]
            counts[upper] += there[lower]
        return worst.ravel()[self._cells], counts.ravel()[self._cells].astype(np.int64)

    def _pairs(self) -> Iterator[tuple[Slices, Slices]]:
        """Yield the places of a table along each axis that have a next one, and these."""
        every = [slice(None)] * len(self._shape)
        for axis in range(1, len(self._shape)):
            lower, upper = every.copy(), every.copy()
            lower[axis], upper[axis] = slice(1, -1), slice(2, None)
            yield tuple(lower), tuple(upper)

    def _spread(self, values: npt.NDArray[Any], fill: Any) -> npt.NDArray[Any]:
        """Return values by place, `fill` where there is no trial."""
        held = np.full(math.prod(self._shape), fill, dtype=values.dtype)
        held[self._cells] = values
        return held.reshape(self._shape)

    def _cells_of(self, rows: IntArray | slice) -> IntArray:
        """Return the places of some trials in a table."""
        steps = self._steps[rows]
        cells: IntArray = self._others[rows] * self._strides[0] + self._strides[1:].sum()
        for own, stride in zip(steps.T, self._strides[1:], strict=True):
            cells += own * stride
        return cells

    @cached_property
    def _cells(self) -> IntArray:
        """Places of all trials in a table."""
        return self._cells_of(slice(None))

    @cached_property
    def _table(self) -> npt.NDArray[np.int32] | None:
        """Row by place, -1 without a trial; None for a sparse grid, and where trials share a place."""
        count = len(self._steps)
        if not count or math.prod(self._shape) > _PLACES_A_TRIAL * count:
            return None
        table = np.full(math.prod(self._shape), -1, dtype=np.int32)
        for first in range(0, count, _AT_ONCE):
            rows = slice(first, min(first + _AT_ONCE, count))
            table[self._cells_of(rows)] = np.arange(rows.start, rows.stop, dtype=np.int32)
        return table if np.count_nonzero(table >= 0) == count else None

    @cached_property
    def _searched(self) -> IntArray:
        """Rows of the neighbours of every trial (n x 2k), -1 where there is none."""
        steps, cells, sizes = self._steps, self._cells, self._sizes
        count, axes = steps.shape
        found = np.full((count, 2 * axes), -1, dtype=np.int64)
        order = np.argsort(cells, kind="stable")
        ascending = cells[order]
        for axis in range(axes):
            able = order[(steps[order, axis] >= 0) & (steps[order, axis] < sizes[axis] - 2)]
            wanted = cells[able] + self._strides[axis + 1]
            places = np.minimum(np.searchsorted(ascending, wanted), count - 1)
            there = ascending[places] == wanted
            lower, upper = able[there], order[places[there]]
            found[lower, 2 * axis], found[upper, 2 * axis + 1] = upper, lower
        return found

    def _worst_searched(self, levels: FloatArray) -> tuple[FloatArray, IntArray]:
        worst, counts = levels.copy(), np.zeros(len(levels), dtype=np.int64)
        for column in self._searched.T:
            there = np.flatnonzero(column >= 0)
            worst[there] = np.minimum(worst[there], levels[column[there]])
            counts[there] += 1
        return worst, counts
