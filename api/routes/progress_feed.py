"""Progress of sweeps for all who follow it: one reader of the database, from which every stream is fed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sse_starlette import ServerSentEvent

from api.errors.http_errors import BusyError
from api.responses import json_bytes
from api.schemas.documents import progress_document
from api.work.database_threads import Database
from bot.clock import Clock
from sweeps.analysis.progress import SweepView, get_sweeps
from sweeps.storage.states import ENDED

PERIOD_S = 0.5
"""Longest time between two looks at the database."""
_SHORTEST_PERIOD_S = 0.05
_SHARE = 0.1
"""Share of the time that the newest stream is open: the end of a short sweep is told at once."""
_log = structlog.get_logger("api")


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """A state of a sweep as it is sent; `mark` names it, `last` tells that no other follows."""

    mark: str
    data: bytes
    last: bool

    @classmethod
    def of(cls, sweep: SweepView) -> "ProgressEvent":
        """Return the event of a state."""
        mark, last = mark_of(sweep), sweep.state in ENDED
        text = json_bytes(progress_document(sweep)).decode()
        sent = ServerSentEvent(text, event="end" if last else "progress", id=mark)
        return cls(mark, sent.encode(), last)


@dataclass(slots=True)
class _Topic:
    """The newest event of a sweep, None once there is no such sweep, and those who wait for the next one."""

    newest: ProgressEvent | None
    followers: int = 0
    told: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, event: ProgressEvent | None) -> None:
        self.newest = event
        self.told.set()
        self.told = asyncio.Event()


class ProgressFeed:
    """Streams of one process: at most `most`, fed by one query for all sweeps that are followed.

    A stream that is read slowly misses states in between, never the last one, and holds up nobody.
    """

    def __init__(self, database: Database, clock: Clock, most: int, period_s: float = PERIOD_S) -> None:
        self._database = database
        self._clock = clock
        self._most = most
        self._period_s = period_s
        self._topics: dict[int, _Topic] = {}
        self._streams = 0
        self._reader: asyncio.Task[None] | None = None
        self._opened_ms = 0

    def refuse_more(self) -> None:
        """Raise BusyError if there are as many streams as there may be."""
        if self._streams >= self._most:
            raise BusyError(
                f"{self._most} streams of progress are open, the most there may be; "
                "ask for the sweep itself, or try again in a moment"
            )

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a stream while it is open."""
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    async def follow(self, first: SweepView, seen: str | None) -> AsyncIterator[bytes]:
        """Yield the states of a sweep from `first` on, but the one marked `seen`, until it ends."""
        event: ProgressEvent | None = ProgressEvent.of(first)
        with self._topic(first.id) as topic:
            while event is not None and not event.last:
                told = topic.told
                if event.mark != seen:
                    seen = event.mark
                    yield event.data
                await told.wait()
                event = topic.newest
        if event is not None:
            yield event.data

    async def close(self) -> None:
        """Stop reading."""
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader

    @contextmanager
    def _topic(self, sweep_id: int) -> Iterator[_Topic]:
        topic = self._topics.setdefault(sweep_id, _Topic(None))
        topic.followers += 1
        self._opened_ms = self._clock.now_ms()
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        try:
            yield topic
        finally:
            topic.followers -= 1
            if not topic.followers:
                self._topics.pop(sweep_id, None)

    async def _read(self) -> None:
        """Tell every topic its newest state, again and again, while there is a topic."""
        while self._topics:
            open_s = (self._clock.now_ms() - self._opened_ms) / 1000
            await asyncio.sleep(min(self._period_s, max(_SHORTEST_PERIOD_S, open_s * _SHARE)))
            if not (asked := dict(self._topics)):
                return
            try:
                found = await self._database.read(get_sweeps, asked)
            except SQLAlchemyError as error:
                _log.warning("progress cannot be read, retrying", reason=str(error)[:300])
                continue
            for sweep_id, topic in asked.items():
                view = found.get(sweep_id)
                topic.tell(None if view is None else _event(view, topic.newest))


def mark_of(sweep: SweepView) -> str:
    """Return a mark that distinguishes a state of a sweep from others."""
    return f"{sweep.state}-{sweep.trials_done}-{sweep.trials_failed}"


def _event(sweep: SweepView, before: ProgressEvent | None) -> ProgressEvent:
    return before if before is not None and before.mark == mark_of(sweep) else ProgressEvent.of(sweep)
