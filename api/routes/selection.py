"""Selection of a sweep: the chance that its best trial is luck."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.dependencies import DatabaseDep, ReplaysDep
from api.middleware.body import read_object
from api.responses import JsonResponse
from api.routes.parameters import SweepId
from api.schemas.openapi import PROBLEMS, VALIDATION_BODY
from api.schemas.selection import Selection, SelectionSoFar, selection_document
from api.schemas.walk_forward import (
    NO_CURVES,
    WalkForward,
    WalkForwardCurves,
    stitched_missing,
    walk_forward_answer,
)
from api.work.database_threads import Database
from bot.errors import InvalidInputError
from sweeps.analysis.progress import get_spec
from sweeps.jobs.selection_jobs import SelectionView, ask_for_selection, is_asked_for, selection_view

router = APIRouter(
    prefix="/sweeps/{sweep_id}/selection",
    tags=["sweeps"],
    responses={
        **PROBLEMS,
        202: {"model": SelectionSoFar, "description": "The sweep has not ended, or the report is being made"},
    },
    default_response_class=JsonResponse,
)
Panel = Annotated[
    int | None,
    Query(ge=0, description="place of another panel than that of the best trial, where a sweep has several"),
]
Settings = Annotated[
    str | None,
    Query(max_length=64, description="`settings_digest` of a report that was asked for by other settings"),
]
_RETRY_S = "1"


@router.get("", summary="Is the best trial luck?", response_model=Selection)
async def show(
    database: DatabaseDep, sweep_id: SweepId, settings: Settings = None, panel: Panel = None
) -> JsonResponse:
    """Return the report on the selection by the sweep's settings; 202 with what there is until it is made.

    A sweep that was never judged gets its report on the first request, by replaying its trials.
    """
    return _answer(await _view(database, sweep_id, settings), panel)


@router.post(
    "", summary="Judge again, by other settings", response_model=Selection, openapi_extra=VALIDATION_BODY
)
async def judge(
    request: Request, database: DatabaseDep, sweep_id: SweepId, panel: Panel = None
) -> JsonResponse:
    """Return the report by the sweep's settings with these changes; 202 until it is made: poll `Location`."""
    digest = await database.write(ask_for_selection, sweep_id, await read_object(request))
    return _answer(await database.analyze(selection_view, sweep_id, digest), panel)


@router.get("/walk-forward", summary="Chosen by each date, tested after it", response_model=WalkForward)
async def walk_forward(
    database: DatabaseDep, sweep_id: SweepId, settings: Settings = None, panel: Panel = None
) -> JsonResponse:
    """Return folds, and metrics of the one run over all test days beside holding; 202 until they are made."""
    view = await _view(database, sweep_id, settings)
    place = _place(view, panel)
    if not view.complete or view.panels is None:
        return _unmade(view, place)
    return JsonResponse(walk_forward_answer(view, view.panels, place))


@router.get(
    "/walk-forward/equity", summary="The run over all test days, exact", response_model=WalkForwardCurves
)
async def walk_forward_equity(
    database: DatabaseDep,
    replays: ReplaysDep,
    sweep_id: SweepId,
    settings: Settings = None,
    panel: Panel = None,
) -> JsonResponse:
    """Return the exact curves of the stitched run and of holding, its trades, and when parameters changed.

    They are replayed now; 202 until the report is made.
    """
    view = await _view(database, sweep_id, settings)
    place = _place(view, panel)
    if not view.complete or view.panels is None:
        return _unmade(view, place)
    report = view.panels.at(place).report
    if report.stitched is None:
        return JsonResponse({**NO_CURVES, "missing": stitched_missing(report)})
    spec = await database.read(get_spec, sweep_id)
    run = await replays.work.run(lambda: replays.walk_forward(sweep_id, spec, report))
    return JsonResponse(run.curves())


async def _view(database: Database, sweep_id: int, digest: str | None) -> SelectionView:
    """Return a report, or what there is of it; one that is not there is made."""
    if not await database.read(is_asked_for, sweep_id, digest):
        await database.write(ask_for_selection, sweep_id)
    return await database.analyze(selection_view, sweep_id, digest)


def _answer(view: SelectionView, panel: int | None) -> JsonResponse:
    place = _place(view, panel)
    return JsonResponse(selection_document(view, place)) if view.complete else _unmade(view, place)


def _unmade(view: SelectionView, place: int | None) -> JsonResponse:
    """Return what there is of a report, and where it will be."""
    where = f"/sweeps/{view.sweep.id}/selection?settings={view.settings.digest}"
    headers = {"Retry-After": _RETRY_S, "Location": where}
    return JsonResponse(selection_document(view, place), 202, headers)


def _place(view: SelectionView, panel: int | None) -> int | None:
    """Return the place of a panel; raises InvalidInputError for one that there is not."""
    if panel is not None and view.panels is not None and panel >= len(view.panels.panels):
        raise InvalidInputError.of("panel", f"{panel} is not from 0 to {len(view.panels.panels) - 1}")
    return panel
