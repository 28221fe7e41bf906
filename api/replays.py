"""Trials replayed on demand: the same classes, data and numbers as in a worker."""

from threading import Lock
from typing import Any

import sqlalchemy as sa

from api.refusals import HistoryChangedError
from bot.backtest import RunResult
from bot.data.store import HistoricalDataStore
from bot.errors import BotError
from sweeps.queries import TrialView
from sweeps.replay import WindowCache, insight, replay_trial
from sweeps.spec import SweepSpec


class Replays:
    """One trial at a time, for callers in worker threads."""

    def __init__(self, engine: sa.Engine) -> None:
        self.store = HistoricalDataStore(engine)
        self._windows = WindowCache(self.store)
        self._lock = Lock()

    def run(self, sweep_id: int, spec: SweepSpec, number: int, run_key: str | None) -> RunResult:
        """Return the run of a trial; `run_key` is that of its stored row, if it has one.

        Raises: HistoryChangedError if the store or the engine no longer gives the stored numbers; BotError
        as the replay does.
        """
        with self._lock:
            return self._run(sweep_id, spec, number, run_key)

    def hold(self, sweep_id: int, spec: SweepSpec, number: int, run_key: str | None) -> RunResult:
        """Return the run that holds with the account and in the window of a trial; raises as `run` does."""
        with self._lock:
            config = self._run(sweep_id, spec, number, run_key).config
            return self._windows.baselines(config).of(config)

    def blocked_entries(
        self, sweep_id: int, spec: SweepSpec, trial: TrialView
    ) -> list[dict[str, Any]] | None:
        """Return what kept a trial from trading, nothing if it traded, None if it cannot be replayed."""
        if trial.metrics is None:
            return None
        if trial.metrics["total_trades"]:
            return []
        try:
            with self._lock:
                result = self._run(sweep_id, spec, trial.number, trial.run_key)
                return [report.document() for report in insight(result, self._windows).blocked]
        except BotError:
            return None

    def _run(self, sweep_id: int, spec: SweepSpec, number: int, run_key: str | None) -> RunResult:
        self._windows.enter(sweep_id)
        try:
            result = replay_trial(spec, number, self._windows)
        except BotError:
            self._windows = WindowCache(self.store)
            raise
        if run_key is not None and result.run_key != run_key:
            raise HistoryChangedError(number)
        return result
