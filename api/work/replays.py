"""Runs replayed on demand: the same classes, data and numbers as in a worker."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

import sqlalchemy as sa

from api.errors.http_errors import HistoryChangedError
from api.work.bounded_work import BoundedWork
from bot.backtest import ReplayWindow, RunResult, explain, replay
from bot.backtest.baseline import Baselines
from bot.config.run_config import RunConfig
from bot.errors import BotError
from bot.market_store.store import HistoricalDataStore
from sweeps.analysis.queries import TrialView
from sweeps.estimates.costing import CostMeter
from sweeps.spec.spec import SweepSpec
from sweeps.work.replay import MAX_HELD_TICKERS, WindowCache

_MOST_PRICES = 2 * MAX_HELD_TICKERS


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
    """A replayed run with its window, and the run that holds in it."""

    result: RunResult
    hold: RunResult
    window: ReplayWindow
    baselines: Baselines

    @property
    def prices(self) -> int:
        """Number of prices in its window."""
        return len(self.window.events) * len(self.window.instruments)


class _Recent:
    """Studies by run key, the least recently asked for dropped first: same key, same numbers.

    Bounded by the prices that their windows hold; the newest always stays.
    """

    def __init__(self) -> None:
        self._studies: OrderedDict[str, Study] = OrderedDict()

    def get(self, run_key: str | None) -> Study | None:
        if run_key is None or run_key not in self._studies:
            return None
        self._studies.move_to_end(run_key)
        return self._studies[run_key]

    def keep(self, study: Study) -> None:
        self._studies[study.result.run_key] = study
        while len(self._studies) > 1 and self._prices() > _MOST_PRICES:
            self._studies.popitem(last=False)

    def _prices(self) -> int:
        windows = {id(study.window): study.prices for study in self._studies.values()}
        curves = sum(len(study.result.equity) for study in self._studies.values())
        return sum(windows.values()) + curves


class Replays:
    """One run at a time, for callers in worker threads; up to `most` requests take turns by `work`."""

    def __init__(self, engine: sa.Engine, most: int) -> None:
        self.work = BoundedWork("replays", most)
        self.store = HistoricalDataStore(engine)
        self.costs = CostMeter(self.store)
        self._windows = WindowCache(self.store)
        self._recent = _Recent()
        self._lock = Lock()

    def run(self, sweep_id: int, spec: SweepSpec, number: int, run_key: str | None) -> RunResult:
        """Return the run of a trial; `run_key` is that of its stored row, if it has one.

        Raises: HistoryChangedError if the store or the engine no longer gives the stored numbers; BotError
        as the replay does.
        """
        with self._lock:
            return self._run(trial_run(sweep_id, spec, number, run_key))

    def study(self, run: StoredRun) -> Study:
        """Return a run with what explains it; raises as `run` does."""
        with self._lock:
            found = self._recent.get(run.run_key)
            if found is None:
                found = self._studied(run)
                self._recent.keep(found)
            return found

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
        blocked = explain(found.result, found.window, found.baselines).blocked
        return [report.document() for report in blocked]

    def _studied(self, run: StoredRun) -> Study:
        result = self._run(run)
        baselines = self._windows.baselines(run.config)
        return Study(result, baselines.of(result.config), self._windows.window(run.config), baselines)

    def _run(self, run: StoredRun) -> RunResult:
        self._windows.enter(run.owner)
        try:
            result = replay(run.config, self._windows.window(run.config))
        except BotError:
            self._windows = WindowCache(self.store)
            raise
        if run.run_key is not None and result.run_key != run.run_key:
            raise HistoryChangedError(run.name, stored=run.stored)
        return result


def trial_run(sweep_id: int, spec: SweepSpec, number: int, run_key: str | None) -> StoredRun:
    """Return the run of a trial; raises BotError if its parameters are refused."""
    return StoredRun(sweep_id, f"trial {number}", spec.config(number), run_key)
