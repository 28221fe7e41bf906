"""Replays of many runs over one window by the compiled kernel."""

import ctypes
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.config.run_config import RunConfig
from bot.kernel.decision_tables import DecisionTables, TableList, WrittenDecisions
from bot.kernel.layouts import Batch
from bot.kernel.loading import Library
from bot.kernel.results import BatchResults, Span
from bot.kernel.trials import TrialRows
from bot.kernel.unfit import Reason, UnfitError
from bot.kernel.window_columns import WindowColumns, pointers
from bot.market.window import ReplayWindow
from bot.numbers.arrays import IntArray
from bot.numbers.money import exact
from bot.statistics.daily_returns import DailyReturns
from bot.statistics.metrics import money_units
from bot.statistics.trial_columns import TrialColumns

_MOST_CAPITAL = 2**52
"""Sums of money stay exact in float64 below it."""
_MOST_CELLS = 1_000_000
"""Bound of the tables that one call of the library reads: some 4 to 8 MB."""


@dataclass(frozen=True, slots=True)
class Replays:
    """Results of the runs at `places`, in that order; the others are counted in `refused` by reason.

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

    def replay(self, configs: Sequence[RunConfig]) -> Replays:
        """Return the results of the runs that fit, equal in every bit to those of plain replays."""
        done = _Done(self._window)
        try:
            tables = self._ready()
        except UnfitError as error:
            done.refused[error.reason] += len(configs)
            return done.replays()
        with exact():
            call = _Call(tables)
            for place, config in enumerate(configs):
                try:
                    call.add(place, config)
                except UnfitError as error:
                    done.refused[error.reason] += 1
                if call.tables.cells > _MOST_CELLS:
                    self._finish(call, done)
                    tables.forget()
                    call = _Call(tables)
            self._finish(call, done)
        return done.replays()

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
                self._columns = WindowColumns(self._window)
                self._tables = DecisionTables(self._window, self._columns)
        except UnfitError as error:
            self._unfit = error.reason

    def _finish(self, call: "_Call", done: "_Done") -> None:
        """Replay the runs of a call and add what came of them."""
        if not call.places or self._columns is None:
            return
        rows = TrialRows(call.configs, call.decided, call.holding)
        results = BatchResults.of(rows.hold_of, len(rows.holds), self._window.calendar)
        columns, values = pointers(call.tables.columns), pointers(call.tables.values)
        window = self._columns.structure()
        window.columns, window.values = ctypes.addressof(columns), ctypes.addressof(values)
        batch = Batch(
            rows.trials.ctypes.data,
            rows.holds.ctypes.data,
            rows.hold_of.ctypes.data,
            len(rows.trials),
            results.runs.results.ctypes.data,
            results.holds.results.ctypes.data,
            results.runs.ratios.ctypes.data,
            results.holds.ratios.ctypes.data,
            results.ledgers.ctypes.data,
            results.days.runs.ctypes.data,
            results.days.holds.ctypes.data,
        )
        self._library.replay(window, batch)
        fits = results.fits
        if not fits.all():
            done.refused[Reason.RANGE] += int(np.count_nonzero(~fits))
        places = rows.order[fits]
        capitals = [call.configs[place].initial_capital for place in places.tolist()]
        span = Span(self._columns.events, self._columns.elapsed_ms, bool(self._window.contract_ends))
        done.places.append(np.array(call.places, dtype=np.int64)[places])
        done.columns.append(results.columns(capitals, fits, span))
        done.days.append(results.days if fits.all() else results.days.take(np.flatnonzero(fits)))


class _Done:
    """Results of the calls made so far."""

    def __init__(self, window: ReplayWindow) -> None:
        self.places: list[IntArray] = [np.empty(0, dtype=np.int64)]
        self.columns: list[TrialColumns] = []
        self.days = [DailyReturns.none(window.calendar)]
        self.refused: Counter[Reason] = Counter()

    def replays(self) -> Replays:
        return Replays(
            np.concatenate(self.places),
            TrialColumns.concatenated(self.columns),
            DailyReturns.concatenated(self.days),
            self.refused,
        )


class _Call:
    """Runs that go to the library together."""

    def __init__(self, tables: DecisionTables) -> None:
        self.tables = TableList()
        self.places: list[int] = []
        self.configs: list[RunConfig] = []
        self.decided: list[WrittenDecisions] = []
        self.holding = tables.written(tables.holding(), self.tables)
        self._tables = tables

    def add(self, place: int, config: RunConfig) -> None:
        """Add a run by its place; raises UnfitError."""
        if money_units(config.initial_capital) >= _MOST_CAPITAL:
            raise UnfitError(Reason.RANGE)
        decided = self._tables.written(self._tables.decide(config), self.tables)
        self.places.append(place)
        self.configs.append(config)
        self.decided.append(decided)
