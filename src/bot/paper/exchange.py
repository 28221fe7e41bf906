"""An exchange's public REST interface, as exact rows: the one place of paper trading that talks to ccxt."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from bot.clock import Clock
from bot.data.exchanges import ccxt_errors, open_client
from bot.data.rows import Rows, SeriesKind
from bot.data.symbols import multiplied, spot_symbol
from bot.errors import InvalidInputError
from bot.models import HOUR_MS
from bot.money import ONE
from bot.paper.exchange_rows import Units, candle_rows, contract_size, listing, settlements
from bot.paper.feed import FeedError, Listing

T = TypeVar("T")

_log = logging.getLogger(__name__)
_CANDLES_A_PAGE = 500
_FUNDING_PAGE_HOURS = 100
_ATTEMPTS = 5
_FIRST_WAIT_S = 0.5


class OfflineError(FeedError):
    """An exchange that does not answer; it may well do so later."""

    code = "exchange_offline"


class Exchange:
    """Hourly candles and settlements of one exchange, and its clock, read through `wall`."""

    def __init__(self, name: str, wall: Clock, api_url: str | None = None) -> None:
        self._client = open_client(name, api_url=api_url, asynchronous=True)
        self._errors = ccxt_errors()
        self._wall = wall
        self._ahead_ms = 0

    def now_ms(self) -> int:
        """Return the exchange's time as of the last `synchronize`, ms UTC."""
        return self._wall.now_ms() + self._ahead_ms

    async def synchronize(self) -> int:
        """Ask for the exchange's time and return it; all its rows are dated by that clock."""
        if self._client.has.get("fetchTime"):
            self._ahead_ms = int(await self._call(self._client.fetch_time)) - self._wall.now_ms()
        return self.now_ms()

    async def listings(self, symbols: Sequence[str]) -> dict[str, Listing]:
        """Return the rules and legs of perp `symbols`; raises InvalidInputError for one that has no pair."""
        await self._call(self._client.load_markets)
        found = {}
        for symbol in symbols:
            perp, (spot, coins) = self._market(symbol), self._spot(symbol)
            if perp is None or not perp.get("linear"):
                raise InvalidInputError.of(
                    "symbols", f"{symbol!r} is no linear perpetual of {self._client.id}"
                )
            if spot is None:
                raise InvalidInputError.of(
                    "symbols", f"{symbol!r} has no spot market {spot_symbol(symbol)!r}"
                )
            has_mark = bool(self._client.has.get("fetchMarkOHLCV"))
            found[symbol] = listing(spot, perp, has_mark=has_mark, coins=coins)
        return found

    async def candles(self, symbol: str, kind: SeriesKind, from_ms: int, now_ms: int) -> Rows:
        """Return the hourly candles that opened since `from_ms` and have closed by `now_ms`."""
        market, units = self._leg(symbol, kind)
        params = {"price": "mark"} if kind is SeriesKind.MARK else {}
        found: dict[int, Sequence[Any]] = {}
        since_ms = from_ms
        while since_ms + HOUR_MS <= now_ms:
            page = await self._call(self._client.fetch_ohlcv, market, "1h", since_ms, _CANDLES_A_PAGE, params)
            found.update((int(row[0]), row) for row in page)
            newest_ms = max((int(row[0]) for row in page), default=-1)
            since_ms = newest_ms + HOUR_MS if newest_ms >= since_ms else since_ms + _CANDLES_A_PAGE * HOUR_MS
        closed = [row for t_ms, row in sorted(found.items()) if from_ms <= t_ms <= now_ms - HOUR_MS]
        return candle_rows(closed, kind, units)

    async def funding(self, symbol: str, from_ms: int, now_ms: int, known_ms: Sequence[int] = ()) -> Rows:
        """Return the settlements in [from_ms, now_ms]; `known_ms` are those before, to tell intervals by."""
        records: list[Any] = []
        since_ms = from_ms
        while since_ms <= now_ms:
            until_ms = min(since_ms + _FUNDING_PAGE_HOURS * HOUR_MS, now_ms)
            records += await self._call(
                self._client.fetch_funding_rate_history,
                symbol,
                since_ms,
                _FUNDING_PAGE_HOURS,
                self._until(until_ms),
            )
            since_ms = until_ms + 1
        return settlements(records, from_ms, now_ms, known_ms)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.close()

    def _until(self, until_ms: int) -> dict[str, int]:
        # For funding ccxt passes `until` on to OKX as it is, which calls it `after` and excludes it.
        return {"after": until_ms + 1} if self._client.id == "okx" else {"until": until_ms}

    def _market(self, symbol: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._client.markets.get(symbol)
        return found

    def _spot(self, symbol: str) -> tuple[dict[str, Any] | None, Decimal]:
        """Return the spot market that hedges a perp, and how many of its coins one unit of the perp is."""
        own, contract = self._market(spot_symbol(symbol)), multiplied(symbol)
        if own is not None or contract is None:
            return own, ONE
        power, coin = contract
        return self._market(spot_symbol(coin)), Decimal(10**power)

    def _leg(self, symbol: str, kind: SeriesKind) -> tuple[str, Units]:
        if kind is SeriesKind.SPOT:
            spot, coins = self._spot(symbol)
            return (spot or {})["symbol"], Units(coins=coins)
        return symbol, Units(contract_size=contract_size(self._market(symbol) or {}))

    async def _call(self, method: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        """Call the exchange, again and ever later while it does not answer.

        Raises: OfflineError if it never does; FeedError if it refuses.
        """
        passing = (self._errors.NetworkError, self._errors.BadResponse)
        attempt = 0
        while True:
            try:
                return await method(*arguments)
            except passing as error:
                attempt += 1
                if attempt == _ATTEMPTS:
                    raise OfflineError(f"{self._client.id} does not answer: {_sentence(error)}") from error
                _log.info("%s: attempt %d failed: %s", self._client.id, attempt, _sentence(error))
                await asyncio.sleep(_FIRST_WAIT_S * 2**attempt)
            except self._errors.BaseError as error:
                raise FeedError(f"{self._client.id} refuses: {_sentence(error)}") from error


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 200 else f"{text[:197]}..."
