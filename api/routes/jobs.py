"""Single jobs for the workers: one backtest, or the look-ahead probe of a trial."""

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, HTTPException, Query, Request

from api.admission import admit_run
from api.dependencies import CompilingDep, DatabaseDep, ReplaysDep
from api.errors.http_errors import NoBestTrialError
from api.middleware.body import body_size, read_object
from api.responses import JsonResponse
from api.routes.parameters import JobId, SweepId
from api.schemas.answers import JobDocument, SweepPlan
from api.schemas.documents import job_document
from api.schemas.openapi import PROBLEMS, RUN_BODY
from bot.config.run_config import RunConfig
from sweeps.analysis.progress import get_sweep
from sweeps.analysis.queries import spec_of_trial
from sweeps.estimates.planning import plan_sweep
from sweeps.jobs.jobs import JobKind, JobView, create_job, get_job
from sweeps.spec.spec import SweepSpec

router = APIRouter(tags=["jobs"], responses=PROBLEMS, default_response_class=JsonResponse)


@router.post(
    "/backtests",
    status_code=202,
    summary="Run one backtest",
    response_model=JobDocument,
    openapi_extra=RUN_BODY,
)
async def backtest(
    request: Request, database: DatabaseDep, replays: ReplaysDep, compiling: CompilingDep
) -> JsonResponse:
    """Check the run, store it and answer; poll `Location` for its result document."""
    document = await read_object(request)
    size = await body_size(request)
    config = await compiling.run(lambda: admit_run(RunConfig.parse(document), replays.store), size)
    job = await database.write(_created, JobKind.BACKTEST, {"config": config.document()})
    return _accepted(job, "backtests")


@router.post(
    "/backtests/validate",
    summary="Check a backtest without running it",
    response_model=SweepPlan,
    openapi_extra=RUN_BODY,
)
async def validate_backtest(request: Request, replays: ReplaysDep, compiling: CompilingDep) -> JsonResponse:
    """Return the plan of the run, as a sweep of one trial; refuse whatever a submission would refuse."""
    document = await read_object(request)

    def planned() -> dict[str, Any]:
        config = admit_run(RunConfig.parse(document), replays.store)
        with replays.store.engine.connect() as connection:
            return plan_sweep(connection, SweepSpec.parse({"base": config.document()})).document()

    return JsonResponse(await compiling.run(planned, await body_size(request)))


@router.api_route("/backtests/validate", methods=["GET", "PUT", "PATCH", "DELETE"], include_in_schema=False)
async def only_post() -> None:
    """Refuse what would else be taken for a job whose number is no number."""
    raise HTTPException(405)


@router.get("/backtests/{job_id}", summary="One backtest and its result", response_model=JobDocument)
async def show_backtest(database: DatabaseDep, job_id: JobId) -> JsonResponse:
    """Return the state and, once completed, the result document of the run."""
    return JsonResponse(job_document(await database.read(get_job, JobKind.BACKTEST, job_id)))


@router.post(
    "/sweeps/{sweep_id}/probe",
    status_code=202,
    summary="Probe a trial for look-ahead",
    response_model=JobDocument,
)
async def probe(
    database: DatabaseDep,
    sweep_id: SweepId,
    trial: Annotated[
        int | None, Query(ge=0, description="number of the trial, the best one if left out")
    ] = None,
) -> JsonResponse:
    """Corrupt the future of the trial's run at several moments and compare its past; poll `Location`."""

    def create(connection: sa.Connection) -> JobView:
        config, number = _trial_config(connection, sweep_id, trial)
        request = {"sweep": sweep_id, "trial": number, "config": config.document()}
        return _created(connection, JobKind.PROBE, request)

    return _accepted(await database.write(create), "probes")


@router.get("/probes/{job_id}", summary="One probe and what it found", response_model=JobDocument)
async def show_probe(database: DatabaseDep, job_id: JobId) -> JsonResponse:
    """Return the state and, once completed, whether the run read ahead and where."""
    return JsonResponse(job_document(await database.read(get_job, JobKind.PROBE, job_id)))


def _created(connection: sa.Connection, kind: JobKind, request: dict[str, Any]) -> JobView:
    return get_job(connection, kind, create_job(connection, kind, request))


def _accepted(job: JobView, path: str) -> JsonResponse:
    return JsonResponse(job_document(job), 202, {"Location": f"/{path}/{job.id}"})


def _trial_config(connection: sa.Connection, sweep_id: int, number: int | None) -> tuple[RunConfig, int]:
    if number is None:
        best = get_sweep(connection, sweep_id).best
        if best is None:
            raise NoBestTrialError(sweep_id)
        number = best.number
    return spec_of_trial(connection, sweep_id, number).config(number), number
