"""Progress of a sweep as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.dependencies import Database, DatabaseDep
from api.documents import progress_document
from api.openapi import PROBLEMS
from api.responses import json_bytes
from api.routes.parameters import SweepId
from sweeps.errors import UnknownSweepError
from sweeps.progress import SweepView, get_sweep
from sweeps.trial import ENDED

router = APIRouter(prefix="/sweeps/{sweep_id}", tags=["sweeps"], responses=PROBLEMS)
_PERIOD_S = 0.5


@router.get(
    "/events",
    summary="Progress as server-sent events",
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "`progress` events, then `end`"}},
)
async def events(
    database: DatabaseDep, sweep_id: SweepId, last_event_id: Annotated[str | None, Header()] = None
) -> EventSourceResponse:
    """Send the progress whenever it changed, and `end` once the sweep has ended; a paused one may go on.

    A client that reconnects with `Last-Event-ID` hears only of what it has not seen.
    """
    first = await database.read(get_sweep, sweep_id)
    return EventSourceResponse(_progress(database, first, last_event_id))


async def _progress(database: Database, sweep: SweepView, seen: str | None) -> AsyncIterator[ServerSentEvent]:
    while sweep.state not in ENDED:
        if _mark(sweep) != seen:
            seen = _mark(sweep)
            yield _event("progress", sweep)
        await asyncio.sleep(_PERIOD_S)
        try:
            sweep = await database.read(get_sweep, sweep.id)
        except UnknownSweepError:
            return
    yield _event("end", sweep)


def _event(name: str, sweep: SweepView) -> ServerSentEvent:
    return ServerSentEvent(json_bytes(progress_document(sweep)).decode(), event=name, id=_mark(sweep))


def _mark(sweep: SweepView) -> str:
    return f"{sweep.state}-{sweep.trials_done}-{sweep.trials_failed}"
