"""What market data the store holds."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from api.dependencies import ReplaysDep
from api.openapi import PROBLEMS
from api.responses import JsonResponse
from api.schemas import CoverageReport

router = APIRouter(prefix="/data", tags=["market data"], responses=PROBLEMS)


@router.get("/coverage", summary="Series held, with gaps", response_model=CoverageReport)
async def coverage(replays: ReplaysDep) -> JsonResponse:
    """List first and last row, rows held and missing, and gaps of every series."""
    listing = await run_in_threadpool(replays.store.listing)
    return JsonResponse({"exchanges": [exchange.document() for exchange in listing]})
