"""The search space: trial numbers to parameters and back, by arithmetic over the dimensions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.numbers.numbering import occurring
from sweeps.spec.axes import Axis
from sweeps.spec.dimensions import Dimension

Cells = npt.NDArray[np.int64]

_AT_ONCE = 1_000_000
"""Trials looked at together, so that memory does not grow with a sweep."""


@dataclass(frozen=True, slots=True, eq=False)
class FeasibleCells:
    """The cells of a part that are trials, None for all of them, and how many each constraint rejected."""

    kept: npt.NDArray[np.integer[Any]] | None
    rejected: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Part:
    """The trials that a sweep began with, or that one extension added.

    Its cells are numbered from `offset` on, its trials from `first` on; `kept` are the cells of its trials,
    counted from 0 within the part, None for all of them.
    """

    offset: int
    first: int
    sizes: tuple[int, ...]
    kept: npt.NDArray[np.integer[Any]] | None
    rejected: tuple[int, ...] = ()

    @property
    def cells(self) -> int:
        """Number of combinations of steps."""
        return prod(self.sizes)

    @property
    def count(self) -> int:
        """Number of trials in this part."""
        return self.cells if self.kept is None else len(self.kept)

    @cached_property
    def strides(self) -> tuple[int, ...]:
        """Cells skipped by one step along each dimension, the last dimension fastest."""
        return strides_of(self.sizes)


def strides_of(sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the cells skipped by one step along each dimension, the last dimension fastest."""
    return tuple(prod(sizes[index + 1 :]) for index in range(len(sizes)))


@dataclass(frozen=True, eq=False)
class TrialSpace:
    """All trials of a sweep. A *cell* counts combinations, last axis fastest; a trial *number* counts the
    cells that are trials, in the same order. Cells and numbers of an extended sweep stay what they were:
    each extension appends a part with cells and numbers of its own.
    """

    dimensions: tuple[Dimension, ...]
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, dimensions: tuple[Dimension, ...], feasible: Iterable[FeasibleCells]) -> "TrialSpace":
        """Return the space whose parts have these feasible cells, part by part."""
        parts: list[Part] = []
        for version, found in enumerate(feasible):
            sizes = tuple(dimension.sizes[version] for dimension in dimensions)
            first = parts[-1].first + parts[-1].count if parts else 0
            offset = parts[-1].offset + parts[-1].cells if parts else 0
            parts.append(Part(offset, first, sizes, found.kept, found.rejected))
        return cls(dimensions, tuple(parts))

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The varied parameters, linked ones side by side."""
        return tuple(axis for dimension in self.dimensions for axis in dimension.axes)

    @cached_property
    def by_name(self) -> Mapping[str, Axis]:
        """The axes by parameter name."""
        return {axis.name: axis for axis in self.axes}

    @cached_property
    def dimension_of(self) -> Mapping[str, int]:
        """Dimension of each axis."""
        return {axis.name: at for at, dimension in enumerate(self.dimensions) for axis in dimension.axes}

    @property
    def feasible(self) -> list[FeasibleCells]:
        """Feasible cells, part by part."""
        return [FeasibleCells(part.kept, part.rejected) for part in self.parts]

    @cached_property
    def cells(self) -> int:
        """Number of combinations of all parts."""
        return self.parts[-1].offset + self.parts[-1].cells

    @cached_property
    def trial_count(self) -> int:
        """Number of trials."""
        return self.parts[-1].first + self.parts[-1].count

    def cell(self, number: int) -> int:
        """Return the cell of a trial; raises IndexError outside the sweep."""
        part, step = self._step(number)
        return part.offset + step

    def cells_of(self, numbers: npt.NDArray[np.integer[Any]]) -> Cells:
        """Return the cells of trials, all of which must exist."""
        cells = np.empty(len(numbers), dtype=np.int64)
        for part, mine in self._by_part(numbers, "first"):
            places = numbers[mine] - part.first
            cells[mine] = places if part.kept is None else part.kept[places]
            cells[mine] += part.offset
        return cells

    def position(self, cell: int, name: str) -> int:
        """Return the position of a cell's value on axis `name`."""
        part = next(part for part in reversed(self.parts) if cell >= part.offset)
        at = self.dimension_of[name]
        step = (cell - part.offset) // part.strides[at] % part.sizes[at]
        return self.by_name[name].place(step)

    def positions(self, cells: Cells, name: str) -> Cells:
        """Return the position of each cell's value on axis `name`."""
        at, axis = self.dimension_of[name], self.by_name[name]
        steps = np.empty(len(cells), dtype=np.int64)
        for part, mine in self._by_part(cells, "offset"):
            rounds = (cells[mine] - part.offset) // part.strides[at]
            steps[mine] = rounds - rounds // part.sizes[at] * part.sizes[at]  # a third of the time of %
        return steps if axis.places is None else np.array(axis.places)[steps]

    def codes(self, numbers: npt.NDArray[np.integer[Any]], names: Sequence[str]) -> Cells:
        """Return a number for each trial, equal for those with equal values on the axes among `names`.

        Later names count faster.
        """
        cells = self.cells_of(numbers)
        codes = np.zeros(len(numbers), dtype=np.int64)
        for axis in self._named(names):
            codes = codes * len(axis.values) + self.positions(cells, axis.name)
        return codes

    def combinations(self, names: Sequence[str], first: int = 0) -> dict[int, dict[str, Any]]:
        """Return the values on the axes among `names` that trials from number `first` on have together.

        Each combination stands once, under the code that `codes` gives to its trials, ascending.
        """
        axes = self._named(names)
        if not axes:
            return {0: {}} if first < self.trial_count else {}
        found = [
            occurring(self.codes(np.arange(lo, min(lo + _AT_ONCE, self.trial_count)), names))
            for lo in range(first, self.trial_count, _AT_ONCE)
        ]
        codes: list[int] = occurring(np.concatenate(found)).tolist() if found else []
        return {code: _decoded(axes, code) for code in codes}

    def _named(self, names: Iterable[str]) -> list[Axis]:
        return [self.by_name[name] for name in dict.fromkeys(names) if name in self.by_name]

    def values(self, number: int) -> dict[str, Any]:
        """Return the varied parameters of a trial as a run takes them."""
        return {axis.name: axis.values[place] for axis, place in self._places(number)}

    def labels(self, number: int) -> dict[str, Any]:
        """Return the varied parameters of a trial as JSON values, None where an axis does not apply."""
        return {axis.name: axis.labels[place] for axis, place in self._places(number)}

    def _places(self, number: int) -> Iterator[tuple[Axis, int]]:
        part, rest = self._step(number)
        for dimension, stride in zip(self.dimensions, part.strides, strict=True):
            step, rest = divmod(rest, stride)
            for axis in dimension.axes:
                yield axis, axis.place(step)

    def _step(self, number: int) -> tuple[Part, int]:
        """Return the part of a trial, and its cell counted from 0 within the part."""
        if not 0 <= number < self.trial_count:
            raise IndexError(f"trial {number} is not among {self.trial_count}")
        part = next(part for part in reversed(self.parts) if number >= part.first)
        place = number - part.first
        return part, place if part.kept is None else int(part.kept[place])

    def _by_part(self, keys: Any, start: str) -> Iterator[tuple[Part, Any]]:
        if len(self.parts) == 1:
            yield self.parts[0], slice(None)
            return
        starts = [getattr(part, start) for part in self.parts]
        owner = np.searchsorted(starts, keys, side="right") - 1
        for index, part in enumerate(self.parts):
            mine = np.flatnonzero(owner == index)
            if len(mine):
                yield part, mine


def _decoded(axes: Sequence[Axis], code: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for axis in reversed(axes):
        code, place = divmod(code, len(axis.values))
        values[axis.name] = axis.values[place]
    return values
