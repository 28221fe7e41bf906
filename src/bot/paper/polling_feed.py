"""A live feed that asks an exchange again and again, and fills what an outage left out."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.errors import ExchangeOfflineError
from bot.market.rows import Rows, SeriesKind
from bot.models import HOUR_MS
from bot.paper.feed import FeedBatch, FeedRows, Listing
from bot.paper.watermark import Patience, Watermark

_log = logging.getLogger(__name__)


class PolledExchange(Protocol):
    """An exchange that can be asked for its time, its pairs and its rows; see `fetch.live_exchange`."""

    async def synchronize(self) -> int:
        """Ask for the exchange's time, ms UTC, and return it."""

    async def listings(self, symbols: Sequence[str]) -> Mapping[str, Listing]:
        """Return the rules and legs of perp symbols."""

    async def candles(self, symbol: str, kind: SeriesKind, from_ms: int, now_ms: int) -> Rows:
        """Return the candles that opened since `from_ms` and have closed by `now_ms`."""

    async def funding(self, symbol: str, from_ms: int, now_ms: int, known_ms: Sequence[int] = ()) -> Rows:
        """Return the settlements in [from_ms, now_ms]."""

    async def aclose(self) -> None:
        """Close all connections."""


class PollingFeed:
    """Closed hourly candles and settled funding of `symbols`, by the exchange's own clock."""

    def __init__(
        self,
        exchange: PolledExchange,
        symbols: Sequence[str],
        poll_s: float = 15,
        patience: Patience | None = None,
    ) -> None:
        self._exchange = exchange
        self._symbols = symbols
        self._poll_s = poll_s
        self._patience = patience or Patience()
        self._listings: Mapping[str, Listing] = {}
        self._watermark = Watermark({}, self._patience, -1)
        self._funding_from_ms = self._candles_from_ms = 0

    async def listings(self) -> Mapping[str, Listing]:
        """Return the pairs as the exchange lists them; sets the exchange's clock."""
        await self._exchange.synchronize()
        self._listings = await self._exchange.listings(self._symbols)
        return self._listings

    async def history(self, funding_from_ms: int, candles_before_ms: int, candles: int) -> FeedBatch:
        """Return the rows that the exchange holds; it must answer."""
        now_ms = await self._exchange.synchronize()
        hour_ms = candles_before_ms // HOUR_MS * HOUR_MS
        self._watermark = Watermark(self._listings, self._patience, hour_ms - 1)
        self._funding_from_ms, self._candles_from_ms = funding_from_ms, hour_ms - candles * HOUR_MS
        return await self._ask(now_ms)

    async def next_batch(self) -> FeedBatch:
        """Wait for the next full hour and what it brings; an outage is waited out."""
        while True:
            await asyncio.sleep(self._poll_s)
            batch = await self.poll()
            if batch is not None:
                return batch

    async def poll(self) -> FeedBatch | None:
        """Return what a full hour has brought, None if none has passed or the exchange does not answer."""
        try:
            now_ms = await self._exchange.synchronize()
            return await self._ask(now_ms) if self._watermark.is_due(now_ms) else None
        except ExchangeOfflineError as error:
            _log.warning("%s; trying again", error)
            return None

    async def newest(self) -> FeedBatch:
        """Ask once for whatever is new."""
        return await self._ask(await self._exchange.synchronize())

    async def aclose(self) -> None:
        """Close the connections to the exchange."""
        await self._exchange.aclose()

    async def _ask(self, now_ms: int) -> FeedBatch:
        """Return the new rows; none of them is noted before all have arrived."""
        parts = []
        for symbol, kind, newest_ms in self._watermark.wanted(now_ms):
            rows = await self._rows(symbol, kind, newest_ms, now_ms)
            if len(rows):
                parts.append(FeedRows(symbol, kind, rows))
        for part in parts:
            self._watermark.note(part.symbol, part.kind, part.rows)
        return FeedBatch(self._watermark.advance(now_ms), tuple(parts))

    async def _rows(self, symbol: str, kind: SeriesKind, newest_ms: int, now_ms: int) -> Rows:
        if kind is SeriesKind.FUNDING:
            from_ms, known = max(newest_ms + 1, self._funding_from_ms), self._watermark.settled_ms(symbol)
            return await self._exchange.funding(symbol, from_ms, now_ms, known)
        from_ms = max(newest_ms, self._candles_from_ms)
        return await self._exchange.candles(symbol, kind, from_ms, now_ms)
