"""Runs replayed on demand: the same classes, data and numbers as in a worker."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

import sqlalchemy as sa

from api.errors.http_errors import HistoryChangedError
from api.work.bounded_work import BoundedWork
from bot.backtest.baseline import Baselines, FinishedRun
from bot.backtest.walk_forward_run import WalkForwardRun
from bot.config.run_config import RunConfig
from bot.config.run_key import run_key
from bot.errors import BotError
from bot.hedges.evidence.engine_choice import settled_rates
from bot.hedges.journal.records import Journal
from bot.hedges.runs import AnyRun, AnyWindow, blocked_of, replay_explained
from bot.market_store.loading import resolve_exchange
from bot.market_store.sql import refuse_sealed
from bot.market_store.store import HistoricalDataStore
from bot.models import FundingRate
from bot.numbers.arrays import IntArray
from bot.selection.report import SelectionReport
from sweeps.analysis.queries import TrialView
from sweeps.estimates.costing import CostMeter
from sweeps.spec.read_pairs import exchanges_read
from sweeps.spec.spec import SweepSpec
from sweeps.work.positive_years import positive_every_year
from sweeps.work.replay import MAX_HELD_TICKERS, HeldWindow, WindowCache
from sweeps.work.report_parts import walk_forward_run

_MOST_PRICES = 2 * MAX_HELD_TICKERS
_TRIALS_AT_ONCE = 256
_MOST_COUNTS = 100


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run to be replayed: `owner` is the sweep it is of, `name` what people call it.

    `run_key` is that of its stored result, None if it has none; `stored` says whether its curve is stored.
    """

    owner: int
    name: str
    config: RunConfig
    run_key: str | None
    stored: bool = False


@dataclass(frozen=True, slots=True)
class Study:
    """A replayed run with its window, and the run that holds in it; of hedges its journal too."""

    result: AnyRun
    hold: FinishedRun
    window: AnyWindow
    baselines: Baselines
    journal: Journal | None = None

    @property
    def settled(self) -> list[FundingRate]:
        """The settlements of its window and earlier ones, oldest first."""
        return settled_rates(self.result.config, self.window)


@dataclass(slots=True)
class _Run:
    """A run as far as it was asked for: its window with the hold baselines, and its result once replayed."""

    config: RunConfig
    held: HeldWindow
    result: AnyRun | None = None
    journal: Journal | None = None

    def replayed(self) -> AnyRun:
        if self.result is None:
            self.result, self.journal = replay_explained(self.config, self.held.window)
        return self.result

    @property
    def hold(self) -> FinishedRun:
        return self.held.baselines.of(self.config)


class _Recent:
    """Runs by run key, the least recently asked for dropped first: same key, same numbers.

    Bounded by the prices that their windows hold; the newest always stays.
    """

    def __init__(self) -> None:
        self._runs: OrderedDict[str, _Run] = OrderedDict()

    def get(self, run_key: str | None) -> _Run | None:
        if run_key is None or run_key not in self._runs:
            return None
        self._runs.move_to_end(run_key)
        return self._runs[run_key]

    def keep(self, run_key: str, run: _Run) -> None:
        self._runs[run_key] = run
        self.shrink()

    def shrink(self) -> None:
        while len(self._runs) > 1 and self._prices() > _MOST_PRICES:
            self._runs.popitem(last=False)

    def _prices(self) -> int:
        windows = {id(run.held.window): run.held.window.prices for run in self._runs.values()}
        curves = sum(len(run.result.curve.units) for run in self._runs.values() if run.result is not None)
        journals = sum(run.journal.size for run in self._runs.values() if run.journal is not None)
        return sum(windows.values()) + curves + journals


class Replays:
    """One run at a time, for callers in worker threads; up to `most` requests take turns by `work`.

    Each answer raises HistoryChangedError if the store or the engine no longer gives the stored numbers, and
    BotError as the replay does.
    """

    def __init__(self, engine: sa.Engine, most: int) -> None:
        self.work = BoundedWork("replays", most)
        self.store = HistoricalDataStore(engine)
        self.costs = CostMeter(self.store)
        self._windows = WindowCache(self.store)
        self._recent = _Recent()
        self._lock = Lock()
        self._rising: OrderedDict[tuple[int, bytes], int] = OrderedDict()

    def result(self, run: StoredRun) -> AnyRun:
        """Return a run, replayed."""
        with self._ready(run) as ready:
            return ready.replayed()

    def study(self, run: StoredRun) -> Study:
        """Return a run with what explains it."""
        with self._ready(run) as ready:
            result = ready.replayed()
            return Study(result, ready.hold, ready.held.window, ready.held.baselines, ready.journal)

    def hold(self, run: StoredRun) -> FinishedRun:
        """Return the hold baseline of a run, which itself is not replayed."""
        with self._ready(run) as ready:
            return ready.hold

    def walk_forward(self, sweep_id: int, spec: SweepSpec, report: SelectionReport) -> WalkForwardRun:
        """Return the stitched run of a report that has one."""
        with self._lock:
            run = walk_forward_run(WindowCache(self.store), spec, report)
        if run is None or run.figures != report.stitched:
            raise HistoryChangedError(f"the walk-forward of sweep {sweep_id}")
        return run

    def rising(self, sweep_id: int, spec: SweepSpec, numbers: IntArray) -> int:
        """Return how many trials rose in every UTC year; others have their turn between some and some.

        The answer is cached: the caller knows that the data of the sweep have not changed.
        """
        key = sweep_id, numbers.tobytes()
        if key not in self._rising:
            windows, found = WindowCache(self.store), 0
            for first in range(0, len(numbers), _TRIALS_AT_ONCE):
                with self._lock:
                    some = numbers[first : first + _TRIALS_AT_ONCE].tolist()
                    found += len(positive_every_year(spec, some, windows))
            self._rising[key] = found
            if len(self._rising) > _MOST_COUNTS:
                self._rising.popitem(last=False)
        return self._rising[key]

    def window(self, run: StoredRun) -> AnyWindow:
        """Return the window of a run, in which nothing is replayed."""
        with self._ready(run) as ready:
            return ready.held.window

    def blocked_entries(
        self, sweep_id: int, spec: SweepSpec, trial: TrialView
    ) -> list[dict[str, Any]] | None:
        """Return the entry blockers of a trial, none if it traded, None if it cannot be replayed."""
        if trial.metrics is None:
            return None
        if trial.metrics["total_trades"]:
            return []
        try:
            found = self.study(trial_run(sweep_id, spec, trial.number, trial.run_key))
        except BotError:
            return None
        blocked = blocked_of(found.result, found.window)
        return [report.document() for report in blocked]

    @contextmanager
    def _ready(self, run: StoredRun) -> Iterator[_Run]:
        """Give a run whose window is known to be the one it was stored for, while no other is worked on."""
        self._refuse_sealed(run.config)
        with self._lock:
            try:
                yield self._recent.get(run.run_key) or self._opened(run)
            except HistoryChangedError:
                raise
            except BotError:
                self._windows, self._recent = WindowCache(self.store), _Recent()
                raise
            self._recent.shrink()

    def _refuse_sealed(self, config: RunConfig) -> None:
        """Raise SealedError for a run that ends in sealed days, one that is remembered included."""
        with self.store.engine.connect() as connection:
            for exchange in exchanges_read(config):
                refuse_sealed(connection, exchange or resolve_exchange(connection, None), config.end)

    def _opened(self, run: StoredRun) -> _Run:
        self._windows.enter(run.owner)
        held = self._windows.held(run.config)
        config = run.config.model_copy(update={"exchange": held.window.exchange})
        key = run_key(config, held.window.fingerprint)
        if run.run_key not in {None, key}:
            raise HistoryChangedError(run.name, stored=run.stored)
        known = self._recent.get(key)
        if known is None:
            known = _Run(config, held)
            self._recent.keep(key, known)
        return known


def trial_run(
    sweep_id: int, spec: SweepSpec, number: int, run_key: str | None, *, stored: bool = False
) -> StoredRun:
    """Return the run of a trial; raises BotError if its parameters are refused."""
    return StoredRun(sweep_id, f"trial {number}", spec.config(number), run_key, stored)
