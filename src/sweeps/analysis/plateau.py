"""The best cell of a matrix, and the plateaus of a sweep: trials whose neighbours are good too."""

from collections.abc import Collection, Sequence

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.selection.grid.plateaus import GridTrials
from sweeps.analysis.grouping import Summaries
from sweeps.analysis.matrix_axes import is_ordered
from sweeps.spec.axes import Axis
from sweeps.spec.axis_positions import absent, ascending
from sweeps.spec.dimensions import Dimension
from sweeps.spec.sampling import GridSampler
from sweeps.spec.spec import SweepSpec

Cell = tuple[int, int]
NO_TRIALS: IntArray = np.empty(0, dtype=np.int64)
_WINDOW = frozenset(("start", "end"))
"""Parameters that choose days: trials that differ in them are not the same setting a step away."""

_MOST_OTHERS = 64
"""Values of the axes without order that are told apart without numbering those which there are."""


def best_cell(cells: Summaries, may_win: BoolArray, width: int, *, maximize: bool) -> Cell | None:
    """Return (row, column) of the best of the cells that may win, the first of equal ones; None if none may.

    A row has `width` cells. Values are compared as they are stored, so amounts of any size exactly.
    """
    values = cells.values[may_win]
    if not len(values):
        return None
    place = int(values.argmax() if maximize else values.argmin())
    row, column = divmod(int(cells.groups[may_win][place]), width)
    return row, column


def grid_trials(
    spec: SweepSpec,
    numbers: IntArray,
    levels: FloatArray,
    eligible: BoolArray,
    *,
    maximize: bool,
    failed: IntArray = NO_TRIALS,
    scenarios: Collection[str] = (),
) -> GridTrials | None:
    """Return trials of a sweep on its ordered axes; None where none is, and for a sample of the grid.

    `numbers` are theirs, `levels` numbers in the order of a metric, NaN where it is undefined. The rows of
    `failed` trials, which are ineligible, follow. With `scenarios`, the trials are one for each setting of
    the other axes, which alone make neighbours; failed ones do not stand for a setting that has one.
    """
    if not isinstance(spec.sampler, GridSampler):
        return None
    numbers = np.concatenate([numbers, failed])
    steps, others = _places(spec, numbers, scenarios)
    if steps is None:
        return None
    objectives = np.full(len(numbers), np.nan)
    objectives[: len(levels)] = levels if maximize else -levels
    may_win = np.zeros(len(numbers), dtype=np.bool_)
    may_win[: len(levels)] = eligible
    grid = GridTrials(steps, others, objectives, may_win)
    return _one_a_place(grid) if scenarios and len(failed) else grid


def _one_a_place(grid: GridTrials) -> GridTrials:
    """Return the first of the trials at each place, in the same order."""
    _, first = np.unique(np.column_stack([grid.steps, grid.others]), axis=0, return_index=True)
    kept = np.sort(first)
    return GridTrials(grid.steps[kept], grid.others[kept], grid.objectives[kept], grid.eligible[kept])


def _places(
    spec: SweepSpec, numbers: IntArray, scenarios: Collection[str]
) -> tuple[IntArray | None, IntArray]:
    """Return the steps of trials on the ordered axes, None without any, and a number for all other axes."""
    space, cells = spec.space, spec.space.cells_of(numbers)
    steps, others, bound = [], np.zeros(len(cells), dtype=np.int64), 1
    for dimension in space.dimensions:
        if dimension.axes[0].name in scenarios:
            continue
        ordered = _ordered(dimension)
        for axis in dimension.axes if ordered is None else (ordered,):
            positions = space.positions(cells, axis.name)
            if ordered is not None:
                steps.append(_ranks(axis)[positions])
                positions = np.where(steps[-1] < 0, positions + 1, 0)
            if positions.any():
                others, bound = others * (len(axis.values) + 1) + positions, bound * (len(axis.values) + 1)
                if bound > _MOST_OTHERS:
                    others, bound = _numbered(others)
    return (np.array(steps).T if steps else None), others


def _ordered(dimension: Dimension) -> Axis | None:
    """Return an axis of numbers in whose order the steps of a dimension are neighbours, None without one."""
    fit = (axis for axis in dimension.axes if axis.name not in _WINDOW and _steps_apart(axis))
    return next(fit, None)


def _numbered(keys: IntArray) -> tuple[IntArray, int]:
    """Return keys numbered from 0, so that more can be added within 64 bits, and how many there are."""
    found, numbers = np.unique(keys, return_inverse=True)
    return numbers.astype(np.int64), len(found)


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
