"""The search space: trial numbers to parameters and back, by arithmetic over the axes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.errors import InvalidInputError
from sweeps.axes import Axis, as_number
from sweeps.constraints import Constraint, decimal_column

MAX_CONSTRAINT_WORK = 50_000_000
_BLOCK_CELLS = 65_536


@dataclass(frozen=True)
class TrialSpace:
    """All trials of a sweep. A *cell* counts every combination, last axis fastest; a trial *number* counts
    the cells that meet the constraints, in the same order. Without constraints they are equal.
    """

    axes: tuple[Axis, ...]
    kept: npt.NDArray[np.int32] | None = None

    @cached_property
    def cells(self) -> int:
        """How many combinations the axes span."""
        return prod(len(axis.values) for axis in self.axes)

    @cached_property
    def strides(self) -> Mapping[str, int]:
        """How many cells one step along each axis skips."""
        sizes = [len(axis.values) for axis in self.axes]
        return {axis.name: prod(sizes[index + 1 :]) for index, axis in enumerate(self.axes)}

    @cached_property
    def by_name(self) -> Mapping[str, Axis]:
        """The axes by parameter name."""
        return {axis.name: axis for axis in self.axes}

    @property
    def trial_count(self) -> int:
        """How many cells meet the constraints."""
        return self.cells if self.kept is None else len(self.kept)

    def cell(self, number: int) -> int:
        """Return the cell of a trial; raises IndexError outside the sweep."""
        if not 0 <= number < self.trial_count:
            raise IndexError(f"trial {number} is not among {self.trial_count}")
        return number if self.kept is None else int(self.kept[number])

    def position(self, cell: int, name: str) -> int:
        """Return which value of axis `name` a cell has."""
        return cell // self.strides[name] % len(self.by_name[name].values)

    def values(self, number: int) -> dict[str, Any]:
        """Return the varied parameters of a trial as a run takes them."""
        cell = self.cell(number)
        return {axis.name: axis.values[self.position(cell, axis.name)] for axis in self.axes}

    def labels(self, number: int) -> dict[str, Any]:
        """Return the varied parameters of a trial as JSON values."""
        cell = self.cell(number)
        return {axis.name: axis.labels[self.position(cell, axis.name)] for axis in self.axes}


def constrained_space(
    axes: tuple[Axis, ...], constraints: Sequence[Constraint], fixed: Mapping[str, Any]
) -> TrialSpace:
    """Return the space of the cells where every constraint holds, `fixed` being the other parameters.

    Raises: InvalidInputError if a constraint has no value somewhere, costs too much, or nothing is left.
    """
    space = TrialSpace(axes)
    if not constraints:
        return space
    holds = np.ones([len(axis.values) for axis in axes], dtype=np.bool_)
    work = 0
    for index, constraint in enumerate(constraints):
        work += constraint.steps * prod(len(axis.values) for axis in axes if axis.name in constraint.names)
        if work > MAX_CONSTRAINT_WORK:
            raise InvalidInputError.of(
                f"constraints[{index}]", f"{constraint.text!r} takes too long over so many values"
            )
        try:
            holds &= _held(axes, constraint, fixed)
        except ValueError as error:
            raise InvalidInputError.of(f"constraints[{index}]", str(error)) from None
    kept = np.flatnonzero(holds.reshape(-1)).astype(np.int32)
    if not len(kept):
        raise InvalidInputError.of("constraints", f"leave none of {space.cells:,} trials")
    return space if len(kept) == space.cells else TrialSpace(axes, kept)


def _held(axes: tuple[Axis, ...], constraint: Constraint, fixed: Mapping[str, Any]) -> npt.NDArray[np.bool_]:
    """Return the condition over the axes it reads, with length 1 along the others."""
    read = [axis for axis in axes if axis.name in constraint.names]
    cells = prod(len(axis.values) for axis in read)
    numbers = {
        axis.name: decimal_column([_number(axis.name, value) for value in axis.values]) for axis in read
    }
    constants = {name: _number(name, fixed[name]) for name in constraint.names if name not in numbers}
    blocks = []
    for first in range(0, cells, _BLOCK_CELLS):
        rest = np.arange(first, min(first + _BLOCK_CELLS, cells))
        columns: dict[str, Any] = dict(constants)
        for axis in reversed(read):
            rest, digit = np.divmod(rest, len(axis.values))
            columns[axis.name] = numbers[axis.name][digit]
        blocks.append(np.atleast_1d(constraint.holds(columns)))
    shape = [len(axis.values) if axis in read else 1 for axis in axes]
    return np.concatenate(blocks).reshape(shape)


def _number(name: str, value: object) -> Any:
    number = as_number(value)
    if number is None:
        raise ValueError(f"{name!r} has the value {value!r}, which is not a number")
    return number
