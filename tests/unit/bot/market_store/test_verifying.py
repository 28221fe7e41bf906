"""Findings of `data verify`: every byte that is no longer what was stored."""

import zlib

import sqlalchemy as sa
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_store import BTC, NOON, candles, funding, key

from bot.market.rows import SeriesKind
from bot.market_store.database import write_transaction
from bot.market_store.segments import encode
from bot.market_store.store import HistoricalDataStore
from bot.market_store.tables import market_segment
from bot.market_store.verifying import Verification, verify_market


def fill(store: HistoricalDataStore) -> None:
    store.merge(key(SeriesKind.FUNDING), funding(NOON, ["0.0001", "0.0002", "0.0003"]))
    store.merge(key(SeriesKind.PERP), candles(NOON, 48))
    store.merge(key(SeriesKind.PERP, exchange="other"), candles(NOON, 3))


def verified(store: HistoricalDataStore, exchange: str | None = None) -> Verification:
    with store.engine.connect() as connection:
        return verify_market(connection, exchange)


def change(store: HistoricalDataStore, month: int, **values: object) -> None:
    perp = sa.text("series_id = (SELECT id FROM market_series WHERE kind = 'perp' AND exchange = 'test')")
    with write_transaction(store.engine) as connection:
        connection.execute(
            market_segment.update().where(perp, market_segment.c.month == month).values(**values)
        )


def test_untouched_data_are_sound(store: HistoricalDataStore) -> None:
    fill(store)
    assert verified(store) == Verification(series=3, months=5, rows=54, damages=())
    assert verified(store, "other") == Verification(series=1, months=1, rows=3, damages=())


def decompressed(payload: bytes) -> bytes | None:
    try:
        return zlib.decompress(payload)
    except zlib.error:
        return None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_flipped_bit_that_changes_the_rows_is_found(
    store: HistoricalDataStore, place: int, bit: int
) -> None:
    if not store.exchanges():
        fill(store)
    payload = bytearray(encode(candles(NOON, 12)).payload)
    change(store, 202401, payload=bytes(payload))
    assert verified(store).damages == ()
    whole = decompressed(payload)
    payload[place % len(payload)] ^= 1 << bit
    # Compressed bytes have a few bits that say nothing, between blocks.
    assume(decompressed(payload) != whole)
    change(store, 202401, payload=bytes(payload))
    [damage] = verified(store).damages
    assert (damage.exchange, damage.symbol, damage.kind, damage.month) == ("test", BTC, "perp", 202401)


def test_rows_that_contradict_what_is_written_about_them_are_found(store: HistoricalDataStore) -> None:
    fill(store)
    change(store, 202402, rows=35, last_ms=1)
    [damage] = verified(store).damages
    assert damage.reason == (
        "its last_ms is written down as 1, which its rows contradict, "
        "its rows is written down as 35, which its rows contradict"
    )


def test_rows_exchanged_for_others_with_their_digest_kept_are_found(store: HistoricalDataStore) -> None:
    fill(store)
    change(store, 202401, payload=encode(candles(NOON, 12, price=11)).payload)
    [damage] = verified(store).damages
    assert "its digest is not" in damage.reason
