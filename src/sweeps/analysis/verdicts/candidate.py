"""Candidate of a sweep: the centre of its largest plateau over all axes, never its highest peak."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.config.run_config import RunConfig
from bot.errors import InvalidInputError
from bot.notation import NOT_APPLICABLE, text_of
from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.numbers.money import plain
from bot.selection.grid.plateaus import GridTrials
from bot.validation import validated
from sweeps.analysis.grouping import is_maximized
from sweeps.analysis.matrix_axes import is_ordered
from sweeps.analysis.plateau import grid_trials
from sweeps.spec.axis_positions import Numbers, absent, ascending
from sweeps.spec.scenarios import Scenarios
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import Measured
from sweeps.storage.stored_trials import failed_numbers

_FEWEST_ON_A_SIDE = 3
"""Values of an axis from which on its last one says something: of two, every one is the last."""


@dataclass(frozen=True, slots=True)
class AxisRange:
    """Lowest and highest value of an axis among the candidate and the eligible settings next to it.

    Of an axis without an order, both are the candidate's.
    """

    name: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Border:
    """Axis whose last value on one side a candidate has, and the values before it are worse.

    `beyond` is the value a step further out: as far as the last two are apart, or half of a lowest value
    where that would not be above zero.
    """

    name: str
    value: str
    side: str
    beyond: str

    @property
    def words(self) -> str:
        """The border in words."""
        return f"{self.name} has its {self.side} value, {self.value}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Place of a candidate among the settings, and what lies around it.

    Without a plateau it is the best eligible trial; `floor` is then None, else the place of the setting
    that is worst among it and its eligible neighbours. It has `near` neighbours, `able` of them eligible.
    `peak` is the setting that is best by itself, as a candidate without a region.
    """

    place: int
    floor: int | None
    region: Sequence[AxisRange]
    borders: Sequence[Border]
    near: int = 0
    able: int = 0
    peak: "Candidate | None" = None

    @property
    def alone(self) -> str | None:
        """The words for a setting whose neighbours may all not win, None for any other."""
        if self.able or not self.near:
            return None
        many = self.near > 1
        return (
            f"none of the {self.near} settings next to it is eligible"
            if many
            else "the one next to it is not eligible"
        )


def candidate_of(
    connection: sa.Connection, sweep_id: int, spec: SweepSpec, scenarios: Scenarios, settings: Measured
) -> Candidate | None:
    """Return the candidate among settings that hold the objective, None where none is eligible."""
    levels, grid = _surroundings(connection, sweep_id, spec, scenarios, settings)
    best = None if grid is None else grid.best
    if grid is not None and best is not None:
        found = _on_plateau(spec, scenarios, settings, grid, best)
        peak = _highest(levels, settings.eligible)
        return found if peak is None else replace(found, peak=_peak(grid, peak))
    place = _highest(levels, settings.eligible)
    return None if place is None else _lone(grid, place)


def candidate_place(
    connection: sa.Connection, sweep_id: int, spec: SweepSpec, scenarios: Scenarios, settings: Measured
) -> int | None:
    """Return the place of the candidate alone, as `candidate_of` finds it."""
    levels, grid = _surroundings(connection, sweep_id, spec, scenarios, settings)
    best = None if grid is None else grid.best
    return _highest(levels, settings.eligible) if best is None else best


def standing_of(
    connection: sa.Connection,
    sweep_id: int,
    spec: SweepSpec,
    scenarios: Scenarios,
    settings: Measured,
    place: int,
) -> Candidate:
    """Return what lies around one of the settings, as if it were the candidate."""
    _, grid = _surroundings(connection, sweep_id, spec, scenarios, settings)
    row = np.array([place])
    if grid is None or not grid.known[place] or not grid.accompanied(row)[0]:
        return _lone(grid, place)
    if np.isnan(grid.plateaus_at(row)[0]):
        return _lone(grid, place)
    return _on_plateau(spec, scenarios, settings, grid, place)


def _surroundings(
    connection: sa.Connection, sweep_id: int, spec: SweepSpec, scenarios: Scenarios, settings: Measured
) -> tuple[FloatArray, GridTrials | None]:
    """Return the objective of each setting, better the higher it is, and the settings on their grid."""
    metric = spec.objective.metric
    maximize = is_maximized(spec, metric)
    levels = settings.levels(metric)
    grid = grid_trials(
        spec,
        settings.trials,
        levels,
        settings.eligible,
        maximize=maximize,
        failed=failed_numbers(connection, sweep_id),
        scenarios=scenarios.axes,
    )
    return levels if maximize else -levels, grid


def _lone(grid: GridTrials | None, place: int) -> Candidate:
    if grid is None:
        return Candidate(place, None, (), ())
    around, able = _neighbours(grid, place)
    return Candidate(place, None, (), (), len(around), len(able))


def _highest(levels: FloatArray, eligible: BoolArray) -> int | None:
    able = eligible & ~np.isnan(levels)
    return int((able & (levels == levels.max(initial=-np.inf, where=able))).argmax()) if able.any() else None


def _peak(grid: GridTrials, row: int) -> Candidate:
    around, able = _neighbours(grid, row)
    floor = int(able[grid.levels(able).argmin()]) if len(able) else None
    return Candidate(row, floor, (), (), len(around), len(able))


def _neighbours(grid: GridTrials, row: int) -> tuple[IntArray, IntArray]:
    """Return the rows of a setting's neighbours, and those of them that are eligible."""
    around = grid.places.near(np.array([row]))[0]
    around = around[around >= 0]
    return around, around[grid.known[around]]


def _on_plateau(
    spec: SweepSpec, scenarios: Scenarios, settings: Measured, grid: GridTrials, row: int
) -> Candidate:
    around, able = _neighbours(grid, row)
    known = np.append(able, row)
    cells = spec.space.cells_of(settings.numbers)
    chosen = [axis.name for axis in spec.space.axes if axis.name not in scenarios.axes]
    ordered = [name for name in chosen if is_ordered(spec.space.by_name[name])]
    borders = [_border(spec, name, cells, grid, row) for name in ordered]
    config = spec.config(int(settings.numbers[row]))
    return Candidate(
        row,
        int(known[grid.levels(known).argmin()]),
        [_range(spec, name, cells[known]) for name in chosen],
        [one for one in borders if one is not None and _may_be(config, one)],
        len(around),
        len(able),
    )


def _ranks(spec: SweepSpec, name: str, cells: Numbers) -> tuple[list[int], IntArray]:
    """Return the positions of an axis's numbers, ascending, and the rank of each cell's, -1 without one."""
    axis = spec.space.by_name[name]
    order = [at for at in ascending(axis) if not absent(axis, at)]
    ranks = np.full(len(axis.values), -1, dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return order, ranks[spec.space.positions(cells, name)]


def _range(spec: SweepSpec, name: str, cells: Numbers) -> AxisRange:
    axis = spec.space.by_name[name]
    if not is_ordered(axis):
        return AxisRange(name, *[text_of(axis.labels[int(spec.space.positions(cells, name)[-1])])] * 2)
    order, ranks = _ranks(spec, name, cells)
    there = ranks[ranks >= 0]
    if not len(there):
        return AxisRange(name, NOT_APPLICABLE, NOT_APPLICABLE)
    return AxisRange(name, text_of(axis.labels[order[there.min()]]), text_of(axis.labels[order[there.max()]]))


def _border(spec: SweepSpec, name: str, cells: Numbers, grid: GridTrials, row: int) -> Border | None:
    """Return the border at which a setting stands on an axis, if its objective still rises towards it."""
    order, ranks = _ranks(spec, name, cells)
    own, last = int(ranks[row]), len(order) - 1
    if len(order) < _FEWEST_ON_A_SIDE or own not in {0, last}:
        return None
    around = grid.places.near(np.array([row]))[0]
    around = around[(around >= 0) & (around < len(cells))]
    inner = around[ranks[around] != own]
    if (grid.levels(inner) >= grid.levels(np.array([row]))).any():
        return None
    axis = spec.space.by_name[name]
    beyond = _beyond(axis.values[order[own]], axis.values[order[own - 1 if own else 1]])
    return Border(name, str(axis.labels[order[own]]), "highest" if own else "lowest", beyond)


def _may_be(config: RunConfig, border: Border) -> bool:
    """Return whether a run may have the value beyond a border: a leverage of a half lies outside nothing."""
    try:
        validated(type(config), {**config.document(), border.name: border.beyond})
    except InvalidInputError:
        return False
    return True


def _beyond(last: Any, before: Any) -> str:
    ends = [Decimal(str(value)) for value in (last, before)]
    further = 2 * ends[0] - ends[1]
    return plain(further if further > 0 or ends[0] <= 0 else ends[0] / 2)
