"""The best cell of a matrix, and the plateaus of a sweep: trials whose neighbours are good too."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.selection.distinct import TrialSet
from bot.selection.grid.places import GridPlaces, Steps, WholeGrid
from bot.selection.grid.plateaus import GridTrials
from sweeps.analysis.grouping import Summaries
from sweeps.analysis.matrix_axes import is_ordered
from sweeps.spec.axes import Axis
from sweeps.spec.axis_positions import absent, ascending
from sweeps.spec.dimensions import Dimension
from sweeps.spec.sampling import GridSampler
from sweeps.spec.space import TrialSpace
from sweeps.spec.spec import SweepSpec

Cell = tuple[int, int]
NO_TRIALS: IntArray = np.empty(0, dtype=np.int64)
_WINDOW = frozenset(("start", "end"))
"""Parameters that choose days: trials that differ in them are not the same setting a step away."""

_AT_ONCE = 65_536
"""Trials whose places are worked out together: all of a million took 8 MB for each step of it."""

_MOST_OTHERS = 64
"""Values of the axes without order that are told apart without numbering those which there are."""


def best_cell(cells: Summaries, may_win: BoolArray, width: int, *, maximize: bool) -> Cell | None:
    """Return (row, column) of the best of the eligible cells, the first of equal ones; None if there is none.

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
    trials: IntArray | TrialSet,
    levels: FloatArray,
    eligible: BoolArray,
    *,
    maximize: bool,
    failed: IntArray = NO_TRIALS,
    scenarios: Collection[str] = (),
) -> GridTrials | None:
    """Return trials of a sweep on its ordered axes; None where none is, and for a sample of the grid.

    `trials` are their numbers, `levels` numbers in the order of a metric, NaN where it is undefined. Rows of
    `failed` trials, which are ineligible, follow. With `scenarios`, the trials are one for each setting of
    the other axes, which alone make neighbours; failed ones do not stand for a setting that has one.
    """
    if not isinstance(spec.sampler, GridSampler):
        return None
    objectives = levels if maximize else -levels
    if not len(failed) and (whole := _whole_grid(spec, len(trials), scenarios)) is not None:
        return GridTrials(whole, objectives, eligible)
    numbers = trials.numbers if isinstance(trials, TrialSet) else trials
    places = _places(spec, np.concatenate([numbers, failed]) if len(failed) else numbers, scenarios)
    if places is None:
        return None
    if not len(failed):
        return GridTrials(GridPlaces(*places), objectives, eligible)
    objectives = np.append(objectives, np.full(len(failed), np.nan))
    eligible = np.append(eligible, np.zeros(len(failed), dtype=np.bool_))
    if not scenarios:
        return GridTrials(GridPlaces(*places), objectives, eligible)
    kept = _one_a_place(*places)
    return GridTrials(GridPlaces(*(own[kept] for own in places)), objectives[kept], eligible[kept])


def _one_a_place(steps: Steps, others: Steps) -> IntArray:
    """Return the rows of the first of the trials at each place, ascending."""
    _, first = np.unique(np.column_stack([steps, others]), axis=0, return_index=True)
    return np.sort(first)


def _whole_grid(spec: SweepSpec, count: int, scenarios: Collection[str]) -> WholeGrid | None:
    """Return the places of `count` trials, all of a grid in the order of its values; None if they are not."""
    space = spec.space
    if scenarios or len(space.parts) > 1 or not count == space.cells == space.trial_count:
        return None
    ordered = [_ordered(dimension) for dimension in space.dimensions]
    if not any(ordered) or not all(map(_is_in_order, space.dimensions, ordered)):
        return None
    sizes = [dimension.sizes[0] for dimension in space.dimensions]
    return WholeGrid(sizes, [axis is not None for axis in ordered])


def _is_in_order(dimension: Dimension, ordered: Axis | None) -> bool:
    """Return whether each step of a dimension has another value, of an ordered axis a larger one."""
    if ordered is None:
        return len(dimension.axes) == 1 and dimension.axes[0].places is None
    return ordered.places is None and np.array_equal(_ranks(ordered), np.arange(len(ordered.values)))


def _places(spec: SweepSpec, numbers: IntArray, scenarios: Collection[str]) -> tuple[Steps, Steps] | None:
    """Return the steps of trials on the ordered axes, and a number for all other axes; None without any."""
    dimensions = [one for one in spec.space.dimensions if one.axes[0].name not in scenarios]
    ordered = [_ordered(dimension) for dimension in dimensions]
    if not any(ordered):
        return None
    steps: Steps = np.empty((len(ordered) - ordered.count(None), len(numbers)), dtype=_narrow(dimensions))
    others, bound, rows = np.broadcast_to(np.int64(0), len(numbers)), 1, iter(steps)
    for dimension, chosen in zip(dimensions, ordered, strict=True):
        for axis in dimension.axes if chosen is None else (chosen,):
            positions = _positions(spec.space, numbers, axis, steps.dtype)
            if chosen is not None:
                own = next(rows)
                np.take(_ranks(axis).astype(steps.dtype), positions, out=own)
                positions = np.where(own < 0, positions + 1, 0)
            if positions.any():
                others, bound = others * (len(axis.values) + 1) + positions, bound * (len(axis.values) + 1)
                if bound > _MOST_OTHERS:
                    others, bound = _numbered(others)
    return steps.T, others


def _narrow(dimensions: Sequence[Dimension]) -> type[np.signedinteger[Any]]:
    """Return the narrowest type of numbers for the steps of dimensions."""
    most = max(len(axis.values) for dimension in dimensions for axis in dimension.axes)
    return np.int16 if most < np.iinfo(np.int16).max else np.int32


def _positions(space: TrialSpace, numbers: IntArray, axis: Axis, kind: np.dtype[Any]) -> Steps:
    """Return the position of each trial's value on an axis; of a part of the trials at a time."""
    found: Steps = np.empty(len(numbers), dtype=kind)
    for first in range(0, len(numbers), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        found[some] = space.positions(space.cells_of(numbers[some]), axis.name)
    return found


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
