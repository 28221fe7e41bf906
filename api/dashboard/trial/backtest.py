"""Single backtests: their form, and the page that follows a run and shows its result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse

from api.dashboard.forms.form_defaults import (
    Market,
    first_run,
    first_suggestions,
    held_markets,
    written_run,
)
from api.dashboard.forms.parameter_form import parameter_groups
from api.dashboard.sweeps.views import PagesDep
from api.dashboard.trial.first_curves import FirstCurves, first_curves
from api.dashboard.trial.result import result_context
from api.dashboard.trial.run_context import (
    backtest_context,
    job_figures,
    job_findings,
    recorded_backtest,
)
from api.dashboard.trial.trial_verdict import trial_verdict
from api.dependencies import ClockDep, DatabaseDep, ReplaysDep, SettingsDep
from api.presentation.presenters import someone_works
from api.routes.parameters import LARGEST_ID, JobId, NamedTrial
from bot.backtest.findings import RunFinding
from bot.config.run_config import RunConfig
from sweeps.analysis.queries import spec_of_trial
from sweeps.jobs.jobs import JobKind, JobState, JobView, get_job, recent_jobs
from sweeps.queue.heartbeats import live_beats
from sweeps.spec.catalogue import strategies_document

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Number = Annotated[int | None, Query(ge=0, le=LARGEST_ID)]
_RECENT = 8
_ENDED = frozenset({JobState.COMPLETED, JobState.FAILED})


@dataclass(frozen=True, slots=True)
class Origin:
    """Origin of the form's first values: address and title of a page, and the parameters."""

    address: str
    title: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RecentRun:
    """A backtest of the last ones: what it was about, and its metrics by name once it has any."""

    id: int
    state: JobState
    created_ms: int
    symbols: Sequence[str]
    exchange: str
    strategy: str
    figures: Mapping[str, Any] | None
    findings: Sequence[RunFinding]


@router.get("/dashboard/backtest")
async def backtest_form(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    settings: SettingsDep,
    trial: NamedTrial,
    job: Number = None,
) -> HTMLResponse:
    """Return the form; `sweep` and `trial`, or `job`, name the run that it begins with."""

    def query(connection: sa.Connection) -> tuple[list[Market], dict[str, Any], Origin | None, list[JobView]]:
        recent = recent_jobs(connection, [JobKind.BACKTEST], _RECENT)
        markets, origin = held_markets(connection), _origin(connection, trial, job)
        return markets, {} if origin else first_suggestions(connection, markets), origin, recent

    markets, suggested, origin, recent = await database.read(query)
    catalogue = await run_in_threadpool(strategies_document)
    run = written_run(origin.parameters, catalogue) if origin else first_run(markets, suggested)
    return pages.render(
        request,
        "trial/backtest_form.html",
        section="backtest",
        markets=markets,
        origin=origin,
        recent=[_recent_run(one) for one in recent],
        catalogue=catalogue,
        groups=parameter_groups(catalogue),
        guarded=settings.api_token is not None,
        start={
            "spec": run,
            "strategies": catalogue["strategies"],
            "strategy": catalogue["account"]["defaults"]["strategy_mode"],
            "markets": [market.document() for market in markets],
        },
    )


def _origin(connection: sa.Connection, trial: tuple[int, int] | None, job_id: int | None) -> Origin | None:
    if trial is not None:
        sweep_id, number = trial
        config = spec_of_trial(connection, sweep_id, number).config(number)
        title = f"trial {number} of sweep {sweep_id}"
        return Origin(f"/dashboard/sweeps/{sweep_id}/trials/{number}", title, config.document())
    if job_id is not None:
        job = get_job(connection, JobKind.BACKTEST, job_id)
        return Origin(f"/dashboard/backtests/{job_id}", f"backtest {job_id}", job.request["config"])
    return None


@router.get("/dashboard/backtests/{job_id}")
async def backtest_page(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    replays: ReplaysDep,
    clock: ClockDep,
    job_id: JobId,
) -> HTMLResponse:
    """Return a backtest: its result as on the page of a trial, or how far it is."""
    waiting = await database.read(_waiting, job_id)
    job: JobView = waiting["job"]
    found: dict[str, Any] = {}
    if job.state is JobState.COMPLETED:
        first = await first_curves(recorded_backtest(job), replays)
        found = {**_page_values(job, first), "first": first, "judged": None}
    config = RunConfig.parse(job.request["config"])
    context = {**waiting, **found, "run": config, "now_ms": clock.now_ms()}
    return pages.render(request, "trial/backtest.html", section="backtest", **context)


def _page_values(job: JobView, first: FirstCurves) -> dict[str, Any]:
    context, result = backtest_context(job), job.result or {}
    run = context.run
    figures, findings = job_figures(result), job_findings(result)
    values = result_context(context.base, run.config, figures, run.run_key, frozenset(), findings)
    return {**values, "words": trial_verdict(run.config, figures, None, first.elapsed_ms)}


@router.get("/dashboard/backtests/{job_id}/state")
async def backtest_state(
    request: Request, pages: PagesDep, database: DatabaseDep, clock: ClockDep, job_id: JobId
) -> HTMLResponse:
    """Return the progress of a backtest."""
    waiting = await database.read(_waiting, job_id)
    return pages.render(request, "trial/backtest_state.html", **waiting, now_ms=clock.now_ms())


def _recent_run(job: JobView) -> RecentRun:
    asked = job.request["config"]
    result = job.result if job.state is JobState.COMPLETED else None
    return RecentRun(
        job.id,
        job.state,
        job.created_ms,
        asked["symbols"],
        asked["exchange"],
        asked["strategy_mode"],
        job_figures(result) if result else None,
        job_findings(result) if result else (),
    )


def _waiting(connection: sa.Connection, job_id: int) -> dict[str, Any]:
    job = get_job(connection, JobKind.BACKTEST, job_id)
    ended = job.state in _ENDED
    return {"job": job, "ended": ended, "alone": not ended and not someone_works(live_beats(connection))}
