"""Verdict on a sweep: which configuration, how sure, and what could go wrong."""

from dataclasses import asdict

from fastapi import APIRouter

from api.dependencies import DatabaseDep, ReplaysDep
from api.responses import JsonResponse
from api.routes.parameters import SweepId
from api.schemas.openapi import PROBLEMS
from api.schemas.verdict import PositiveYearsDocument, SweepVerdictDocument, verdict_document
from api.work.verdicts import positive_years, verdict_on

router = APIRouter(tags=["sweeps"], responses=PROBLEMS, default_response_class=JsonResponse)


@router.get("/sweeps/{sweep_id}/verdict", summary="Which configuration?", response_model=SweepVerdictDocument)
async def verdict(database: DatabaseDep, replays: ReplaysDep, sweep_id: SweepId) -> JsonResponse:
    """Return the candidate beside holding, the badges that speak against it, and the funnel of all trials.

    The candidate is the centre of the largest plateau over all axes, never the highest peak.
    """
    return JsonResponse(verdict_document(await verdict_on(database, replays, sweep_id)))


@router.get(
    "/sweeps/{sweep_id}/verdict/positive-years",
    summary="Trials in profit every year",
    response_model=PositiveYearsDocument,
)
async def every_year(database: DatabaseDep, replays: ReplaysDep, sweep_id: SweepId) -> JsonResponse:
    """Return how many of the trials that are left at the end of the funnel made something in every UTC year.

    They are replayed together when this is asked for, and what is found is kept.
    """
    return JsonResponse(asdict(await positive_years(database, replays, sweep_id)))
