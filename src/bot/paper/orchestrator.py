"""Orchestrator of a paper session on a feed: waits, trades, saves, and ends cleanly on request."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from bot.clock import Clock
from bot.config.run_config import RunConfig
from bot.errors import BotError, SessionError
from bot.models import CloseReason
from bot.notation import quoted
from bot.paper.account_types import AccountStore, AccountType, LiveAccount, S, SavedAccount, U
from bot.paper.feed import FeedEndedError, MarketFeed
from bot.paper.session import session_document
from bot.paper.session_store import SessionStatus
from bot.timestamps import iso

T = TypeVar("T")

_log = logging.getLogger(__name__)
_NEWEST_PRICES_TIMEOUT_S = 20


class SessionRequest(Enum):
    """Request of a person to a running session."""

    STOP = "stop"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """Session to run, and its end; `resume` lets one trade again that was closed for good."""

    name: str
    config: RunConfig
    until_ms: int | None = None
    resume: bool = False


class PaperOrchestrator(Generic[S, U]):
    """Drives one session. Every event is handled and written down as a whole; wishes wait for its end."""

    def __init__(
        self,
        plan: SessionPlan,
        accounts: AccountType[S, U],
        feed: MarketFeed,
        clock: Clock,
        store: AccountStore[S, U],
        report: Callable[[U], None] = lambda _: None,
    ) -> None:
        self._plan = plan
        self._accounts = accounts
        self._feed = feed
        self._clock = clock
        self._store = store
        self._report = report
        self._wishes: asyncio.Queue[SessionRequest] = asyncio.Queue()
        self._complete_ms = -1

    def wish(self, wish: SessionRequest) -> None:
        """Ask the session to end after the current event; callable from a signal handler of the loop."""
        self._wishes.put_nowait(wish)

    async def run(self) -> SessionStatus:
        """Trade until a wish, the plan's end or the feed's; returns what the session was left as.

        Raises: SessionError if the session may not go on; FeedError if the feed cannot.
        """
        refuse_closed(self._plan, self._store.find(self._plan.name))
        session = await self._unless_wished(self._warmed_up())
        if session is SessionRequest.EMERGENCY:
            self.wish(SessionRequest.EMERGENCY)
            session = await self._warmed_up()
        while not isinstance(session, SessionRequest):
            if self._is_over():
                return self._close(session, CloseReason.END)
            try:
                batch = await self._unless_wished(self._feed.next_batch())
            except FeedEndedError:
                break
            if isinstance(batch, SessionRequest):
                return await self._leave(session, batch)
            session.receive(batch.rows)
            self._advance(session, batch.complete_until_ms)
        return SessionStatus.OPEN

    async def _warmed_up(self) -> LiveAccount[U]:
        listings = await self._feed.listings()
        saved = open_session(self._plan, self._accounts, self._store, self._clock.now_ms())
        config, from_ms = self._plan.config, max(saved.event_ms, saved.started_ms)
        needed = self._accounts.needed(config)
        history = await self._feed.history(saved.started_ms - needed.funding_ms, from_ms, needed.candles)
        session = self._accounts.account(config, saved, listings)
        session.warm_up(history.rows)
        self._advance(session, history.complete_until_ms)
        return session

    async def _unless_wished(self, work: Coroutine[object, object, T]) -> T | SessionRequest:
        doing, wishing = asyncio.create_task(work), asyncio.create_task(self._wishes.get())
        try:
            await asyncio.wait((doing, wishing), return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                return wishing.result()
            if wishing.done():
                self.wish(wishing.result())
            return doing.result()
        finally:
            doing.cancel()
            wishing.cancel()
            await asyncio.gather(doing, wishing, return_exceptions=True)

    def _advance(self, session: LiveAccount[U], until_ms: int) -> None:
        last_ms = until_ms if self._plan.until_ms is None else min(until_ms, self._plan.until_ms - 1)
        self._save(session.advance(last_ms, self._clock.now_ms()))
        self._complete_ms = until_ms

    def _is_over(self) -> bool:
        return self._plan.until_ms is not None and self._complete_ms >= self._plan.until_ms

    async def _leave(self, session: LiveAccount[U], wish: SessionRequest) -> SessionStatus:
        if wish is SessionRequest.STOP:
            return SessionStatus.OPEN
        try:
            newest = await asyncio.wait_for(self._feed.newest(), _NEWEST_PRICES_TIMEOUT_S)
            session.receive(newest.rows)
        except (TimeoutError, BotError) as error:
            _log.warning("the newest prices could not be fetched, closing at the last known ones: %s", error)
        return self._close(session, CloseReason.EMERGENCY)

    def _close(self, session: LiveAccount[U], reason: CloseReason) -> SessionStatus:
        now_ms = self._clock.now_ms()
        planned = self._plan.until_ms if reason is CloseReason.END else None
        at_ms = now_ms if planned is None or session.is_late(planned, now_ms) else planned
        self._save(session.advance(at_ms - 1, now_ms, decide=False))
        progress = session.close(reason, at_ms, now_ms)
        self._save([progress])
        for left in progress.under_way:
            _log.error("not everything could be closed, %s", left)
        return progress.status

    def _save(self, events: Iterable[U]) -> None:
        for progress in events:
            self._store.save(self._plan.name, progress)
            self._report(progress)


def open_session(plan: SessionPlan, accounts: AccountType[S, U], store: AccountStore[S, U], now_ms: int) -> S:
    """Return the session to go on with, created if it is new; raises SessionError if it may not."""
    saved = store.find(plan.name)
    refuse_closed(plan, saved)
    if saved is None:
        saved = accounts.new_session(plan.name, plan.config, now_ms)
        store.create(saved)
    elif saved.status is not SessionStatus.OPEN:
        store.reopen(plan.name)
    return saved


def refuse_closed(plan: SessionPlan, saved: SavedAccount | None) -> None:
    """Raise SessionError if the session runs other parameters, or was closed and is not to be resumed."""
    if saved is None:
        return
    wanted = session_document(plan.config)
    for name in sorted(wanted.keys() | saved.config.keys()):
        held, asked = saved.config.get(name), wanted.get(name)
        if held != asked:
            raise SessionError(
                f"session {quoted(saved.name)} runs with {name} {quoted(held)}, not {quoted(asked)}; "
                "--session starts another"
            )
    if saved.status is not SessionStatus.OPEN and not plan.resume:
        how = "was closed by an emergency stop" if saved.status is SessionStatus.EMERGENCY else "has ended"
        when = iso(max(saved.event_ms, saved.started_ms))
        raise SessionError(
            f"session {quoted(saved.name)} {how} at {when}; "
            "--resume lets it trade again, --session starts another"
        )
