"""Settings at their worst or median scenario: of the trials of each, the one that stands for all."""

import math
from collections.abc import Collection

import numpy as np

from bot.numbers.arrays import BoolArray
from bot.statistics.trial_columns import MetricColumn
from sweeps.analysis.grouping import Groups, is_maximized, worse_middles, worst_ones
from sweeps.analysis.setting_ids import setting_ids
from sweeps.spec.axis_positions import Numbers
from sweeps.spec.scenarios import NO_SCENARIOS, ScenarioRank, Scenarios, check_scenarios, customary_scenarios
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import Measured

_UNNAMED = np.empty(0, dtype=np.int64)
"""Numbers of trials whose places alone are asked for."""


def scenarios_for(spec: SweepSpec, asked: Scenarios | None, shown: Collection[str] = ()) -> Scenarios:
    """Return the scenarios asked for, by default those of the sweep, without the axes shown.

    Raises: InvalidInputError if they name what is no axis.
    """
    if asked is not None:
        check_scenarios(spec.space, asked, "scenarios")
    chosen = (spec.scenarios or NO_SCENARIOS) if asked is None else asked
    return chosen.besides(spec.space, shown)


def usual_scenarios(spec: SweepSpec) -> Scenarios:
    """Return the scenarios of a sweep, where it names none costs, window and capital."""
    return customary_scenarios(spec.space) if spec.scenarios is None else spec.scenarios


def at_scenarios(
    spec: SweepSpec, scenarios: Scenarios, metric: str, done: Measured, cells: Numbers
) -> tuple[Measured, Numbers]:
    """Return one trial for each setting, the one it is ranked at, with its cell.

    `cells` are those of the trials `done`, which hold `metric`.
    """
    if not scenarios.axes:
        return done, cells
    kept = ranked_at(spec, scenarios, metric, done, cells)
    return done.only(kept), cells[kept]


def ranked_at(
    spec: SweepSpec, scenarios: Scenarios, metric: str, done: Measured, cells: Numbers
) -> BoolArray:
    """Return the mask of the trials that their settings are ranked at, one for each.

    An ineligible trial, or one without a value, is worse than any other: a setting wins at its worst only
    if it may in every scenario. Of equal trials the first one counts. Failed trials do not.
    """
    if not scenarios.axes or not len(cells):
        return np.ones(len(cells), dtype=np.bool_)
    count = len(cells)
    ids, size = setting_ids(spec.space, cells, scenarios.axes)
    del cells  # of a million trials, 8 MB
    column = done.values[metric]
    levels = column.copy() if is_maximized(spec, metric) else -column
    levels[~(done.eligible & done.defined(metric))] = _worst(column)
    groups = Groups(metric, True, _UNNAMED, levels, ids, size)
    places = worst_ones(groups) if scenarios.rank is ScenarioRank.WORST else worse_middles(groups)
    kept = np.zeros(count, dtype=np.bool_)
    kept[places] = True
    return kept


def without_setting(spec: SweepSpec, scenarios: Scenarios, cells: Numbers, failed: Numbers) -> Numbers:
    """Return those of the `failed` trials whose setting has none of the trials in `cells`."""
    if not scenarios.axes or not len(failed):
        return failed
    every = np.concatenate([cells, spec.space.cells_of(failed)])
    ids, _ = setting_ids(spec.space, every, scenarios.axes)
    _, alone = np.unique(
        ids, return_index=True
    )  # the first of each setting, before which completed ones stand
    return failed[alone[alone >= len(cells)] - len(cells)]


def _worst(column: MetricColumn) -> float | int:
    """Return a level below that of any trial, whose negative is one as well."""
    if column.dtype.kind == "f":
        return -math.inf
    return int(1 - 2 ** (8 * column.dtype.itemsize - 1))
