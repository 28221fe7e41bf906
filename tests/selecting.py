"""Selections of sweeps in tests: run in this process, and judged by a plain path from trial curves."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import sqlalchemy as sa
from sweeping import BASE, submit, sweep_spec

from bot.backtest import Baselines, RunResult
from bot.clock import SystemClock
from bot.market.rows import SeriesKey, SeriesKind
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import PROFILES, GeneratedPair, generate_pair
from bot.models import DAY_MS, HOUR_MS
from bot.selection.days.calendar import Calendar
from bot.selection.judging import judge
from bot.selection.looks import Lifetime
from bot.selection.panel import Panel
from bot.selection.settings import ValidationSettings
from bot.selection.trial_sums import TrialReturns, TrialSums
from bot.timestamps import parse_time_ms
from sweeps.jobs.job_dispatcher import JobDispatcher
from sweeps.jobs.job_runner import JobRunner
from sweeps.jobs.selection_jobs import SelectionView, selection_view
from sweeps.queue.reconcile import close_finished
from sweeps.spec.metrics import Direction
from sweeps.spec.spec import SweepSpec
from sweeps.work.replay import WindowCache, prepare, replay_trial
from sweeps.work.report_parts import walk_forward_run
from sweeps.work.runner import ChunkRunner

LONG_EXCHANGE = "whole-year"
LONG_BASE = {**BASE, "exchange": LONG_EXCHANGE, "end": "2024-12-20"}
LONG_GRID: dict[str, Any] = {
    "min_funding_rate": {"start": "0.00002", "stop": "0.0002", "step": "0.00002"},
    "exit_funding_rate": ["0", "0.00005"],
    "perp_leverage": [1, 3],
}
SETTINGS = {"min_trades": 2, "min_settlements": 20, "walk_forward": {"train_days": 120, "test_days": 60}}


def long_market(engine: sa.Engine) -> None:
    """Store a year of two generated pairs as a data set of their own."""
    store = HistoricalDataStore(engine)
    for pair in _year():
        store.put_instrument(LONG_EXCHANGE, pair.symbol, pair.instrument)
        for kind, rows in pair.rows.items():
            key = SeriesKey(LONG_EXCHANGE, pair.symbol, kind, 0 if kind is SeriesKind.FUNDING else HOUR_MS)
            store.merge(key, rows, synthetic=True)


@cache
def _year() -> tuple[GeneratedPair, ...]:
    year = parse_time_ms("2024-01-01"), parse_time_ms("2025-01-01")
    return tuple(generate_pair(profile, 1, *year) for profile in PROFILES[:2])


def long_spec(**changes: Any) -> SweepSpec:
    """Return a sweep of 40 trials over most of a year, judged by `SETTINGS`."""
    return sweep_spec(**{"base": LONG_BASE, "grid": LONG_GRID, "validation": SETTINGS} | changes)


def run_chunks(engine: sa.Engine, sweep_id: int, chunks: int, *, backwards: bool = False) -> None:
    """Replay the chunks of a sweep in this process, and end it."""
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())
    for chunk_id in reversed(range(chunks)) if backwards else range(chunks):
        runner.run(sweep_id, chunk_id, "me")
    with write_transaction(engine) as connection:
        close_finished(connection)


def replayed_sweep(engine: sa.Engine) -> int:
    """Return a sweep over the long market whose trials are replayed, in one chunk, and not judged."""
    long_market(engine)
    sweep_id = submit(engine, long_spec(), size=40)
    run_chunks(engine, sweep_id, 1)
    return sweep_id


class JobList:
    """A queue that keeps the jobs it is told."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def publish_job(self, job_id: int, *, behind: bool = False) -> None:
        """Take a message."""
        self.told.append(job_id)


def do_jobs(engine: sa.Engine) -> list[str]:
    """Do all jobs that wait; return how each ended."""
    queue = JobList()
    JobDispatcher(engine, queue).step()
    return [str(JobRunner(engine).run(job_id)) for job_id in queue.told]


def view_of(engine: sa.Engine, sweep_id: int, digest: str | None = None) -> SelectionView:
    """Return what there is of a sweep's selection."""
    with engine.connect() as connection:
        return selection_view(connection, sweep_id, digest)


def report_of_sweep(engine: sa.Engine, sweep_id: int, digest: str | None = None) -> dict[str, Any]:
    """Return the document of a report that is there."""
    view = view_of(engine, sweep_id, digest)
    assert view.complete
    assert view.panels is not None
    return view.panels.document()


_reports: dict[tuple[str | bytes, ...], dict[str, Any]] = {}


def plain_report(
    engine: sa.Engine, spec: SweepSpec, settings: ValidationSettings | None = None
) -> dict[str, Any]:
    """Return the report on a sweep of one panel from the curves of its trials, once for equal run keys."""
    chosen = settings or spec.validation
    assert chosen
    ready, _ = prepare(spec, range(spec.trial_count), WindowCache(HistoricalDataStore(engine)))
    runs = [trials.run_keys.tobytes() for trials in ready]
    key = (repr(spec.document()), repr(chosen), *runs)
    if key not in _reports:
        _reports[key] = _replayed_report(engine, spec, chosen)
    return deepcopy(_reports[key])


def _replayed_report(engine: sa.Engine, spec: SweepSpec, chosen: ValidationSettings) -> dict[str, Any]:
    windows = WindowCache(HistoricalDataStore(engine))
    runs = [replay_trial(spec, number, windows) for number in range(spec.trial_count)]
    first = min(_day(run.calendar.moments[0]) for run in runs)
    last = max(_day(run.calendar.moments[-1]) for run in runs)
    days = (last - first).days + 1
    holds = [Baselines(windows.window(run.config)).of(run.config) for run in runs]
    trials = TrialReturns(
        np.arange(len(runs)),
        np.array([plain_returns(run, first, days) for run in runs]),
        np.array([plain_returns(run, first, days) for run in holds]),
        np.array([run.metrics.total_trades for run in runs]),
        np.array([run.metrics.funding_payments for run in runs]),
        np.array([_objective(spec, run) for run in runs]),
    )
    panel = Panel(Calendar(first, days), spec.objective.metric, chosen)
    lifetime = Lifetime(len(runs), len(runs), 0.0)
    report = judge(panel, [TrialSums.of(panel, trials)], lifetime)
    stitched = walk_forward_run(WindowCache(HistoricalDataStore(engine)), spec, report)
    return replace(report, stitched=None if stitched is None else stitched.figures).document()


def plain_returns(run: RunResult, first: date, days: int) -> list[float]:
    """Return the daily returns of a run, day by day from its equity points; 0 outside its own days."""
    closes: dict[date, int] = {}
    for t_ms, units in zip(run.calendar.moments, run.curve.units.tolist(), strict=True):
        closes[_day(t_ms)] = units
    before = int(run.config.initial_capital * 10**8)
    found = []
    for place in range(days):
        close = closes.get(first + timedelta(days=place), before)
        found.append((close - before) / before)
        before = close
    return found


def _day(t_ms: int) -> date:
    return datetime.fromtimestamp(t_ms // DAY_MS * DAY_MS / 1000, tz=UTC).date()


def _objective(spec: SweepSpec, run: RunResult) -> float:
    value = getattr(run.metrics, spec.objective.metric)
    sign = 1 if spec.objective.direction is Direction.MAXIMIZE else -1
    return np.nan if value is None else sign * float(value)
