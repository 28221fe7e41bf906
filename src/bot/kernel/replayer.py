"""Replays of many runs over one window by the compiled kernel."""

import ctypes
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.config.parameter_columns import ParameterColumns
from bot.config.run_config import RunConfig
from bot.kernel.decision_groups import DecisionGroup, decision_groups
from bot.kernel.decision_tables import DecisionTables, TableList, WrittenDecisions
from bot.kernel.layouts import Batch, address, pointers
from bot.kernel.loading import Library
from bot.kernel.results import BatchResults
from bot.kernel.trials import TrialAccounts, decision_rows, run_rows
from bot.kernel.unfit import Reason, UnfitError
from bot.kernel.window_columns import WindowColumns
from bot.market.window import ReplayWindow
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.money import exact
from bot.numbers.numbering import numbered
from bot.statistics.daily_returns import DailyReturns
from bot.statistics.trial_columns import TrialColumns

_FIRST: IntArray = np.zeros(1, dtype=np.int64)
_MOST_CELLS = 1_000_000
"""Bound of the tables that one call of the library reads: some 4 to 8 MB."""
_MOST_HELD_CELLS = 4_000_000
"""Bound of the numbers in tables that are held for the next call, 4 or 8 bytes each."""


@dataclass(frozen=True, slots=True)
class Replays:
    """Results of the runs at `places`, ascending; the others are counted in `refused` by reason.

    `days` are their daily returns.
    """

    places: IntArray
    columns: TrialColumns
    days: DailyReturns
    refused: Counter[Reason]


class KernelReplayer:
    """Replays the runs of one window that fit the kernel; keeps its columns from one call to the next."""

    def __init__(self, library: Library, window: ReplayWindow) -> None:
        self._library = library
        self._window = window
        self._unfit: Reason | None = None
        self._columns: WindowColumns | None = None
        self._tables: DecisionTables | None = None

    def replay(self, parameters: ParameterColumns) -> Replays:
        """Return the results of the runs that fit, equal in every bit to those of plain replays."""
        done = _Done(self._window)
        try:
            tables = self._ready()
        except UnfitError as error:
            done.refused[error.reason] += len(parameters)
            return done.replays()
        if tables.cells > _MOST_HELD_CELLS:
            tables.forget()
        with exact():
            trials = TrialAccounts(parameters)
            known = np.arange(len(parameters))
            for reason, fit in trials.fitting():
                fitting = known[fit[known]]
                done.refuse(reason, len(known) - len(fitting))
                known = fitting
            call = _Call(tables)
            for group in decision_groups(parameters, known):
                try:
                    call.add(group)
                except UnfitError as error:
                    done.refuse(error.reason, len(group.places))
                if call.tables.cells > _MOST_CELLS:
                    self._finish(trials, call, done)
                    tables.forget()
                    call = _Call(tables)
            self._finish(trials, call, done)
        return done.replays()

    def enters_whole_slots(self, config: RunConfig) -> bool:
        """Return whether the strategy of a run is known to enter with whole slots, never with shares."""
        try:
            tables = self._ready()
        except UnfitError:
            return False
        with exact():
            return tables.enters_whole_slots(config)

    def _ready(self) -> DecisionTables:
        """Return the tables of the window; raises UnfitError if it does not fit."""
        if self._tables is None:
            if self._unfit is None:
                self._prepare()
            if self._unfit is not None:
                raise UnfitError(self._unfit)
        assert self._tables is not None  # noqa: S101
        return self._tables

    def _prepare(self) -> None:
        try:
            with exact():
                self._columns = WindowColumns(self._window, self._library)
                self._tables = DecisionTables(self._window, self._columns)
        except UnfitError as error:
            self._unfit = error.reason

    def _finish(self, trials: TrialAccounts, call: "_Call", done: "_Done") -> None:
        """Replay the runs of a call and add what came of them."""
        if not call.places or self._columns is None:
            return
        places, rows = run_rows(trials.numbers, call.places, call.decided)
        accounts = trials.rows
        if len(places) < len(trials.numbers):
            used, rows["account"] = numbered(rows["account"], len(accounts))
            accounts = accounts[used]
        results = BatchResults.of(rows["account"], len(accounts), self._window.calendar)
        self._run(call, rows, accounts, results)
        columns = results.columns(accounts["capital"], self._columns.elapsed_ms)
        done.add(places, columns, results.days, results.fits)

    def _run(
        self, call: "_Call", runs: npt.NDArray[Any], accounts: npt.NDArray[Any], results: BatchResults
    ) -> None:
        assert self._columns is not None  # noqa: S101 - a call has tables only if there are columns
        columns, values = pointers(call.tables.columns), pointers(call.tables.values)
        window = self._columns.structure()
        window.columns, window.values = ctypes.addressof(columns), ctypes.addressof(values)
        decisions = decision_rows([*call.decided, call.holding])
        _, baseline = run_rows(_FIRST, [_FIRST], [call.holding])
        baseline["decisions"] = len(call.decided)
        batch = Batch(
            address(runs),
            address(baseline),
            address(accounts),
            address(decisions),
            len(runs),
            address(results.sources),
            address(results.metrics),
            address(results.fits),
            address(results.grows),
            address(results.ledgers),
            address(results.days.rows),
            address(results.days.holds),
        )
        self._library.replay(window, batch)


class _Done:
    """Results of the calls made so far, by the places of their runs."""

    def __init__(self, window: ReplayWindow) -> None:
        self._window = window
        self._places: list[IntArray] = []
        self._columns: list[TrialColumns] = []
        self._days: list[DailyReturns] = []
        self.refused: Counter[Reason] = Counter()

    def refuse(self, reason: Reason, count: int) -> None:
        """Count runs that are left to the plain replay."""
        if count:
            self.refused[reason] += count

    def add(self, places: IntArray, columns: TrialColumns, days: DailyReturns, fits: BoolArray) -> None:
        """Add the results of the runs at `places`, ascending, but for those that do not fit."""
        if not fits.all():
            kept = np.flatnonzero(fits)
            self.refuse(Reason.RANGE, len(places) - len(kept))
            places, columns, days = places[kept], columns.take(kept), days.take(kept)
        self._places.append(places)
        self._columns.append(columns)
        self._days.append(days)

    def replays(self) -> Replays:
        """Return all of them, in the order of their places."""
        if len(self._places) == 1:
            return Replays(self._places[0], self._columns[0], self._days[0], self.refused)
        places = np.concatenate([np.empty(0, dtype=np.int64), *self._places])
        days = DailyReturns.concatenated([DailyReturns.none(self._window.calendar), *self._days])
        order = np.argsort(places, kind="stable")
        columns = TrialColumns.concatenated(self._columns).take(order)
        return Replays(places[order], columns, days.take(order), self.refused)


class _Call:
    """Runs that go to the library together."""

    def __init__(self, tables: DecisionTables) -> None:
        self.tables = TableList()
        self.places: list[IntArray] = []
        self.decided: list[WrittenDecisions] = []
        self.holding = tables.holding(self.tables)
        self._tables = tables

    def add(self, group: DecisionGroup) -> None:
        """Add the runs of a group; raises UnfitError, with none of them added."""
        parts = list(self._tables.of(group, self.tables))
        self.places += [part.places for part, _ in parts]
        self.decided += [decided for _, decided in parts]
