"""Evidence on one trial: bands around its equity, random entries, regimes of funding."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

from api.dependencies import DatabaseDep, ReplaysDep
from api.responses import JsonResponse
from api.routes.parameters import SweepId, TrialNumber
from api.routes.trials import replayable
from api.schemas.evidence import TrialBands, TrialRandomEntries, TrialRegimes, TrialYears
from api.schemas.openapi import PROBLEMS
from api.work.database_threads import Database
from api.work.replays import Replays, Study
from bot.backtest.evidence import bands_document, random_entries_document, regimes_document
from bot.backtest.periods.yearly_figures import year_changes
from bot.hedges.evidence.engine_choice import random_entries_of

router = APIRouter(
    prefix="/sweeps/{sweep_id}/trials/{number}",
    tags=["trials"],
    responses=PROBLEMS,
    default_response_class=JsonResponse,
)


@router.get("/bands", summary="Its days in another order", response_model=TrialBands)
async def bands(
    database: DatabaseDep, replays: ReplaysDep, sweep_id: SweepId, number: TrialNumber
) -> JsonResponse:
    """Return quantiles of equity, return, Sharpe ratio and drawdown over 1,000 draws of its daily P&L."""
    return await _shown(database, replays, sweep_id, number, lambda study: bands_document(study.result))


@router.get("/random-entries", summary="Its trips at random moments", response_model=TrialRandomEntries)
async def random_entries(
    database: DatabaseDep, replays: ReplaysDep, sweep_id: SweepId, number: TrialNumber
) -> JsonResponse:
    """Return the chance that trips as many and as long, at other settlements, earn as much."""
    return await _shown(
        database,
        replays,
        sweep_id,
        number,
        lambda study: random_entries_document(random_entries_of(study.result, study.window)),
    )


@router.get("/regimes", summary="Its days by level of funding", response_model=TrialRegimes)
async def regimes(
    database: DatabaseDep, replays: ReplaysDep, sweep_id: SweepId, number: TrialNumber
) -> JsonResponse:
    """Return days, P&L and trades by the mean rate of the 30 days before each."""
    return await _shown(
        database, replays, sweep_id, number, lambda study: regimes_document(study.result, study.settled)
    )


@router.get("/years", summary="Its UTC years beside holding", response_model=TrialYears)
async def by_year(
    database: DatabaseDep, replays: ReplaysDep, sweep_id: SweepId, number: TrialNumber
) -> JsonResponse:
    """Return the change of equity in each UTC year, and that of holding; they add up to the net P&L."""

    def document(study: Study) -> dict[str, Any]:
        return {"years": [year.document() for year in year_changes(study.result, study.hold)]}

    return await _shown(database, replays, sweep_id, number, document)


async def _shown(
    database: Database,
    replays: Replays,
    sweep_id: int,
    number: int,
    document: Callable[[Study], dict[str, Any]],
) -> JsonResponse:
    run = await replayable(database, sweep_id, number)
    return JsonResponse(await replays.work.run(lambda: document(replays.study(run))))
