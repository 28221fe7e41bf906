"""Live markets of hedges as an exchange lists them: inverse perps, spot alone, markets it does not trade."""

import asyncio
import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from exchange_server import Binance, ExchangeServer, Okx, ServedPair, serving
from servers import skip_or_fail

from bot.clock import SystemClock
from bot.config.run_config import RunConfig
from bot.errors import InvalidInputError
from bot.market.records.borrow_rates import BorrowRate
from bot.market.records.kinds import RecordKey, RecordKind
from bot.market.rows import Rows, SeriesKind
from bot.market_store.fetch.live_borrowing import LiveBorrowing, borrowed_coins
from bot.market_store.fetch.live_hedges import LiveHedgeExchange
from bot.market_store.store import HistoricalDataStore
from bot.paper.feed import Listing

HOUR_MS = 3_600_000
PERP = "ABC/USDT:USDT"
NOON = 1_704_110_400_000
CANDLES = [(NOON + hour * HOUR_MS, "40", "41", "39", "40.5", "9") for hour in range(-8, 8)]
PAIR = ServedPair("ABC", "ABC", CANDLES, CANDLES, CANDLES, [(NOON - 8 * HOUR_MS, "0.0001"), (NOON, "0.0002")])


class WithInverse(ExchangeServer):
    """Binance with a perp that settles in coins: of its candles the eighth column is the volume in coins."""

    def answer(self, path: str, query: dict[str, Any]) -> Any:
        if not path.startswith("/dapi/"):
            return Binance(self.pair, self.now_ms).answer(path, query)
        if path.endswith("exchangeInfo"):
            return {"symbols": [self._listed()]}
        span, limit = (int(query["startTime"]), int(query["endTime"])), int(query["limit"])
        if path.endswith("fundingRate"):
            found = self.rows(self.pair.funding, *span)[:limit]
            return [{"symbol": "ABCUSD_PERP", "fundingRate": rate, "fundingTime": t} for t, rate in found]
        found = self.rows(self.pair.perp, *span)[:limit]
        return [[t, *values, t + HOUR_MS - 1, "77.5", 1, "0", "0", "0"] for t, *values in found]

    def _listed(self) -> dict[str, Any]:
        return {
            "symbol": "ABCUSD_PERP",
            "pair": "ABCUSD",
            "contractType": "PERPETUAL",
            "contractStatus": "TRADING",
            "contractSize": 10,
            "marginAsset": "ABC",
            "baseAsset": "ABC",
            "quoteAsset": "USD",
            "filters": [{"filterType": "LOT_SIZE", "minQty": "1", "maxQty": "100", "stepSize": "1"}],
        }


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    if importlib.util.find_spec("ccxt") is None:
        skip_or_fail("ccxt is not installed")
    with serving(WithInverse(PAIR, NOON + 60_000)) as served:
        yield served


async def asked(url: str, symbol: str, structure: str) -> tuple[dict[str, Listing], Rows, Rows]:
    """Return the listings of a hedge on Binance, and newest candles and settlements of its perp."""
    config = RunConfig.parse(
        {"exchange": "binance", "structure": structure, "symbols": [symbol], "start": 0, "end": NOON}
    )
    exchange = LiveHedgeExchange("binance", config.hedges, SystemClock(), url)
    try:
        now_ms = await exchange.synchronize()
        listed = await exchange.listings(exchange.symbols)
        candles = await exchange.candles(symbol, SeriesKind.PERP, now_ms - 2 * HOUR_MS, now_ms)
        return listed, candles, await exchange.funding(symbol, NOON - 9 * HOUR_MS, now_ms)
    finally:
        await exchange.aclose()


def test_an_inverse_hedge_is_two_pairs_its_volume_coins_and_its_contracts_are_listed(
    server: ExchangeServer,
) -> None:
    listed, candles, funding = asyncio.run(asked(server.url, "ABC/USD:ABC", "inverse"))
    assert {symbol: (one.settles, *one.timeframes_ms) for symbol, one in listed.items()} == {
        "ABC/USDT:USDT": (False, SeriesKind.SPOT),
        "ABC/USD:ABC": (True, SeriesKind.PERP, SeriesKind.MARK),
    }
    assert listed["ABC/USD:ABC"].instrument.contract_size == 10
    assert candles.columns[-1].decimals() == [Decimal("77.5")]
    assert funding.times.tolist() == [NOON - 8 * HOUR_MS, NOON]


@pytest.mark.parametrize(
    ("symbol", "structure", "told"),
    [
        ("XYZ/USDT:USDT", "reverse", '"XYZ/USDT:USDT" is no linear perpetual of binance'),
        ("XYZ/USD:XYZ", "inverse", '"XYZ/USDT" is no spot market of binance'),
    ],
)
def test_a_market_that_is_not_traded_there_is_refused_by_name(
    server: ExchangeServer, symbol: str, structure: str, told: str
) -> None:
    with pytest.raises(InvalidInputError, match=told):
        asyncio.run(asked(server.url, symbol, structure))


BORROW = RecordKey("okx", "ABC/USDT:USDT", RecordKind.BORROW)
LENT = replace(PAIR, borrow=[(NOON + hour * HOUR_MS, "0.0876") for hour in range(-250, 8)])


async def taken(server: ExchangeServer, store: HistoricalDataStore, exchange: str = "okx") -> None:
    """Ask once for the newest spot candles of a coin that is borrowed."""
    config = RunConfig.parse(
        {"exchange": exchange, "structure": "reverse", "symbols": [PERP], "start": 0, "end": NOON}
    )
    borrowing = LiveBorrowing(store, exchange, borrowed_coins(config.hedges, exchange))
    live = LiveHedgeExchange(exchange, config.hedges, SystemClock(), server.url, borrowing)
    try:
        await live.listings(live.symbols)
        await live.candles(PERP, SeriesKind.SPOT, NOON - HOUR_MS, server.now_ms)
    finally:
        await live.aclose()


def test_borrow_rates_are_taken_in_with_the_candles_of_the_coin_without_a_hole(
    store: HistoricalDataStore,
) -> None:
    with serving(Okx(LENT, NOON + 60_000)) as served:
        asyncio.run(taken(served, store))
        first = store.records(BORROW)
        served.now_ms += 3 * HOUR_MS
        asyncio.run(taken(served, store))
    hours = [(rate.from_ms - NOON) // HOUR_MS for rate in store.records(BORROW)]
    assert [(rate.from_ms - NOON) // HOUR_MS for rate in first] == [*range(-99, 1)]
    assert hours == [*range(-99, 4)]
    assert {rate.hourly_rate for rate in first} == {Decimal("0.00001")}


def test_a_coin_that_is_not_lent_any_more_keeps_its_newest_rate_and_its_candles_come(
    store: HistoricalDataStore, caplog: pytest.LogCaptureFixture
) -> None:
    held = BorrowRate(NOON - HOUR_MS, Decimal("0.00002"), None)
    store.merge_records(BORROW, [held], "file")
    with serving(Okx(replace(PAIR, borrow=None), NOON + 60_000)) as served:
        asyncio.run(taken(served, store))
    assert store.records(BORROW) == [held]
    assert "that of 2024-01-01T11:00:00Z counts, 0.00002 an hour" in caplog.text


def test_where_rates_are_shown_to_accounts_alone_nothing_is_asked_and_the_session_says_what_counts(
    store: HistoricalDataStore,
) -> None:
    key = RecordKey("binance", PERP, RecordKind.BORROW)
    store.merge_records(key, [BorrowRate(NOON, Decimal("0.00002"), None)], "file")
    with serving(Binance(PAIR, NOON + 60_000)) as served:
        asyncio.run(taken(served, store, "binance"))
        assert not [path for path, _ in served.requests if "margin" in path]
    [said] = LiveBorrowing(store, "binance", {PERP: "ABC"}).notices()
    assert said == (
        "ABC: binance shows borrow rates only to authenticated accounts; "
        "that of 2024-01-01T12:00:00Z counts, 0.00002 an hour, until newer ones are imported"
    )
