"""Looks at days of history, seals over days that nobody is to look at yet, and promotions."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request

from api.dependencies import DatabaseDep, ReplaysDep
from api.middleware.body import read_object
from api.responses import JsonResponse
from api.routes.parameters import LARGEST_ID, PathNumber
from api.schemas.fields import document_of
from api.schemas.openapi import HOLDOUT_BODY, PROBLEMS, SEAL_BODY
from api.schemas.seals import (
    HoldoutLookDocument,
    LookList,
    NewLook,
    NewSeal,
    PromotionDocument,
    PromotionList,
    SealDocument,
    SealList,
    look_document,
    seal_document,
)
from sweeps.lifecycle.looks import all_looks
from sweeps.lifecycle.promotions import list_promotions
from sweeps.lifecycle.seals import SealView, list_seals, open_seal, set_seal
from sweeps.work.decay import decay_of
from sweeps.work.holdout import look_at_holdout

router = APIRouter(tags=["seals"], responses=PROBLEMS, default_response_class=JsonResponse)
SealId = Annotated[PathNumber, Path(ge=1, le=LARGEST_ID, description="number of the seal")]
PromotionId = Annotated[PathNumber, Path(ge=1, le=LARGEST_ID, description="number of the promotion")]


@router.get("/looks", summary="Every run whose result could be seen", response_model=LookList)
async def looks(
    database: DatabaseDep, exchange: Annotated[str | None, Query(max_length=64)] = None
) -> JsonResponse:
    """List looks, oldest first, those of deleted sweeps too: market, days, runs, and how many were new."""
    found = await database.analyze(all_looks, exchange)
    return JsonResponse({"looks": [look_document(one) for one in found]})


@router.get("/seals", summary="Seals, with the looks taken at them", response_model=SealList)
async def seals(database: DatabaseDep) -> JsonResponse:
    """List seals, oldest first."""
    found = await database.read(list_seals)
    return JsonResponse({"seals": [seal_document(one) for one in found]})


@router.post(
    "/seals",
    status_code=201,
    summary="Seal an exchange from a day on",
    response_model=SealDocument,
    openapi_extra=SEAL_BODY,
)
async def seal(request: Request, database: DatabaseDep) -> JsonResponse:
    """Let nothing from that midnight on reach a run, a probe, a chart or an export until it is opened.

    Refused where a run has read past it, unless insisted on: then the seal is tainted, and proves nothing.
    """
    asked = NewSeal.parse(await read_object(request))

    def create(connection: sa.Connection) -> SealView:
        return set_seal(connection, asked.exchange, asked.day, insist=asked.insist)

    return JsonResponse(seal_document(await database.write(create)), 201)


@router.post(
    "/seals/{seal_id}/looks",
    summary="Look at a sealed holdout with one trial",
    response_model=HoldoutLookDocument,
    openapi_extra=HOLDOUT_BODY,
)
async def take_look(request: Request, replays: ReplaysDep, seal_id: SealId) -> JsonResponse:
    """Replay a trial from its start to the newest data and judge it from the seal on.

    The look is written down before it is shown; the same trial gets the same answer again.
    """
    asked = NewLook.parse(await read_object(request))
    found = await replays.work.run(lambda: look_at_holdout(replays.store, seal_id, asked.sweep, asked.trial))
    return JsonResponse(document_of(HoldoutLookDocument, found))


@router.get("/promotions", summary="Trials that were promoted", response_model=PromotionList)
async def promotions(database: DatabaseDep) -> JsonResponse:
    """List the first promotion of each trial, oldest first, those of deleted sweeps too."""
    found = await database.read(list_promotions)
    return JsonResponse({"promotions": [document_of(PromotionDocument, one) for one in found]})


@router.post(
    "/promotions/{promotion_id}/decay",
    summary="Judge a promoted trial on the days after",
    response_model=PromotionDocument,
)
async def decay(replays: ReplaysDep, promotion_id: PromotionId) -> JsonResponse:
    """Replay it from its start to the newest data that is not sealed, and judge the days after its promotion.

    The replay counts as a look; the answer is kept with the promotion until it is asked for again.
    """
    found = await replays.work.run(lambda: decay_of(replays.store, promotion_id))
    return JsonResponse(document_of(PromotionDocument, found))


@router.post("/seals/{seal_id}/open", summary="End a seal for all, once", response_model=SealDocument)
async def end_seal(database: DatabaseDep, seal_id: SealId) -> JsonResponse:
    """Let everything read the sealed days from now on; what does is no evidence."""
    return JsonResponse(seal_document(await database.write(open_seal, seal_id)))
