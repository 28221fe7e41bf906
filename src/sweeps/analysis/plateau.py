"""The best cell of a matrix, and the plateaus of a sweep: trials whose neighbours are good too."""

from collections.abc import Collection, Sequence

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.selection.plateau import GridTrials
from sweeps.analysis.matrix_axes import is_ordered
from sweeps.spec.axes import Axis
from sweeps.spec.axis_positions import absent, ascending
from sweeps.spec.dimensions import Dimension
from sweeps.spec.sampling import GridSampler
from sweeps.spec.spec import SweepSpec

Cell = tuple[int, int]
_WINDOW = frozenset(("start", "end"))
"""Parameters that choose days: trials that differ in them are not the same setting a step away."""


def best_cell(levels: FloatArray, *, maximize: bool) -> Cell | None:
    """Return (row, column) of the best level, the first of equal ones; None if all are NaN."""
    if np.isnan(levels).all():
        return None
    row, column = divmod(int(np.nanargmax(levels if maximize else -levels)), levels.shape[1])
    return row, column


def grid_trials(
    spec: SweepSpec,
    numbers: IntArray,
    levels: FloatArray,
    eligible: BoolArray,
    *,
    maximize: bool,
    scenarios: Collection[str] = (),
) -> GridTrials | None:
    """Return trials of a sweep on its ordered axes; None where none is, and for a sample of the grid.

    `numbers` are theirs, `levels` a metric each, NaN where undefined. With `scenarios`, the trials are one
    for each setting of the other axes, which alone make neighbours.
    """
    if not isinstance(spec.sampler, GridSampler):
        return None
    space, cells = spec.space, spec.space.cells_of(numbers)
    steps, others = [], np.zeros(len(cells), dtype=np.int64)
    for dimension in space.dimensions:
        if dimension.axes[0].name in scenarios:
            continue
        ordered = _ordered(dimension)
        for axis in dimension.axes if ordered is None else (ordered,):
            positions = space.positions(cells, axis.name)
            if ordered is not None:
                steps.append(_ranks(axis)[positions])
                positions = np.where(steps[-1] < 0, positions + 1, 0)
            others = _numbered(others * (len(axis.values) + 1) + positions)
    if not steps:
        return None
    return GridTrials(np.stack(steps, axis=1), others, levels if maximize else -levels, eligible)


def trial_plateau(grid: GridTrials | None, row: int, *, maximize: bool) -> float | None:
    """Return the plateau of one of the trials: the worst level of it and its neighbours; None without one."""
    level = np.nan if grid is None else float(grid.plateaus[row])
    return None if np.isnan(level) else (level if maximize else -level)


def _ordered(dimension: Dimension) -> Axis | None:
    """Return an axis of numbers in whose order the steps of a dimension are neighbours, None without one."""
    fit = (axis for axis in dimension.axes if axis.name not in _WINDOW and _steps_apart(axis))
    return next(fit, None)


def _numbered(keys: IntArray) -> IntArray:
    """Return keys numbered from 0, so that more can be added to them without leaving 64 bits."""
    if not keys.any():
        return keys
    _, numbers = np.unique(keys, return_inverse=True)
    return numbers.astype(np.int64)


def _steps_apart(axis: Axis) -> bool:
    """Return whether an axis has another number at each step of its dimension."""
    places = axis.places
    return is_ordered(axis) and (places is None or len(set(places)) == len(places))


def _ranks(axis: Axis) -> IntArray:
    """Return the rank of the value at each position, -1 where the axis does not apply."""
    order: Sequence[int] = [at for at in ascending(axis) if not absent(axis, at)]
    ranks = np.full(len(axis.values), -1, dtype=np.int64)
    ranks[list(order)] = np.arange(len(order))
    return ranks
