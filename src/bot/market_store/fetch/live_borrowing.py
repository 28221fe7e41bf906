"""Borrow rates of the coins that a live session borrows, taken into the store while it runs."""

import logging
from collections.abc import Mapping, Sequence

from bot.errors import ExchangeOfflineError, FetchError
from bot.market.hedge_names import Hedge, spot_alternative
from bot.market.records.borrow_rates import BorrowRate
from bot.market.records.kinds import RecordKey, RecordKind
from bot.market_store.fetch.exchange_calls import AsyncExchangeCalls
from bot.market_store.fetch.fetch_records import (
    LENDING,
    PAGE_ROWS,
    Stretch,
    borrow_page_asked,
    borrow_page_read,
)
from bot.market_store.importers.files.text_lines import RefusalLog
from bot.market_store.store import HistoricalDataStore
from bot.models import HOUR_MS
from bot.numbers.money import plain
from bot.timestamps import iso

_log = logging.getLogger(__name__)
_AT_FIRST_MS = PAGE_ROWS * HOUR_MS
"""Time asked for where no rate is held: the hours of one page."""


def borrowed_coins(hedges: Sequence[Hedge], exchange: str) -> dict[str, str]:
    """Return the coins that short legs on an exchange borrow, by the symbol of their pair."""
    borrowing = [hedge for hedge in hedges if hedge.short.kind == "spot" and hedge.short.exchange == exchange]
    legs = (leg for hedge in borrowing for leg in (hedge.short, spot_alternative(hedge)))
    return {leg.pair: leg.base for leg in legs if leg is not None}


class LiveBorrowing:
    """Keeps the borrow rates of coins on one exchange current in a store; asks nothing where none are public.

    Sessions read borrow rates from the store at every event, and so does their replay afterwards.
    """

    def __init__(self, store: HistoricalDataStore, exchange: str, coins: Mapping[str, str]) -> None:
        self._store = store
        self._exchange = exchange
        self._coins = coins
        self._is_public = exchange in LENDING

    async def take(self, call: AsyncExchangeCalls, symbol: str, now_ms: int) -> None:
        """Store the rates of a pair's coin that were published since the newest one held.

        A refusal of the exchange is logged, and the newest rate held goes on to count.
        Raises: ExchangeOfflineError.
        """
        coin = self._coins.get(symbol)
        if coin is None or not self._is_public:
            return
        key = self._key(symbol)
        held: list[BorrowRate] = self._store.records(key)
        since_ms = held[-1].from_ms + 1 if held else now_ms - _AT_FIRST_MS
        try:
            found = await self._asked(call, coin, Stretch(since_ms, now_ms + 1, follows=True))
        except ExchangeOfflineError:
            raise
        except FetchError as error:
            _log.warning("%s; %s", error, _newest(held))
            return
        if found:
            self._store.merge_records(key, found, f"{self._exchange} API")

    def notices(self) -> list[str]:
        """Return a sentence for each coin that is borrowed on where its rates come from."""
        if self._is_public:
            return [f"{coin}: {self._exchange} is asked for its borrow rate" for coin in self._coins.values()]
        return [
            f"{coin}: {self._exchange} shows borrow rates only to authenticated accounts; {_newest(held)}, "
            "until newer ones are imported"
            for symbol, coin in self._coins.items()
            if (held := self._store.records(self._key(symbol)))
        ]

    async def _asked(self, call: AsyncExchangeCalls, coin: str, stretch: Stretch) -> list[BorrowRate]:
        found: list[BorrowRate] = []
        refusals, upper_ms = RefusalLog(), stretch.until_ms
        while upper_ms > stretch.from_ms:
            page = borrow_page_read(
                await call(*borrow_page_asked(coin, upper_ms)), upper_ms, stretch, refusals
            )
            found = [*page.rates, *found]
            if page.oldest_ms >= upper_ms:
                break
            upper_ms = page.oldest_ms
        return found

    def _key(self, symbol: str) -> RecordKey:
        return RecordKey(self._exchange, symbol, RecordKind.BORROW)


def _newest(held: Sequence[BorrowRate]) -> str:
    if not held:
        return "no rate is held"
    rate = held[-1]
    return f"that of {iso(rate.from_ms)} counts, {plain(rate.hourly_rate)} an hour"
