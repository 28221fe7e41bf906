"""End of a running session, and sessions that may not be resumed."""

import asyncio
from collections.abc import Mapping

import pytest
from builders import run_config, symbol_data
from papertrading import NAME, PAIRS, MemoryStore

from bot.clock import SimulatedClock
from bot.config.run_config import RunConfig
from bot.errors import SessionError
from bot.models import HOUR_MS, CloseReason
from bot.paper.feed import FeedBatch, FeedError, Listing
from bot.paper.orchestrator import PaperOrchestrator, SessionPlan, SessionRequest
from bot.paper.recorded_feed import RecordedFeed
from bot.paper.session_store import SessionStatus

START = 1_704_067_200_000
SYMBOL = "X/USDT:USDT"
CONFIG = run_config(symbols=[SYMBOL], start=START, end=START + 99 * HOUR_MS, min_volume_24h=0)
STALLS_AT = START + 20 * HOUR_MS


class StallingFeed(RecordedFeed):
    """Tells up to STALLS_AT, and then no more unless asked for the newest, which may fail."""

    def __init__(self, clock: SimulatedClock, *, offline: bool = False) -> None:
        candles = [(START + n * HOUR_MS, "100", "100", "100", "100", "1") for n in range(99)]
        funding = [(START + n * HOUR_MS, "0.01", 8, None) for n in range(8, 96, 8)]
        rows = {SYMBOL: {"funding": funding, "spot": candles, "perp": candles}}
        super().__init__({SYMBOL: symbol_data(SYMBOL, rows[SYMBOL], CONFIG.end)}, clock)
        self.stalled = asyncio.Event()
        self._offline = offline
        self._time = clock

    async def listings(self) -> Mapping[str, Listing]:
        await asyncio.sleep(0)
        return await super().listings()

    async def next_batch(self) -> FeedBatch:
        if self._time.now_ms() >= STALLS_AT:
            self.stalled.set()
            await asyncio.Event().wait()
        return await super().next_batch()

    async def newest(self) -> FeedBatch:
        if self._offline:
            raise FeedError("nobody answers")
        return await super().newest()


async def end(
    wish: SessionRequest, store: MemoryStore, *, offline: bool = False, early: bool = False
) -> SessionStatus:
    """Run a session until its feed stalls, or from the very start, and make a wish."""
    clock = SimulatedClock(START)
    feed = StallingFeed(clock, offline=offline)
    paper = PaperOrchestrator(SessionPlan(NAME, CONFIG), PAIRS, feed, clock, store)
    if early:
        paper.wish(wish)
        return await paper.run()
    running = asyncio.create_task(paper.run())
    await feed.stalled.wait()
    paper.wish(wish)
    return await running


async def test_a_stop_leaves_open_what_is_open() -> None:
    store = MemoryStore()
    assert await end(SessionRequest.STOP, store) is SessionStatus.OPEN
    assert store.saved is not None
    assert len(store.saved.account.hedges) == 1
    assert store.saved.account.t_ms == START + 16 * HOUR_MS


@pytest.mark.parametrize("offline", [False, True])
async def test_an_emergency_closes_everything_even_if_the_exchange_is_gone(offline: bool) -> None:
    store = MemoryStore()
    assert await end(SessionRequest.EMERGENCY, store, offline=offline) is SessionStatus.EMERGENCY
    [trade] = store.held_trades
    assert (trade.reason, trade.closed_at_ms) == (CloseReason.EMERGENCY, STALLS_AT)


@pytest.mark.parametrize(
    ("wish", "status"), [(SessionRequest.STOP, "open"), (SessionRequest.EMERGENCY, "emergency")]
)
async def test_a_wish_before_the_first_batch_is_granted(wish: SessionRequest, status: str) -> None:
    assert await end(wish, MemoryStore(), early=True) == status


def go_on(store: MemoryStore, config: RunConfig = CONFIG, *, resume: bool = False) -> SessionStatus:
    clock = SimulatedClock(START + 30 * HOUR_MS)
    plan = SessionPlan(NAME, config, until_ms=START + 60 * HOUR_MS, resume=resume)
    return asyncio.run(PaperOrchestrator(plan, PAIRS, RecordedFeedFrom(clock), clock, store).run())


class RecordedFeedFrom(StallingFeed):
    """Does not stall."""

    async def next_batch(self) -> FeedBatch:
        return await RecordedFeed.next_batch(self)


def test_an_emergency_is_not_traded_on_after_unless_resumed() -> None:
    store = MemoryStore()
    asyncio.run(end(SessionRequest.EMERGENCY, store))
    with pytest.raises(SessionError, match=r"closed by an emergency stop at 2024-01-01T20:00:00Z; --resume"):
        go_on(store)
    assert go_on(store, resume=True) is SessionStatus.ENDED
    assert store.held_trades[-1].reason is CloseReason.END


def test_an_ended_session_is_over() -> None:
    store = MemoryStore()
    assert go_on(store) is SessionStatus.ENDED
    with pytest.raises(SessionError, match="has ended at 2024-01-03T12:00:00Z"):
        go_on(store)


def test_a_session_refuses_other_parameters_but_not_another_window() -> None:
    store = MemoryStore()
    asyncio.run(end(SessionRequest.STOP, store))
    with pytest.raises(SessionError, match='session "test" runs with perp_leverage "1", not "2"'):
        go_on(store, CONFIG.varied({"perp_leverage": 2}))
    assert go_on(store, CONFIG.varied({"start": START - HOUR_MS})) is SessionStatus.ENDED


def test_a_session_that_has_been_away_past_its_end_closes_at_prices_of_now() -> None:
    store = MemoryStore()
    asyncio.run(end(SessionRequest.STOP, store))
    clock = SimulatedClock(START + 70 * HOUR_MS)
    plan = SessionPlan(NAME, CONFIG, until_ms=START + 25 * HOUR_MS)
    assert asyncio.run(PaperOrchestrator(plan, PAIRS, RecordedFeedFrom(clock), clock, store).run()) == "ended"
    [trade] = store.held_trades
    assert trade.closed_at_ms == START + 70 * HOUR_MS
    assert trade.funding_payments == 7
    assert store.saved is not None
    assert store.saved.account.hedges == ()
