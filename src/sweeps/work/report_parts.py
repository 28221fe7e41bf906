"""Parts of a report on a selection that take more than sums: stitched run, transfer, random entries."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.backtest.walk_forward_run import WalkForwardRun
from bot.errors import BotError
from bot.hedges.evidence.engine_choice import random_entries_of, stitch_runs
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.numbering import occurring
from bot.selection.distinct import TrialSet
from bot.selection.evidence.transfer import FEWEST_VALUES, transfer
from bot.selection.judging import JudgedSearch
from bot.selection.report import SelectionReport
from sweeps.analysis.plateau import grid_trials
from sweeps.errors import DataChangedError, UnknownSweepError
from sweeps.spec.axes import Axis
from sweeps.spec.metrics import Direction
from sweeps.spec.panels import PanelWindows
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import NOTHING_KEPT, Measured, measured
from sweeps.storage.stored_trials import failed_numbers
from sweeps.work.replay import WindowCache

_SYMBOLS = "symbols"
_ALWAYS_CASH = "no trial was active on enough training days: the folds are all cash"
_FEW_VALUES = "{needed} values of symbols needed, {held} held"
_NO_CHOICE = "two settings and a value to choose them on are needed"
_ALONE = "no axis of numbers in a whole grid, or fewer neighbours than such axes"


@dataclass(frozen=True, eq=False)
class ReportParts:
    """Adds to reports on a sweep's panels what takes replays and metrics of its trials.

    `completed` are those that it is judged by; `obstacle` says why they cannot be replayed as they were, None
    if they can.
    """

    connection: sa.Connection
    windows: WindowCache
    sweep_id: int
    spec: SweepSpec
    completed: TrialSet
    obstacle: str | None

    @cached_property
    def trials(self) -> Measured:
        """The completed trials with their objective, which take a sweep's most memory: read when asked for.

        Raises: UnknownSweepError if they have been deleted meanwhile.
        """
        found = measured(
            self.connection,
            self.sweep_id,
            [self.spec.objective.metric],
            self.spec.guard,
            kept=NOTHING_KEPT,
            known=self.completed,
        )
        found = _only(found, self.completed)
        if len(found) < len(self.completed):
            raise UnknownSweepError(f"sweep {self.sweep_id} has been deleted")
        return found

    def added(self, judged: JudgedSearch, trials: TrialSet) -> SelectionReport:
        """Return the report on some trials with its stitched run, plateau, transfer and random entries."""
        replayed = self._with_random_entries(self._with_stitched(judged.report))
        held = _only(self.trials, trials)
        held = replace(held, eligible=held.among(judged.eligible))
        return self._with_transfer(self._with_plateau(replayed, held), held)

    def _with_stitched(self, report: SelectionReport) -> SelectionReport:
        if not report.walk_forward:
            return report
        if self.obstacle is not None:
            return _without(report, "stitched", self.obstacle)
        try:
            run = walk_forward_run(self.windows, self.spec, report)
        except (BotError, DataChangedError) as error:
            return _without(report, "stitched", str(error))
        if run is None:
            return _without(report, "stitched", _ALWAYS_CASH)
        return replace(report, stitched=run.figures)

    def _with_random_entries(self, report: SelectionReport) -> SelectionReport:
        if report.winner is None:
            return report
        if self.obstacle is not None:
            return _without(report, "random_entries", self.obstacle)
        try:
            config = self.spec.config(report.winner)
            found = random_entries_of(self.windows.run(config), self.windows.window(config))
        except (BotError, DataChangedError) as error:
            return _without(report, "random_entries", str(error))
        if found.missing:
            return _without(report, "random_entries", found.missing)
        return replace(report, random_entries=found.p)

    def _with_plateau(self, report: SelectionReport, held: Measured) -> SelectionReport:
        if report.winner is None:
            return report
        objective = self.spec.objective
        grid = grid_trials(
            self.spec,
            held.trials,
            held.levels(objective.metric),
            held.eligible,
            maximize=objective.direction is Direction.MAXIMIZE,
            failed=self._failed(report.winner),
        )
        row = -1 if grid is None else grid.plateau_row(held.place(report.winner))
        if row < 0:
            return _without(report, "plateau", _ALONE)
        return replace(report, plateau=float(held.floats(objective.metric, slice(row, row + 1))[0]))

    def _failed(self, one: int) -> IntArray:
        """Return the failed trials of the panel that a trial belongs to."""
        failed = failed_numbers(self.connection, self.sweep_id)
        windows = PanelWindows.of(self.spec)
        mine: BoolArray = windows.places(failed) == windows.places(np.array([one]))
        return failed[mine]

    def _with_transfer(self, report: SelectionReport, held: Measured) -> SelectionReport:
        axis = self.spec.space.by_name.get(_SYMBOLS)
        if axis is None:
            return _without(report, "transfer", _FEW_VALUES.format(needed=FEWEST_VALUES, held=1))
        objective = self.spec.objective
        # As Python's own numbers, so that medians of whole units are exact.
        values = np.array(held.values[objective.metric].tolist(), dtype=object)
        signed = values if objective.direction is Direction.MAXIMIZE else -values
        known = held.eligible & held.defined(objective.metric)
        by_value = _by_value(self.spec, axis, held.numbers, np.where(known, signed, -np.inf))
        if len(by_value) < FEWEST_VALUES:
            reason = _FEW_VALUES.format(needed=FEWEST_VALUES, held=len(by_value))
            return _without(report, "transfer", reason)
        ranks = transfer(by_value, _tested(by_value, report.panel.settings.test_symbols))
        return _without(report, "transfer", _NO_CHOICE) if ranks is None else replace(report, transfer=ranks)


def _only(held: Measured, trials: TrialSet) -> Measured:
    """Return those that are among some trials."""
    return held if len(trials) == len(held) else held.only(held.among(trials))


def walk_forward_run(windows: WindowCache, spec: SweepSpec, report: SelectionReport) -> WalkForwardRun | None:
    """Return the run of a report's folds, None if they never choose a trial.

    Raises BotError where the store cannot give its windows.
    """
    first_day, folds = report.panel.calendar.first_day, report.walk_forward or []
    return WalkForwardRun.of(
        first_day, folds, spec.config, lambda start_ms, seams: stitch_runs(start_ms, seams, windows.window)
    )


def _by_value(
    spec: SweepSpec, axis: Axis, numbers: IntArray, objectives: Any
) -> dict[str, list[float | int]]:
    """Return the objectives of all settings by value of `symbols`: a setting is a cell of all other axes."""
    cells = spec.space.cells_of(numbers)
    settings = np.zeros(len(numbers), dtype=np.int64)
    for other in spec.space.axes:
        if other.name != _SYMBOLS:
            _, settings = np.unique(
                settings * len(other.values) + spec.space.positions(cells, other.name), return_inverse=True
            )
    places = spec.space.positions(cells, _SYMBOLS)
    count = int(settings.max(initial=-1)) + 1
    found = {}
    for place in occurring(places).tolist():
        of_value = np.full(count, -np.inf, dtype=object)
        of_value[settings[places == place]] = objectives[places == place]
        found[", ".join(axis.values[place])] = of_value.tolist()
    return found


def _tested(by_value: Mapping[str, Any], test_symbols: Collection[str] | None) -> list[str] | None:
    """Return the values to test on, which are those that name a symbol of the set; None to leave out each."""
    if test_symbols is None:
        return None
    return [value for value in by_value if set(value.split(", ")) & set(test_symbols)]


def _without(report: SelectionReport, part: str, reason: str) -> SelectionReport:
    return replace(report, missing={**report.missing, part: reason})
