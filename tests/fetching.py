"""An exchange that is served with candles and settlements of its own, and what is fetched from it."""

from typing import Any

from exchange_server import HOUR_MS, ExchangeServer, ServedPair

from bot.clock import SystemClock
from bot.market_store.fetch.exchange_calls import ExchangeCalls
from bot.market_store.fetch.exchanges import open_client
from bot.market_store.fetch.fetching import Fetcher, FetchReport
from bot.market_store.store import HistoricalDataStore
from bot.timestamps import parse_time_ms

START = parse_time_ms("2024-01-01")
HOURS = 1300
NOW = START + HOURS * HOUR_MS + 1_200_000
SET_UP_REQUESTS = 3
INTERVALS = [8] * 60 + [4] * 40 + [1] * 300 + [8] * 40


def candles(base: int, hours: int = HOURS + 1) -> list[tuple[Any, ...]]:
    return [
        (START + n * HOUR_MS, *(f"{base + n % 7 + extra}.25" for extra in (1, 3, 0, 2)), f"{n}.5")
        for n in range(hours)
    ]


def settlements() -> list[tuple[int, str]]:
    times, at = [], START
    for hours in INTERVALS:
        at += hours * HOUR_MS
        times.append(at)
    return [(t + n % 9, f"0.0001{n:04}") for n, t in enumerate(times) if t <= NOW]


def served_pair(exchange: str, coin: str = "BTC", spot: str = "BTC") -> ServedPair:
    spot_coin = "UBTC" if exchange == "hyperliquid" else spot
    return ServedPair(coin, spot_coin, candles(100), candles(101), candles(99), settlements())


def symbol_at(exchange: str) -> str:
    return "BTC/USDC:USDC" if exchange == "hyperliquid" else "BTC/USDT:USDT"


def name_of(server: ExchangeServer) -> str:
    return type(server).__name__.lower()


def fetched(
    server: ExchangeServer,
    store: HistoricalDataStore,
    since: int = START,
    until: int | None = None,
    pauses: list[float] | None = None,
    symbol: str | None = None,
) -> FetchReport:
    exchange = name_of(server)
    client = open_client(exchange, api_url=server.url, timeout_ms=2000, inverse=server.pair.inverse)
    client.enableRateLimit = False
    pause = (lambda _seconds: None) if pauses is None else pauses.append
    calls = ExchangeCalls(client, pause)
    fetcher = Fetcher(store, exchange, calls, SystemClock())
    return fetcher.fetch([symbol or symbol_at(exchange)], since, until, "1h")


def rows_held(store: HistoricalDataStore, exchange: str) -> dict[str, int]:
    return {
        series.kind: series.rows
        for listed in store.listing()
        if listed.exchange == exchange
        for symbol in listed.symbols
        for series in symbol.series
    }


RULES = {
    "binance": ("0.001", "0.001", "100", "0.005", "0.001", "0.0005"),
    "bybit": ("0.01", "0.02", "5", "0.01", "0.001", "0.0006"),
    "okx": ("0.001", "0.001", "5", "0.004", "0.0015", "0.0005"),
    "hyperliquid": ("0.001", "0.00001", "10", "0.02", "0.0007", "0.00045"),
}
