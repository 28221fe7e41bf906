"""The digest of visible history: it changes with what runs may read, and with nothing else."""

from collections.abc import Callable
from decimal import Decimal

import pytest
import sqlalchemy as sa

from bot.market.rows import Rows, SeriesKey, SeriesKind, funding_values
from bot.market_store.pinning import history_digest
from bot.market_store.store import HistoricalDataStore
from bot.models import HOUR_MS, Instrument
from bot.timestamps import parse_time_ms

NOON = parse_time_ms("2024-01-31T12:00:00Z")
BTC, PEPE = "BTC/USDT:USDT", "1000PEPE/USDT:USDT"
LAST = NOON + 24 * HOUR_MS


def candles(first_ms: int, count: int, price: int = 10) -> Rows:
    times = [first_ms + n * HOUR_MS for n in range(count)]
    return Rows.of(times, [(Decimal(price),) * 4 + (Decimal(1),)] * count, SeriesKind.PERP)


def settlements(first_ms: int, count: int) -> Rows:
    times = [first_ms + n * 8 * HOUR_MS for n in range(count)]
    return Rows.of(times, [funding_values(Decimal("0.0001"), 8, Decimal(10))] * count, SeriesKind.FUNDING)


def key(kind: SeriesKind, symbol: str = BTC, timeframe_ms: int = HOUR_MS) -> SeriesKey:
    return SeriesKey("test", symbol, kind, 0 if kind is SeriesKind.FUNDING else timeframe_ms)


def pin(store: HistoricalDataStore, *symbols: str, end_ms: int = LAST) -> str:
    with store.engine.connect() as connection:
        return history_digest(connection, "test", symbols or (BTC,), end_ms)


@pytest.fixture
def filled(store: HistoricalDataStore) -> HistoricalDataStore:
    store.merge(key(SeriesKind.FUNDING), settlements(NOON, 4))
    for kind in (SeriesKind.SPOT, SeriesKind.PERP):
        store.merge(key(kind), candles(NOON, 24))
    return store


@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.merge(key(SeriesKind.FUNDING), settlements(NOON - 8 * HOUR_MS, 1)),
        lambda store: store.merge(key(SeriesKind.PERP), candles(NOON - HOUR_MS, 1)),
        lambda store: store.merge(key(SeriesKind.MARK), candles(NOON, 2)),
        lambda store: store.merge(key(SeriesKind.SPOT, timeframe_ms=2 * HOUR_MS), candles(NOON, 1)),
        lambda store: store.put_instrument("test", BTC, Instrument(mmr=Decimal("0.01"))),
        lambda store: store.put_instrument("test", BTC, Instrument(contract_size=Decimal(100))),
    ],
)
def test_whatever_a_run_may_read_changes_it(
    filled: HistoricalDataStore, change: Callable[[HistoricalDataStore], object]
) -> None:
    before = pin(filled)
    change(filled)
    assert pin(filled) != before
    assert pin(filled) == pin(filled)


def test_later_rows_and_other_symbols_leave_it_alone(filled: HistoricalDataStore) -> None:
    before = pin(filled)
    filled.merge(key(SeriesKind.FUNDING), settlements(LAST + 8 * HOUR_MS, 90))
    for kind in (SeriesKind.SPOT, SeriesKind.PERP):
        filled.merge(key(kind), candles(LAST, 800))
        filled.merge(key(kind, "ETH/USDT:USDT"), candles(NOON, 24))
    filled.merge(key(SeriesKind.FUNDING), settlements(NOON, 4))
    assert pin(filled) == before
    assert pin(filled, end_ms=LAST + HOUR_MS) != before


def test_multiplier_contract_depends_on_the_spot_market_of_its_coin(filled: HistoricalDataStore) -> None:
    filled.merge(key(SeriesKind.PERP, PEPE), candles(NOON, 24))
    before = pin(filled, PEPE)
    filled.merge(key(SeriesKind.SPOT, "PEPE/USDT:USDT"), candles(NOON, 24))
    assert pin(filled, PEPE) != before


def test_only_the_months_that_the_end_cuts_are_read(filled: HistoricalDataStore) -> None:
    filled.merge(key(SeriesKind.PERP), candles(NOON - 900 * HOUR_MS, 900))
    read: list[str] = []
    sa.event.listen(filled.engine, "before_cursor_execute", lambda *call: read.append(call[2]))
    pin(filled, end_ms=NOON + 6 * HOUR_MS)
    assert sum("payload" in statement for statement in read) == 3
    read.clear()
    pin(filled, end_ms=NOON + 6 * HOUR_MS)
    assert not any("payload" in statement for statement in read)
