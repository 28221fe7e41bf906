"""A feed that asks: what it waits for, and what it does about outages."""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest

from bot.errors import ExchangeOfflineError, FetchError
from bot.market.rows import Rows, SeriesKind, funding_values
from bot.models import HOUR_MS, Instrument
from bot.paper.feed import FeedBatch, Listing
from bot.paper.joined_feed import JoinedFeed
from bot.paper.polling_feed import PollingFeed

NOON = 1_704_110_400_000
LISTED = Listing(Instrument(), {SeriesKind.SPOT: HOUR_MS, SeriesKind.PERP: HOUR_MS})


class ScriptedExchange:
    """Tells rows of every hour up to the clock; each look at the clock takes the next step of `script`."""

    def __init__(self, *script: int | Exception) -> None:
        self.script = list(script)
        self.asked: list[tuple[str, int]] = []
        self.now_ms = NOON + HOUR_MS // 2

    async def synchronize(self) -> int:
        await asyncio.sleep(0)
        if self.script:
            step = self.script.pop(0)
            if isinstance(step, Exception):
                raise step
            self.now_ms = step
        return self.now_ms

    async def listings(self, symbols: Sequence[str]) -> Mapping[str, Listing]:
        return dict.fromkeys(symbols, LISTED)

    async def candles(self, symbol: str, kind: SeriesKind, from_ms: int, now_ms: int) -> Rows:
        self.asked.append((kind.value, from_ms))
        times = [t_ms for t_ms in self._hours(from_ms) if t_ms + HOUR_MS <= now_ms]
        return Rows.of(times, [(Decimal(1),) * 5] * len(times), kind)

    async def funding(self, symbol: str, from_ms: int, now_ms: int, known_ms: Sequence[int] = ()) -> Rows:
        self.asked.append(("funding", from_ms))
        times = self._hours(from_ms)
        return Rows.of(times, [funding_values(Decimal(1), 1, None)] * len(times), SeriesKind.FUNDING)

    async def aclose(self) -> None:
        raise AssertionError("not closed by a feed that goes on")

    def _hours(self, from_ms: int) -> list[int]:
        return list(range(-(-from_ms // HOUR_MS) * HOUR_MS, self.now_ms + 1, HOUR_MS))


async def started(exchange: ScriptedExchange) -> tuple[PollingFeed, FeedBatch]:
    feed = PollingFeed(exchange, ["A"], poll_s=0)
    await feed.listings()
    return feed, await feed.history(NOON - 5 * HOUR_MS, NOON, 3)


def told(batch: FeedBatch) -> dict[str, list[float]]:
    """Return the hours after NOON of the rows in a batch, by series."""
    return {part.kind.value: [(int(t) - NOON) / HOUR_MS for t in part.rows.times] for part in batch.rows}


async def test_history_reaches_back_as_far_as_asked() -> None:
    _, batch = await started(ScriptedExchange())
    candles = [-3.0, -2.0, -1.0]
    assert told(batch) == {"spot": candles, "perp": candles, "funding": [-5.0, -4.0, -3.0, -2.0, -1.0, 0.0]}
    assert batch.complete_until_ms == NOON


async def test_nothing_is_asked_for_before_the_next_hour() -> None:
    exchange = ScriptedExchange()
    feed, _ = await started(exchange)
    exchange.asked.clear()
    exchange.script = [NOON + HOUR_MS - 1, NOON + HOUR_MS + 4_999, NOON + HOUR_MS + 5_000]
    batch = await feed.next_batch()
    assert (told(batch), batch.complete_until_ms) == (
        {"spot": [0.0], "perp": [0.0], "funding": [1.0]},
        NOON + HOUR_MS,
    )
    assert len(exchange.asked) == 3


async def test_an_outage_is_waited_out_and_its_hours_are_told_together() -> None:
    exchange = ScriptedExchange()
    feed, _ = await started(exchange)
    exchange.script = [ExchangeOfflineError("gone")] * 3 + [NOON + 4 * HOUR_MS + 5_000]
    batch = await feed.next_batch()
    assert told(batch) == {
        "spot": [0.0, 1.0, 2.0, 3.0],
        "perp": [0.0, 1.0, 2.0, 3.0],
        "funding": [1.0, 2.0, 3.0, 4.0],
    }
    assert batch.complete_until_ms == NOON + 4 * HOUR_MS


async def test_a_refusal_ends_the_feed() -> None:
    exchange = ScriptedExchange()
    feed, _ = await started(exchange)
    exchange.script = [FetchError("delisted")]
    with pytest.raises(FetchError, match="delisted"):
        await feed.next_batch()


async def test_a_cancelled_wait_loses_nothing() -> None:
    exchange = ScriptedExchange()
    feed, _ = await started(exchange)
    exchange.now_ms = NOON + HOUR_MS + 5_000
    waiting = asyncio.create_task(feed.next_batch())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert told(await feed.newest())["funding"] == [1.0]


async def joined(*exchanges: ScriptedExchange) -> JoinedFeed:
    names = ("alpha", "beta")
    feed = JoinedFeed(
        {name: PollingFeed(one, ["A"], poll_s=0) for name, one in zip(names, exchanges, strict=True)}, 0
    )
    assert [*await feed.listings()] == ["A@alpha", "A@beta"]
    await feed.history(NOON - 5 * HOUR_MS, NOON, 3)
    return feed


async def test_two_exchanges_are_complete_as_far_as_both_have_told() -> None:
    alpha, beta = ScriptedExchange(), ScriptedExchange()
    feed = await joined(alpha, beta)
    alpha.script, beta.script = [NOON + HOUR_MS + 5_000], [ExchangeOfflineError("gone")]
    batch = await feed.next_batch()
    assert ({part.symbol for part in batch.rows}, batch.complete_until_ms) == ({"A@alpha"}, NOON)
    beta.script = [NOON + HOUR_MS + 9_000]
    batch = await feed.next_batch()
    assert ({part.symbol for part in batch.rows}, batch.complete_until_ms) == ({"A@beta"}, NOON + HOUR_MS)


async def test_the_newest_rows_of_one_exchange_are_had_while_the_other_is_gone() -> None:
    alpha, beta = ScriptedExchange(), ScriptedExchange()
    feed = await joined(alpha, beta)
    alpha.script, beta.script = [NOON + HOUR_MS + 5_000], [ExchangeOfflineError("gone")]
    batch = await feed.newest()
    assert ({part.symbol for part in batch.rows}, batch.complete_until_ms) == ({"A@alpha"}, NOON)


async def test_what_one_exchange_has_told_outlives_a_wait_for_the_other_that_is_cancelled() -> None:
    alpha, beta = ScriptedExchange(), ScriptedExchange()
    feed = await joined(alpha, beta)
    alpha.now_ms = NOON + HOUR_MS + 5_000
    answers = asyncio.Event()
    asked = beta.synchronize

    async def slowly() -> int:
        await answers.wait()
        return await asked()

    beta.synchronize = slowly  # type: ignore[method-assign]
    waiting = asyncio.create_task(feed.next_batch())
    for _ in range(20):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    answers.set()
    batch = await feed.newest()
    assert [part.symbol for part in batch.rows if part.kind is SeriesKind.FUNDING] == ["A@alpha"]
