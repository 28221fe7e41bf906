"""Read-only links to one sweep: made, listed, revoked."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.dependencies import DatabaseDep
from api.middleware.body import read_object
from api.middleware.shares import SHARED_PREFIX
from api.responses import JsonResponse
from api.routes.parameters import PathNumber, SweepId
from api.schemas.openapi import PROBLEMS, SHARE_BODY
from api.schemas.shares import MadeShare, NewShare, ShareList, share_document
from sweeps.storage.access.shares import create_share, revoke_share, shares_of

router = APIRouter(
    prefix="/sweeps/{sweep_id}/shares",
    tags=["sweeps"],
    responses=PROBLEMS,
    default_response_class=JsonResponse,
)
ShareId = Annotated[PathNumber, Path(ge=1, le=2**31 - 1)]


@router.post(
    "",
    status_code=201,
    summary="Make a read-only link",
    response_model=MadeShare,
    openapi_extra=SHARE_BODY,
)
async def make(request: Request, database: DatabaseDep, sweep_id: SweepId) -> JsonResponse:
    """Return a link that shows this sweep and its trials without a token, and changes nothing.

    Only a digest of it is kept: it is shown this once.
    """
    asked = NewShare.parse(await read_object(request))
    share, token = await database.write(
        create_share, sweep_id, name=asked.name, view=asked.view, days=asked.days
    )
    return JsonResponse({**share_document(share), "address": f"{SHARED_PREFIX}{token}"}, 201)


@router.get("", summary="Read-only links", response_model=ShareList)
async def every(database: DatabaseDep, sweep_id: SweepId) -> JsonResponse:
    """Return the links to a sweep, expired ones included, without their tokens."""
    found = await database.read(shares_of, sweep_id)
    return JsonResponse({"shares": [share_document(share) for share in found]})


@router.delete("/{share_id}", status_code=204, summary="Revoke a read-only link", response_class=Response)
async def revoke(database: DatabaseDep, sweep_id: SweepId, share_id: ShareId) -> Response:
    """End a link at once, for everybody who has it."""
    await database.write(revoke_share, sweep_id, share_id)
    return Response(status_code=204)
