"""The matrix of one metric over two axes, the others fixed or aggregated."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from bot.errors import InvalidInputError
from bot.memo import Memo
from bot.notation import quoted
from bot.numbers.arrays import BoolArray, IntArray
from bot.statistics.trial_metrics import JUDGED
from sweeps.analysis.grouping import (
    Aggregate,
    Groups,
    Summaries,
    eligible_first,
    is_maximized,
    summarize,
)
from sweeps.analysis.maps.cell_states import TRADES, CellState, cell_states, matrix_ids
from sweeps.analysis.matrix_axes import MatrixAxis, drawn_matrix_axes, written_matrix_axis
from sweeps.analysis.plateau import Cell, best_cell, grid_trials
from sweeps.analysis.progress import get_spec
from sweeps.analysis.scenarios import scenarios_for, without_setting
from sweeps.analysis.selection import RANGE, failed_and_selected, selected
from sweeps.spec.axis_positions import Numbers, ascending, checked_axis
from sweeps.spec.metrics import METRICS
from sweeps.spec.scenarios import Scenarios
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import Measured

__all__ = ["MOST_PANELS", "Aggregate", "Heatmap", "Panels", "heatmap", "panels"]

MOST_PANELS = 24
MOST_CELLS = 50_000

_best_rows = Memo(1_000)
"""Rows of the best plateaus by the contents of what they were found in: a map is drawn over and over."""


@dataclass(frozen=True, slots=True, eq=False)
class Heatmap:
    """Two axes and the cells that trials have a value for, row by row; places of best cell and plateau.

    The plateau is the cell of the trial whose worst neighbour is best, one step away on any axis that varies.
    A cell sums up its eligible trials, or all of them where it has none; `eligible` masks the cells with
    some, which alone can be the best one or the plateau; `states` say of every cell why it has none.
    """

    x: MatrixAxis
    y: MatrixAxis
    metric: str
    aggregate: Aggregate
    scenarios: Scenarios
    cells: Summaries
    eligible: BoolArray
    states: Sequence[CellState | None]
    best: Cell | None
    plateau: Cell | None

    def table(self, of_all: Sequence[Any]) -> list[list[Any]]:
        """Return one value for each of all cells as `table[y][x]`."""
        width = self.x.size
        return [list(of_all[at : at + width]) for at in range(0, self.y.size * width, width)]

    def rows(self, of_cells: Sequence[Any], empty: Any = None) -> list[list[Any]]:
        """Return one value for each of `cells` as `rows[y][x]`, `empty` where no trial has a value."""
        return self.table(self.column(of_cells, empty))

    def column(self, of_cells: Sequence[Any], empty: Any = None) -> list[Any]:
        """Return one value for each of `cells` row after row, `empty` where no trial has a value."""
        every = np.full(self.y.size * self.x.size, empty, dtype=object)
        every[self.cells.groups] = of_cells
        values: list[Any] = every.tolist()
        return values


@dataclass(frozen=True, slots=True)
class Panels:
    """One heatmap for each value shown of a third axis, ascending; `omitted` counts values left out."""

    z: str
    labels: tuple[Any, ...]
    heatmaps: list[Heatmap]
    omitted: int


def heatmap(
    connection: sa.Connection,
    sweep_id: int,
    *,
    x: str,
    y: str,
    metric: str | None = None,
    aggregate: Aggregate = Aggregate.BEST,
    fixed: Mapping[str, str] | None = None,
    most: int | None = None,
    scenarios: Scenarios | None = None,
) -> Heatmap:
    """Return the matrix of a metric (by default the objective) over the axes `x` and `y`.

    `fixed` names axes and metrics with a value or a range each, as text. Values stand as they were written;
    with `most` they ascend, and neighbours are merged until there are at most so many cells. Settings stand
    at their worst or median scenario, by default those of the sweep; an axis shown is no scenario.
    Raises: UnknownSweepError, InvalidInputError.
    """
    spec = get_spec(connection, sweep_id)
    metric = checked_metric(spec, metric)
    _check(spec, x, y, fixed or {})
    chosen = scenarios_for(spec, scenarios, (x, y))
    done, cells = selected(connection, sweep_id, spec, [metric, TRADES], fixed, chosen)
    failed = failed_and_selected(connection, sweep_id, spec, fixed)
    shown = _Shown(metric, aggregate, _matrix_axes(spec, x, y, most), chosen, bool(fixed))
    return _matrix(spec, shown, done, cells, failed)


def panels(
    connection: sa.Connection,
    sweep_id: int,
    *,
    x: str,
    y: str,
    z: str,
    metric: str | None = None,
    aggregate: Aggregate = Aggregate.BEST,
    fixed: Mapping[str, str] | None = None,
    scenarios: Scenarios | None = None,
) -> Panels:
    """Return a heatmap for each value of the axis `z`, evenly chosen ones where there are many.

    Settings stand at their scenarios as in a heatmap; all matrices together have at most `MOST_CELLS`
    cells. Raises: UnknownSweepError, InvalidInputError.
    """
    spec = get_spec(connection, sweep_id)
    metric = checked_metric(spec, metric)
    _check(spec, x, y, fixed or {})
    third = checked_axis(spec.space, "z", z)
    if z in {x, y}:
        raise InvalidInputError.of("z", f"{quoted(z)} is an axis of the matrix already")
    chosen = scenarios_for(spec, scenarios, (x, y, z))
    done, cells = selected(connection, sweep_id, spec, [metric, TRADES], fixed, chosen)
    failed = failed_and_selected(connection, sweep_id, spec, fixed)
    at, failed_at = (spec.space.positions(some, z) for some in (cells, spec.space.cells_of(failed)))
    present = np.isin(np.arange(len(third.values)), at)
    order = [position for position in ascending(third) if present[position]]
    shown = _evenly(order, MOST_PANELS)
    drawn = _matrix_axes(spec, x, y, MOST_CELLS // max(len(shown), 1))
    kind = _Shown(metric, aggregate, drawn, chosen, bool(fixed))
    found = [
        _matrix(spec, kind, done.only(at == here), cells[at == here], failed[failed_at == here])
        for here in shown
    ]
    return Panels(z, tuple(third.labels[position] for position in shown), found, len(order) - len(shown))


def checked_metric(spec: SweepSpec, metric: str | None, field: str = "metric") -> str:
    """Return the metric asked for, by default the objective; raises InvalidInputError if there is none."""
    if metric is None:
        return spec.objective.metric
    if metric not in METRICS and metric not in JUDGED:
        known = ", ".join((*METRICS, *JUDGED))
        raise InvalidInputError.of(field, f"{quoted(metric)} is no metric; there are {known}")
    return metric


def _check(spec: SweepSpec, x: str, y: str, fixed: Mapping[str, str]) -> None:
    for field, name in (("x", x), ("y", y)):
        checked_axis(spec.space, field, name)
        if name in fixed and RANGE not in fixed[name]:
            raise InvalidInputError.of(name, f"is the {field} axis and cannot be fixed as well")
    if x == y:
        raise InvalidInputError.of("y", f"{quoted(y)} is the x axis already")


def _matrix_axes(spec: SweepSpec, x: str, y: str, most: int | None) -> tuple[MatrixAxis, MatrixAxis]:
    across, down = spec.space.by_name[x], spec.space.by_name[y]
    if most is None:
        return written_matrix_axis(across), written_matrix_axis(down)
    return drawn_matrix_axes(across, down, most)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Metric and aggregate of a matrix, its axes, and the scenarios that its settings stand at."""

    metric: str
    aggregate: Aggregate
    axes: tuple[MatrixAxis, MatrixAxis]
    scenarios: Scenarios
    selecting: bool


def _matrix(spec: SweepSpec, shown: _Shown, done: Measured, places: Numbers, failed: Numbers) -> Heatmap:
    metric, aggregate, (x, y) = shown.metric, shown.aggregate, shown.axes
    ids = matrix_ids(spec.space, shown.axes, places)
    groups, eligible = _groups(spec, metric, ids, x.size * y.size, done)
    failed_ids = matrix_ids(spec.space, shown.axes, spec.space.cells_of(failed))
    states = cell_states(done, ids, metric, eligible, failed_ids, selecting=shown.selecting)
    cells = summarize(groups, aggregate)
    may_win = eligible[cells.groups]
    best = best_cell(cells, may_win, x.size, maximize=groups.maximize)
    plateau = _plateau(spec, shown, done, places, failed)
    return Heatmap(x, y, metric, aggregate, shown.scenarios, cells, may_win, states, best, plateau)


def _plateau(spec: SweepSpec, shown: _Shown, done: Measured, places: Numbers, failed: Numbers) -> Cell | None:
    """Return (row, column) of the cell with the best plateau over all axes that vary, None without one."""
    failed = without_setting(spec, shown.scenarios, places, failed)
    levels, maximize = done.levels(shown.metric), is_maximized(spec, shown.metric)

    def found() -> int | None:
        grid = grid_trials(
            spec,
            done.numbers,
            levels,
            done.eligible,
            maximize=maximize,
            failed=failed,
            scenarios=shown.scenarios.axes,
        )
        return None if grid is None else grid.best

    contents = _digest(done.numbers, levels, done.eligible, failed)
    best = _best_rows.get((spec.digest, maximize, shown.scenarios.axes, contents), found)
    if best is None:
        return None
    x, y = (int(axis.of(spec.space, places[best : best + 1])[0]) for axis in shown.axes)
    return y, x


def _digest(*columns: npt.NDArray[Any]) -> bytes:
    """Return a digest of columns, some 15 ms for a million trials: a tenth of what a plateau takes."""
    digest = hashlib.blake2b(digest_size=16)
    for column in columns:
        digest.update(np.int64(len(column)).tobytes())
        digest.update(np.ascontiguousarray(column).view(np.uint8).data)
    return digest.digest()


def _groups(
    spec: SweepSpec, metric: str, ids: IntArray, size: int, done: Measured
) -> tuple[Groups, BoolArray]:
    """Return the trials of each cell that count, and the mask of cells with eligible ones."""
    kept = done.defined(metric)
    groups = Groups(
        metric=metric,
        maximize=is_maximized(spec, metric),
        numbers=done.numbers[kept],
        values=done.values[metric][kept],
        ids=ids[kept],
        size=size,
    )
    return eligible_first(groups, done.eligible[kept])


def _evenly(order: Sequence[int], most: int) -> list[int]:
    if len(order) <= most:
        return list(order)
    return [order[round(index * (len(order) - 1) / (most - 1))] for index in range(most)]
