"""Progress of a sweep as server-sent events."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Header, Request
from sse_starlette import EventSourceResponse
from starlette.types import Receive, Scope, Send

from api.dependencies import DatabaseDep
from api.routes.parameters import SweepId
from api.routes.progress_feed import ProgressFeed
from api.schemas.openapi import PROBLEMS
from sweeps.analysis.progress import SweepView, get_sweep

router = APIRouter(prefix="/sweeps/{sweep_id}", tags=["sweeps"], responses=PROBLEMS)
UNREAD_S = 60
"""Time a client may leave events unread before its stream is closed."""


async def _feed(request: Request) -> ProgressFeed:
    return cast("ProgressFeed", request.app.state.progress)


FeedDep = Annotated[ProgressFeed, Depends(_feed)]


class _Stream(EventSourceResponse):
    def __init__(self, feed: ProgressFeed, first: SweepView, seen: str | None) -> None:
        super().__init__(feed.follow(first, seen), send_timeout=UNREAD_S)
        self._feed = feed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._feed.counted():
            await super().__call__(scope, receive, send)


@router.get(
    "/events",
    summary="Progress as server-sent events",
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "`progress` events, then `end`"}},
)
async def events(
    database: DatabaseDep,
    feed: FeedDep,
    sweep_id: SweepId,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventSourceResponse:
    """Send the progress whenever it changed, and `end` once the sweep has ended; a paused one may go on.

    A client that reconnects with `Last-Event-ID` hears only of what it has not seen. Streams are limited in
    number (503 with `Retry-After` past the limit).
    """
    feed.refuse_more()
    return _Stream(feed, await database.read(get_sweep, sweep_id), last_event_id)
