"""Live feed of several exchanges as one, complete up to the moment that all of them have reached."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from bot.errors import ExchangeOfflineError
from bot.paper.feed import FeedBatch, FeedRows, Listing
from bot.paper.hedges.series import series_name
from bot.paper.polling_feed import PollingFeed

_log = logging.getLogger(__name__)


class JoinedFeed:
    """Feeds by exchange; their series are told as `BTC/USDT:USDT@binance`.

    An exchange that does not answer is waited for, and what another tells meanwhile is not lost.
    """

    def __init__(self, feeds: Mapping[str, PollingFeed], poll_s: float = 15) -> None:
        self._feeds = feeds
        self._poll_s = poll_s
        self._complete_ms: dict[str, int] = {}
        self._untold: list[FeedRows] = []

    async def listings(self) -> Mapping[str, Listing]:
        """Return the pairs as the exchanges list them."""
        found: dict[str, Listing] = {}
        for exchange, feed in self._feeds.items():
            listed = await feed.listings()
            found.update((series_name((exchange, symbol)), one) for symbol, one in listed.items())
        return found

    async def history(self, funding_from_ms: int, candles_before_ms: int, candles: int) -> FeedBatch:
        """Return the rows that the exchanges hold; all of them must answer."""
        await self._ask(lambda feed: feed.history(funding_from_ms, candles_before_ms, candles))
        return self._told()

    async def next_batch(self) -> FeedBatch:
        """Wait for the next full hour and what it brings on any of the exchanges."""
        while True:
            await asyncio.sleep(self._poll_s)
            if await self._ask(PollingFeed.poll):
                return self._told()

    async def newest(self) -> FeedBatch:
        """Ask each exchange once for whatever is new; one that does not answer tells nothing new."""
        await self._ask(_newest)
        return self._told()

    async def aclose(self) -> None:
        """Close the connections to all exchanges."""
        await asyncio.gather(*(feed.aclose() for feed in self._feeds.values()))

    async def _ask(self, question: Callable[[PollingFeed], Awaitable[FeedBatch | None]]) -> bool:
        """Ask all exchanges at once, and return whether any has told something.

        What one has told is kept at once: the wait for the others may be cancelled.
        """

        async def one(exchange: str, feed: PollingFeed) -> bool:
            batch = await question(feed)
            if batch is not None:
                self._complete_ms[exchange] = batch.complete_until_ms
                self._untold += [
                    replace(part, symbol=series_name((exchange, part.symbol))) for part in batch.rows
                ]
            return batch is not None

        return any(await asyncio.gather(*(one(*asked) for asked in self._feeds.items())))

    def _told(self) -> FeedBatch:
        rows, self._untold = tuple(self._untold), []
        return FeedBatch(min(self._complete_ms.values()), rows)


async def _newest(feed: PollingFeed) -> FeedBatch | None:
    try:
        return await feed.newest()
    except ExchangeOfflineError as error:
        _log.warning("%s; its last known prices count", error)
        return None
