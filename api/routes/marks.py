"""Marks that readers leave on trials: names, notes, pins."""

import sqlalchemy as sa
from fastapi import APIRouter, Request

from api.dependencies import DatabaseDep
from api.middleware.body import read_object
from api.responses import JsonResponse
from api.routes.parameters import SweepId, TrialNumber
from api.schemas.marks import MarkChange, MarkedTrial, MarkList
from api.schemas.openapi import MARK_BODY, PROBLEMS
from sweeps.analysis.progress import get_sweep
from sweeps.lifecycle.trial_marks import TrialMark, mark_trial, marks_of

router = APIRouter(
    prefix="/sweeps/{sweep_id}", tags=["trials"], responses=PROBLEMS, default_response_class=JsonResponse
)


@router.get("/marks", summary="Names, notes and pins of trials", response_model=MarkList)
async def every(database: DatabaseDep, sweep_id: SweepId) -> JsonResponse:
    """Return the marks on all trials that have any, by number."""

    def query(connection: sa.Connection) -> list[TrialMark]:
        get_sweep(connection, sweep_id)
        return list(marks_of(connection, sweep_id).values())

    return JsonResponse({"marks": [mark.document() for mark in await database.read(query)]})


@router.patch(
    "/trials/{number}",
    summary="Name, annotate or pin a trial",
    response_model=MarkedTrial,
    openapi_extra=MARK_BODY,
)
async def mark(
    request: Request, database: DatabaseDep, sweep_id: SweepId, number: TrialNumber
) -> JsonResponse:
    """Replace name, note or pin; at most five trials of a sweep are pinned, those of its page's map."""
    asked = MarkChange.parse(await read_object(request))
    found = await database.write(
        mark_trial, sweep_id, number, name=asked.name, note=asked.note, pinned=asked.pinned
    )
    return JsonResponse(found.document())
