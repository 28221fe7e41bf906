"""The run that a page is about: a trial of a sweep, or a backtest of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Protocol

import sqlalchemy as sa
from fastapi import Depends, Request

from api.dependencies import DatabaseDep, ReplaysDep
from api.errors.http_errors import BacktestUnfinishedError, TrialFailedError
from api.work.replays import StoredRun, Study, trial_run
from bot.backtest.findings import RunFinding
from bot.backtest.result import Curve, trade_of
from bot.config.hedge_checks import needs_hedge_engine
from bot.config.run_config import RunConfig
from bot.errors import BotError
from bot.hedges.positions import HedgeTrade
from bot.hedges.result import hedge_trade_of
from bot.models import Trade
from sweeps.analysis.queries import stored_record, trial_head
from sweeps.jobs.jobs import JobKind, JobState, JobView, get_job
from sweeps.spec.metrics import CARRY, HOLD_NET_PNL, METRICS, MetricKind
from sweeps.storage.states import TrialState


class RunRecord(Protocol):
    """Equity curve and trades of a run as they are kept, decoded where they are asked for."""

    @property
    def curve(self) -> Curve:
        """Equity curve."""

    @property
    def trade_documents(self) -> list[dict[str, Any]]:
        """Trades as they are kept."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """A run with a result: `base` is the address of its page."""

    base: str
    run: StoredRun


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run with a result and what is kept of it; None if neither curve nor trades were kept."""

    run: StoredRun
    record: RunRecord | None


@dataclass(frozen=True, slots=True)
class _JobRecord:
    """Curve and trades of a result document."""

    result: Mapping[str, Any]

    @property
    def curve(self) -> Curve:
        return Curve.of_document(self.result["equity"])

    @property
    def trade_documents(self) -> list[dict[str, Any]]:
        return list(self.result["trades"])


def trades_of(run: StoredRun, documents: Sequence[Mapping[str, Any]]) -> list[Trade | HedgeTrade]:
    """Return trades of a run as they are kept."""
    of_document = hedge_trade_of if needs_hedge_engine(run.config) else trade_of
    return [of_document(document) for document in documents]


def trial_context(connection: sa.Connection, sweep_id: int, number: int) -> RunContext:
    """Return a completed trial; raises UnknownSweepError, or TrialFailedError if it has no result."""
    head = trial_head(connection, sweep_id, number)
    if head.state is TrialState.FAILED:
        raise TrialFailedError(number, head.error or "")
    run = trial_run(sweep_id, head.spec, number, head.run_key, stored=head.recorded)
    return RunContext(f"/dashboard/sweeps/{sweep_id}/trials/{number}", run)


def recorded_trial(
    connection: sa.Connection, sweep_id: int, number: int, seals: Mapping[str, int] | None = None
) -> RecordedRun:
    """Return a completed trial with its record; raises as `trial_context` and `stored_record` do."""
    run = trial_context(connection, sweep_id, number).run
    return RecordedRun(run, stored_record(connection, sweep_id, number, seals) if run.stored else None)


def recorded_or_none(connection: sa.Connection, sweep_id: int, number: int) -> RecordedRun | None:
    """Return a trial with its record, None without a result or where it may not be read."""
    try:
        found = recorded_trial(connection, sweep_id, number)
    except BotError:
        return None
    return None if found.run.run_key is None else found


def recorded_backtest(job: JobView) -> RecordedRun:
    """Return a completed backtest with its curve and trades."""
    return RecordedRun(backtest_context(job).run, _JobRecord(_result_of(job)))


def backtest_context(job: JobView) -> RunContext:
    """Return a backtest that completed; raises BacktestUnfinishedError."""
    result = _result_of(job)
    # Its data are read apart from those of every sweep, whose numbers are positive.
    config = RunConfig.parse(result["config"])
    run = StoredRun(-job.id, f"backtest {job.id}", config, result["run_key"], stored=True)
    return RunContext(f"/dashboard/backtests/{job.id}", run)


def _result_of(job: JobView) -> Mapping[str, Any]:
    if job.state is not JobState.COMPLETED or job.result is None:
        raise BacktestUnfinishedError(job.id, job.error or f"it is {job.state}")
    return job.result


def job_findings(result: Mapping[str, Any]) -> list[RunFinding]:
    """Return the findings of a result document; older documents have none."""
    return [RunFinding.of(found) for found in result.get("findings", [])]


def job_figures(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return every metric of a result document by name, money as Decimal; None for what it has not."""
    beside = result["hold_baseline"]
    values = {**result["metrics"], **{name: beside.get(name) for name in CARRY}}
    values[HOLD_NET_PNL] = beside["metrics"]["net_pnl"]
    return {name: _figure(kind, values.get(name)) for name, kind in METRICS.items()}


def _figure(kind: MetricKind, value: Any) -> Any:
    return Decimal(value) if kind is MetricKind.MONEY and value is not None else value


async def _run_context(request: Request, database: DatabaseDep) -> RunContext:
    path = request.path_params
    if "job_id" in path:
        return backtest_context(await database.read(get_job, JobKind.BACKTEST, path["job_id"]))
    return await database.read(trial_context, path["sweep_id"], path["number"])


async def _recorded_run(request: Request, database: DatabaseDep) -> RecordedRun:
    path = request.path_params
    if "job_id" in path:
        return recorded_backtest(await database.read(get_job, JobKind.BACKTEST, path["job_id"]))
    return await database.read(recorded_trial, path["sweep_id"], path["number"])


RunContextDep = Annotated[RunContext, Depends(_run_context)]
"""The run that the numbers in the path name: `sweep_id` and `number`, or `job_id`."""

RecordedRunDep = Annotated[RecordedRun, Depends(_recorded_run)]
"""That run with what is kept of it, for the parts that show its curve or its trades."""


async def _study(context: RunContextDep, replays: ReplaysDep) -> Study:
    return await replays.work.run(lambda: replays.study(context.run))


StudyDep = Annotated[Study, Depends(_study)]
