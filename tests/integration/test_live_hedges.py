"""Live markets of hedges as an exchange lists them: inverse perps, spot alone, markets it does not trade."""

import asyncio
import importlib.util
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from exchange_server import Binance, ExchangeServer, ServedPair, serving
from servers import skip_or_fail

from bot.clock import SystemClock
from bot.config.run_config import RunConfig
from bot.errors import InvalidInputError
from bot.market.rows import Rows, SeriesKind
from bot.market_store.fetch.live_hedges import LiveHedgeExchange
from bot.paper.feed import Listing

HOUR_MS = 3_600_000
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
        ("XYZ/USDT:USDT", "reverse", "'XYZ/USDT:USDT' is no linear perpetual of binance"),
        ("XYZ/USD:XYZ", "inverse", "'XYZ/USDT' is no spot market of binance"),
    ],
)
def test_a_market_that_is_not_traded_there_is_refused_by_name(
    server: ExchangeServer, symbol: str, structure: str, told: str
) -> None:
    with pytest.raises(InvalidInputError, match=told):
        asyncio.run(asked(server.url, symbol, structure))
