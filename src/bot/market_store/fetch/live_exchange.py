"""The live markets of one exchange through ccxt: its clock, its pairs, and rows as they become known."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bot.clock import Clock
from bot.errors import FetchError, InvalidInputError
from bot.market.rows import Rows, SeriesKind
from bot.market_store.fetch.exchange_calls import AsyncExchangeCalls
from bot.market_store.fetch.exchange_markets import (
    Pair,
    find_pair,
    hyperliquid_maintenance_rate,
    instrument_of,
    maintenance_rate,
)
from bot.market_store.fetch.exchanges import open_client
from bot.market_store.fetch.fetch_series import PAGE_LIMITS
from bot.market_store.fetch.live_rows import candle_rows, settlements
from bot.market_store.fetch.margin_brackets import tiers_mode
from bot.models import HOUR_MS
from bot.notation import quoted
from bot.paper.feed import Listing


class LiveExchange:
    """Hourly candles and settlements of one exchange, and its clock, read through `wall`.

    Every call raises FetchError if the exchange refuses, ExchangeOfflineError if it does not answer.
    """

    def __init__(self, name: str, wall: Clock, api_url: str | None = None, *, inverse: bool = False) -> None:
        self._client = open_client(name, api_url=api_url, asynchronous=True, inverse=inverse)
        self._call = AsyncExchangeCalls(self._client)
        self._limits = PAGE_LIMITS[name]
        self._wall = wall
        self._ahead_ms = 0
        self._pairs: dict[str, Pair] = {}

    def now_ms(self) -> int:
        """Return the exchange's time as of the last `synchronize`, ms UTC."""
        return self._wall.now_ms() + self._ahead_ms

    async def synchronize(self) -> int:
        """Ask for the exchange's time and return it; all its rows are dated by that clock."""
        if self._client.has.get("fetchTime"):
            self._ahead_ms = int(await self._call("fetch_time")) - self._wall.now_ms()
        return self.now_ms()

    async def listings(self, symbols: Sequence[str]) -> dict[str, Listing]:
        """Return the rules and legs of perp `symbols`; raises InvalidInputError for one that has no pair."""
        await self._call("load_markets")
        for symbol in symbols:
            pair = self._pairs[symbol] = find_pair(self._client.markets, symbol)
            if pair.spot is None:
                raise InvalidInputError.of(
                    "symbols", f"{quoted(symbol)} has no spot market there to hedge with"
                )
        return {symbol: await self._listing(self._pairs[symbol]) for symbol in symbols}

    async def candles(self, symbol: str, kind: SeriesKind, from_ms: int, now_ms: int) -> Rows:
        """Return the hourly candles that opened since `from_ms` and have closed by `now_ms`."""
        pair, params = self._pairs[symbol], {"price": "mark"} if kind is SeriesKind.MARK else {}
        leg = pair.spot if kind is SeriesKind.SPOT and pair.spot is not None else pair.perp
        found: dict[int, Sequence[Any]] = {}
        span_ms = self._limits.candles * HOUR_MS
        for since_ms in range(from_ms, now_ms - HOUR_MS + 1, span_ms):
            bound = {"until": since_ms + span_ms - 1, **params}
            page = await self._call("fetch_ohlcv", leg["symbol"], "1h", since_ms, self._limits.candles, bound)
            found.update((int(row[0]), row) for row in page)
        closed = [row for t_ms, row in sorted(found.items()) if from_ms <= t_ms <= now_ms - HOUR_MS]
        return candle_rows(closed, kind, pair.units if kind is SeriesKind.SPOT else 1)

    async def funding(self, symbol: str, from_ms: int, now_ms: int, known_ms: Sequence[int] = ()) -> Rows:
        """Return the settlements in [from_ms, now_ms]; `known_ms` are those before, to tell intervals by."""
        records: list[Any] = []
        span_ms = self._limits.funding * HOUR_MS
        for since_ms in range(from_ms, now_ms + 1, span_ms):
            until_ms = min(since_ms + span_ms - 1, now_ms)
            records += await self._funding_page(symbol, since_ms, until_ms)
        return settlements(records, from_ms, now_ms, known_ms)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def _listing(self, pair: Pair) -> Listing:
        kinds = [SeriesKind.SPOT, SeriesKind.PERP]
        if self._client.has.get("fetchMarkOHLCV"):
            kinds.append(SeriesKind.MARK)
        rules = instrument_of(pair, await self._maintenance_rate(pair))
        return Listing(rules, dict.fromkeys(kinds, HOUR_MS))

    async def _maintenance_rate(self, pair: Pair) -> Decimal | None:
        if self._client.id == "hyperliquid":
            return hyperliquid_maintenance_rate(pair.perp)
        if self._client.has.get("fetchMarketLeverageTiers") is not True:
            return None
        try:
            return maintenance_rate(
                await self._call("fetch_market_leverage_tiers", pair.symbol, tiers_mode(self._client.id))
            )
        except FetchError:
            return None

    async def _funding_page(self, symbol: str, since_ms: int | None, until_ms: int) -> list[Any]:
        # OKX takes an upper bound of its own, and then answers the newest rows below it.
        bound = {"until": until_ms}
        if self._client.id == "okx":
            since_ms, bound = None, {"after": until_ms + 1}
        limit = self._limits.funding
        return list(await self._call("fetch_funding_rate_history", symbol, since_ms, limit, bound))
