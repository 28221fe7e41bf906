"""The run that a page is about: a trial of a sweep, or a backtest of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, Request

from api.dependencies import DatabaseDep, ReplaysDep
from api.errors.http_errors import BacktestUnfinishedError, TrialFailedError
from api.work.replays import Replays, StoredRun, Study, trial_run
from bot.backtest.findings import RunFinding
from bot.config.run_config import RunConfig
from bot.errors import BotError
from sweeps.analysis.progress import get_spec
from sweeps.analysis.queries import one_trial, stored_record
from sweeps.jobs.jobs import JobKind, JobState, JobView, get_job
from sweeps.spec.metrics import CARRY, HOLD_NET_PNL, METRICS, MetricKind
from sweeps.storage.curves import decode_equity, decode_trades
from sweeps.storage.states import TrialState

Equity = list[tuple[int, Decimal]]


@dataclass(frozen=True, slots=True)
class RunContext:
    """A run with a result: `base` is the address of its page, `figures` are metrics by name, money Decimal.

    Curve and trades are decoded where they are asked for: most parts of a page show neither.
    """

    base: str
    run: StoredRun
    figures: Mapping[str, Any]
    findings: Sequence[RunFinding]
    decode_equity: Callable[[], Equity] | None
    decode_trades: Callable[[], list[dict[str, Any]]] | None

    @property
    def equity(self) -> Equity | None:
        """Stored equity curve, (ms UTC, equity); None if none was kept."""
        return None if self.decode_equity is None else self.decode_equity()

    @property
    def trades(self) -> list[dict[str, Any]] | None:
        """Stored trades as in the result document; None if none were kept."""
        return None if self.decode_trades is None else self.decode_trades()


def trial_context(connection: sa.Connection, sweep_id: int, number: int) -> RunContext:
    """Return a completed trial; raises UnknownSweepError, or TrialFailedError if it has no result."""
    spec, trial = get_spec(connection, sweep_id), one_trial(connection, sweep_id, number)
    if trial.state is TrialState.FAILED:
        raise TrialFailedError(number, trial.error or "")
    record = stored_record(connection, sweep_id, number)
    run = trial_run(sweep_id, spec, number, trial.run_key)
    return RunContext(
        f"/dashboard/sweeps/{sweep_id}/trials/{number}",
        replace(run, stored=record is not None),
        trial.metrics or {},
        trial.findings,
        None if record is None else partial(decode_equity, record.equity),
        None if record is None else partial(decode_trades, record.trades),
    )


def backtest_context(job: JobView) -> RunContext:
    """Return a backtest that completed; raises BacktestUnfinishedError."""
    if job.state is not JobState.COMPLETED or job.result is None:
        raise BacktestUnfinishedError(job.id, job.error or f"it is {job.state}")
    # Its data are read apart from those of every sweep, whose numbers are positive.
    run = StoredRun(-job.id, f"backtest {job.id}", _config_of(job), job.result["run_key"], stored=True)
    result = job.result
    return RunContext(
        f"/dashboard/backtests/{job.id}",
        run,
        job_figures(result),
        job_findings(result),
        lambda: [(t_ms, Decimal(value)) for t_ms, value in result["equity"]],
        lambda: list(result["trades"]),
    )


def _config_of(job: JobView) -> RunConfig:
    result: Mapping[str, Any] = job.result or {}
    return RunConfig.parse(result["config"])


def job_findings(result: Mapping[str, Any]) -> list[RunFinding]:
    """Return the findings of a result document; those of before there were any have none."""
    return [RunFinding.of(found) for found in result.get("findings", [])]


def job_figures(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return every metric of a result document by name, money as Decimal; None for what it has not."""
    beside = result["hold_baseline"]
    values = {**result["metrics"], **{name: beside[name] for name in CARRY}}
    values[HOLD_NET_PNL] = beside["metrics"]["net_pnl"]
    return {name: _figure(kind, values.get(name)) for name, kind in METRICS.items()}


def _figure(kind: MetricKind, value: Any) -> Any:
    return Decimal(value) if kind is MetricKind.MONEY and value is not None else value


async def _run_context(request: Request, database: DatabaseDep) -> RunContext:
    path = request.path_params
    if "job_id" in path:
        return backtest_context(await database.read(get_job, JobKind.BACKTEST, path["job_id"]))
    return await database.read(trial_context, path["sweep_id"], path["number"])


RunContextDep = Annotated[RunContext, Depends(_run_context)]
"""The run that the numbers in the path name: `sweep_id` and `number`, or `job_id`."""


async def _study(context: RunContextDep, replays: ReplaysDep) -> Study:
    return await replays.work.run(lambda: replays.study(context.run))


StudyDep = Annotated[Study, Depends(_study)]


def study_or_refusal(replays: Replays, run: StoredRun) -> tuple[Study | None, str | None]:
    """Return a replayed run, or why it cannot be replayed."""
    try:
        return replays.study(run), None
    except BotError as error:
        return None, error.message
