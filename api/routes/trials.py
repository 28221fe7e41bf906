"""Trials of a sweep: pages, and single ones with curve and trades."""

from typing import Any

from fastapi import APIRouter, Request

from api.dependencies import DatabaseDep, ReplaysDep
from api.errors.http_errors import TrialFailedError
from api.middleware.body import read_object
from api.responses import JsonResponse
from api.routes.parameters import (
    TABLE_PARAMETERS,
    AskedTable,
    Cursor,
    Limit,
    SweepId,
    TrialNumber,
    other_parameters,
)
from api.routes.query_names import ANY_NAMES
from api.schemas.answers import (
    FailureReport,
    SweepFindings,
    TrialDetail,
    TrialPage,
)
from api.schemas.documents import trial_detail, trial_document
from api.schemas.openapi import PROBLEMS, PROMOTION_BODY
from api.schemas.runs import EquityCurve, TradeList
from api.schemas.seals import PromotedRun, PromotionRequest
from api.work.database_threads import Database
from api.work.replays import Replays, StoredRun, trial_run
from bot.hedges.runs import AnyRun
from sweeps.analysis.failures import failure_report
from sweeps.analysis.findings import sweep_findings
from sweeps.analysis.queries import (
    TrialView,
    stored_curve,
    stored_trades,
    trial_head,
    trial_page,
    trial_with_spec,
)
from sweeps.jobs.promotion import promote
from sweeps.spec.spec import SweepSpec
from sweeps.storage.states import TrialState

router = APIRouter(
    prefix="/sweeps/{sweep_id}", tags=["trials"], responses=PROBLEMS, default_response_class=JsonResponse
)
_PAGE_PARAMETERS = frozenset({"limit", "cursor", "state"}) | TABLE_PARAMETERS


@router.get(
    "/trials", dependencies=[ANY_NAMES], summary="Finished trials in any order", response_model=TrialPage
)
async def page(
    request: Request,
    database: DatabaseDep,
    sweep_id: SweepId,
    asked: AskedTable,
    limit: Limit = 100,
    cursor: Cursor = None,
    state: TrialState | None = None,
) -> JsonResponse:
    """Return a page of trials; further parameters name an axis or a metric and a value or a range."""
    wanted = asked | {"filters": other_parameters(request, _PAGE_PARAMETERS), "state": state}
    found = await database.analyze(trial_page, sweep_id, limit=limit, cursor=cursor, **wanted)
    trials = [trial_document(trial) for trial in found.trials]
    return JsonResponse({"trials": trials, "next_cursor": found.next_cursor})


@router.get("/findings", summary="Findings about its data", response_model=SweepFindings)
async def findings(database: DatabaseDep, sweep_id: SweepId) -> JsonResponse:
    """Return jumps of prices, contracts that ended and the like within the windows of the sweep."""
    found = await database.read(sweep_findings, sweep_id)
    return JsonResponse({"findings": [finding.document() for finding in found]})


@router.get("/failures", summary="Why trials failed", response_model=FailureReport)
async def failures(database: DatabaseDep, sweep_id: SweepId) -> JsonResponse:
    """Return the reasons of failed trials with how many each explains and an example, most frequent first."""
    return JsonResponse((await database.read(failure_report, sweep_id)).document())


@router.get("/trials/{number}", summary="One trial", response_model=TrialDetail)
async def show(
    database: DatabaseDep, replays: ReplaysDep, sweep_id: SweepId, number: TrialNumber
) -> JsonResponse:
    """Return parameters, state, metrics, error, run key, full configuration, and how holding compares.

    `blocked_entries` says why a trial without trades had none.
    """
    spec, trial = await database.read(trial_with_spec, sweep_id, number)
    blocked = await _blocked_entries(replays, sweep_id, spec, trial)
    return JsonResponse(trial_detail(trial, spec, blocked))


async def _blocked_entries(
    replays: Replays, sweep_id: int, spec: SweepSpec, trial: TrialView
) -> list[dict[str, Any]] | None:
    if trial.metrics is None or trial.metrics["total_trades"]:
        return replays.blocked_entries(sweep_id, spec, trial)  # for which nothing is replayed
    return await replays.work.run(lambda: replays.blocked_entries(sweep_id, spec, trial))


@router.post(
    "/trials/{number}/promote",
    summary="The configuration of a trial, with its evidence",
    response_model=PromotedRun,
    openapi_extra=PROMOTION_BODY,
)
async def promotion(
    request: Request, database: DatabaseDep, sweep_id: SweepId, number: TrialNumber
) -> JsonResponse:
    """Return every parameter of a trial's run, and what speaks for it being more than luck.

    While its exchange is sealed, the guard and an untainted look at the holdout must, or it is refused: 409
    `not_validated`.
    All other conditions only warn. `override`, a reason, lets any trial pass. A trial's first promotion is
    written down: the days after it are judged by `POST /promotions/{id}/decay`.
    """
    asked = PromotionRequest.parse(await read_object(request))
    found = await database.analyze(promote, sweep_id, number, asked.override)
    return JsonResponse(found.document(await database.write(found.note)))


@router.get("/trials/{number}/equity", summary="Equity curve of a trial", response_model=EquityCurve)
async def equity(
    database: DatabaseDep, replays: ReplaysDep, sweep_id: SweepId, number: TrialNumber
) -> JsonResponse:
    """Return the exact curve, stored or replayed now."""
    curve = await database.read(stored_curve, sweep_id, number)
    if curve is None:
        curve = (await replayed(database, replays, sweep_id, number)).curve
    return JsonResponse({"equity": curve.document()})


@router.get("/trials/{number}/trades", summary="Round trips of a trial", response_model=TradeList)
async def trades(
    database: DatabaseDep, replays: ReplaysDep, sweep_id: SweepId, number: TrialNumber
) -> JsonResponse:
    """Return the exact round trips, stored or replayed now."""
    return JsonResponse({"trades": await exact_trades(database, replays, sweep_id, number)})


async def exact_trades(
    database: Database, replays: Replays, sweep_id: int, number: int
) -> list[dict[str, Any]]:
    """Return the round trips of a trial as in the result document, stored or replayed now."""
    stored = await database.read(stored_trades, sweep_id, number)
    if stored is not None:
        return stored
    result = await replayed(database, replays, sweep_id, number)
    return list(result.document()["trades"])


async def replayed(database: Database, replays: Replays, sweep_id: int, number: int) -> AnyRun:
    """Replay a trial; raises TrialFailedError if it has no result, HistoryChangedError if it would differ."""
    run = await replayable(database, sweep_id, number)
    return await replays.work.run(lambda: replays.result(run))


async def replayable(database: Database, sweep_id: int, number: int) -> StoredRun:
    """Return the run of a trial; raises TrialFailedError if it has no result."""
    head = await database.read(trial_head, sweep_id, number)
    if head.state is TrialState.FAILED:
        raise TrialFailedError(number, head.error or "")
    return trial_run(sweep_id, head.spec, number, head.run_key)
