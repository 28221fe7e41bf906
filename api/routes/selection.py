"""Selection of a sweep: the chance that its best trial is luck."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.dependencies import DatabaseDep
from api.middleware.body import read_object
from api.responses import JsonResponse
from api.routes.parameters import SweepId
from api.schemas.openapi import PROBLEMS, VALIDATION_BODY
from api.schemas.selection import Selection, SelectionSoFar, selection_document
from api.work.database_threads import Database
from bot.errors import InvalidInputError
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

    The report on a sweep of before is made when it is first asked for, by replaying its trials.
    """
    if not await database.read(is_asked_for, sweep_id, settings):
        await database.write(ask_for_selection, sweep_id)
    return await _shown(database, sweep_id, settings, panel)


@router.post(
    "", summary="Judge again, by other settings", response_model=Selection, openapi_extra=VALIDATION_BODY
)
async def judge(
    request: Request, database: DatabaseDep, sweep_id: SweepId, panel: Panel = None
) -> JsonResponse:
    """Return the report by the sweep's settings with these changes; 202 until it is made: poll `Location`."""
    digest = await database.write(ask_for_selection, sweep_id, await read_object(request))
    return await _shown(database, sweep_id, digest, panel)


async def _shown(database: Database, sweep_id: int, digest: str | None, panel: int | None) -> JsonResponse:
    view = await database.analyze(selection_view, sweep_id, digest)
    document = selection_document(view, _place(view, panel))
    if view.complete:
        return JsonResponse(document)
    where = f"/sweeps/{sweep_id}/selection?settings={view.settings.digest}"
    return JsonResponse(document, 202, {"Retry-After": _RETRY_S, "Location": where})


def _place(view: SelectionView, panel: int | None) -> int | None:
    """Return the place of a panel; raises InvalidInputError for one that there is not."""
    if panel is not None and view.panels is not None and panel >= len(view.panels.panels):
        raise InvalidInputError.of("panel", f"{panel} is not from 0 to {len(view.panels.panels) - 1}")
    return panel
