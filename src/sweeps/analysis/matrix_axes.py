"""Axes of a matrix: the values of an axis as they were written, or ascending and merged to be drawn."""

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from sweeps.spec.axes import Axis, as_number
from sweeps.spec.axis_positions import Numbers, absent, ascending
from sweeps.spec.space import TrialSpace


@dataclass(frozen=True, slots=True, eq=False)
class MatrixAxis:
    """One axis of a matrix: label and last label of each step, and the step of each value.

    `merged` is how many values a step holds.
    """

    name: str
    labels: tuple[Any, ...]
    until: tuple[Any, ...]
    steps: Numbers
    merged: int = 1

    def of(self, space: TrialSpace, cells: Numbers) -> Numbers:
        """Return the step of each cell."""
        return self.steps[space.positions(cells, self.name)]

    @property
    def size(self) -> int:
        """Number of steps."""
        return len(self.labels)


def written_matrix_axis(axis: Axis) -> MatrixAxis:
    """Return an axis with one step for each value, in the order written."""
    return _matrix_axis(axis, list(range(len(axis.values))), 1)


def drawn_matrix_axes(across: Axis, down: Axis, most: int) -> tuple[MatrixAxis, MatrixAxis]:
    """Return two axes with ascending values, neighbours merged until the matrix has at most `most` cells."""
    apart = [_apart(axis) for axis in (across, down)]
    values = [len(axis.values) - held for axis, held in zip((across, down), apart, strict=True)]
    merged = [1, 1]
    while True:
        sizes = [held + ceil(count / by) for held, count, by in zip(apart, values, merged, strict=True)]
        larger = max((at for at in (0, 1) if merged[at] < values[at]), key=sizes.__getitem__, default=None)
        if sizes[0] * sizes[1] <= most or larger is None:
            break
        merged[larger] += 1
    return _matrix_axis(across, ascending(across), merged[0]), _matrix_axis(down, ascending(down), merged[1])


def drawn_matrix_axis(axis: Axis, most: int) -> MatrixAxis:
    """Return an axis with ascending values, neighbours merged until there are about `most` steps."""
    return _matrix_axis(axis, ascending(axis), ceil(len(axis.values) / most))


def _apart(axis: Axis) -> int:
    """Return on how many values the axis does not apply: they are never merged with others."""
    return sum(absent(axis, at) for at in range(len(axis.values)))


def is_ordered(axis: Axis) -> bool:
    """Return whether an axis has numbers, so that its neighbouring values are alike."""
    return all(as_number(value) is not None for at, value in enumerate(axis.values) if not absent(axis, at))


def _matrix_axis(axis: Axis, order: list[int], merged: int) -> MatrixAxis:
    apart = _apart(axis) if order == ascending(axis) else 0
    starts = [*range(apart), *range(apart, len(order), merged)]
    steps = np.empty(len(order), dtype=np.int64)
    steps[order] = np.searchsorted(starts, np.arange(len(order)), side="right") - 1
    return MatrixAxis(
        axis.name,
        tuple(axis.labels[order[at]] for at in starts),
        tuple(axis.labels[order[at - 1]] for at in [*starts[1:], len(order)]),
        steps,
        merged,
    )
