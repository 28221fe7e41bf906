"""Live feed of several exchanges as one: what all of them have told by a moment is complete."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.paper.feed import FeedBatch, Listing
from bot.paper.hedges.series import series_name
from bot.paper.polling_feed import PollingFeed


class JoinedFeed:
    """Feeds by exchange; their series are told as `BTC/USDT:USDT@binance`.

    An exchange that does not answer is waited for, and what another tells meanwhile is not lost.
    """

    def __init__(self, feeds: Mapping[str, PollingFeed], poll_s: float = 15) -> None:
        self._feeds = feeds
        self._poll_s = poll_s
        self._complete_ms: dict[str, int] = {}

    async def listings(self) -> Mapping[str, Listing]:
        """Return the pairs as the exchanges list them."""
        found: dict[str, Listing] = {}
        for exchange, feed in self._feeds.items():
            listed = await feed.listings()
            found.update((series_name((exchange, symbol)), one) for symbol, one in listed.items())
        return found

    async def history(self, funding_from_ms: int, candles_before_ms: int, candles: int) -> FeedBatch:
        """Return the rows that the exchanges hold; all of them must answer."""
        asked = [feed.history(funding_from_ms, candles_before_ms, candles) for feed in self._feeds.values()]
        return self._joined(await asyncio.gather(*asked))

    async def next_batch(self) -> FeedBatch:
        """Wait for the next full hour and what it brings on any of the exchanges."""
        while True:
            await asyncio.sleep(self._poll_s)
            batches = await asyncio.gather(*(feed.poll() for feed in self._feeds.values()))
            if any(batch is not None for batch in batches):
                return self._joined(batches)

    async def newest(self) -> FeedBatch:
        """Ask each exchange once for whatever is new."""
        return self._joined(await asyncio.gather(*(feed.newest() for feed in self._feeds.values())))

    async def aclose(self) -> None:
        """Close the connections to all exchanges."""
        await asyncio.gather(*(feed.aclose() for feed in self._feeds.values()))

    def _joined(self, batches: Sequence[FeedBatch | None]) -> FeedBatch:
        rows = []
        for exchange, batch in zip(self._feeds, batches, strict=True):
            if batch is not None:
                self._complete_ms[exchange] = batch.complete_until_ms
                rows += [replace(part, symbol=series_name((exchange, part.symbol))) for part in batch.rows]
        return FeedBatch(min(self._complete_ms.values()), tuple(rows))
