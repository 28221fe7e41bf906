from collections.abc import Sequence
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import DataImportError, StoreError, UnknownExchangeError, UnknownSymbolError
from bot.market.merging import merge_rows
from bot.market.rows import Rows, SeriesKey, SeriesKind, funding_values
from bot.market_store.database import write_transaction
from bot.market_store.segments import digest
from bot.market_store.store import HistoricalDataStore
from bot.market_store.tables import market_segment
from bot.models import HOUR_MS, Instrument
from bot.timestamps import parse_time_ms

NOON = parse_time_ms("2024-01-31T12:00:00Z")
BTC = "BTC/USDT:USDT"


def candles(first_ms: int, count: int, step_ms: int = HOUR_MS, price: int = 10) -> Rows:
    times = [first_ms + n * step_ms for n in range(count)]
    return Rows.of(times, [(Decimal(price),) * 4 + (Decimal(1),)] * count, SeriesKind.PERP)


def funding(first_ms: int, rates: Sequence[str], interval: int = 8) -> Rows:
    times = [first_ms + n * interval * HOUR_MS for n in range(len(rates))]
    return Rows.of(
        times, [funding_values(Decimal(r), interval, Decimal(10)) for r in rates], SeriesKind.FUNDING
    )


def key(
    kind: SeriesKind, timeframe_ms: int = HOUR_MS, symbol: str = BTC, exchange: str = "test"
) -> SeriesKey:
    return SeriesKey(exchange, symbol, kind, 0 if kind is SeriesKind.FUNDING else timeframe_ms)


@pytest.fixture
def filled(store: HistoricalDataStore) -> HistoricalDataStore:
    store.merge(key(SeriesKind.FUNDING), funding(NOON, ["0.0001", "0.0002", "0.0003"]))
    store.merge(key(SeriesKind.PERP), candles(NOON, 48))
    store.merge(key(SeriesKind.SPOT), candles(NOON, 48))
    return store


def test_candle_is_visible_once_closed_and_funding_at_its_time(filled: HistoricalDataStore) -> None:
    at_close = filled.load("test", [BTC], NOON + HOUR_MS).symbols[0]
    before = filled.load("test", [BTC], NOON + HOUR_MS - 1).symbols[0]
    assert (len(at_close.perp), len(before.perp), len(before.funding)) == (1, 0, 1)
    assert len(filled.load("test", [BTC], NOON - 1).symbols[0].funding) == 0


def test_all_history_before_is_loaded_across_months(filled: HistoricalDataStore) -> None:
    data = filled.load("test", [BTC], NOON + 100 * HOUR_MS).symbols[0]
    assert data.spot.open_ms.tolist() == [NOON + n * HOUR_MS for n in range(48)]
    assert [str(rate) for rate in data.funding.rates.decimals()] == ["0.0001", "0.0002", "0.0003"]
    assert data.funding.interval_hours.tolist() == [8, 8, 8]
    assert data.mark is None
    assert not data.synthetic


def test_fingerprint_depends_on_the_rows_a_run_may_read_and_no_others(filled: HistoricalDataStore) -> None:
    early, late = NOON + 10 * HOUR_MS, NOON + 30 * HOUR_MS
    before = [filled.load("test", [BTC], moment).fingerprint for moment in (early, late)]
    filled.merge(key(SeriesKind.PERP), candles(NOON + 20 * HOUR_MS, 200))
    filled.merge(key(SeriesKind.PERP), candles(NOON + 400 * HOUR_MS, 5))
    after = [filled.load("test", [BTC], moment).fingerprint for moment in (early, late)]
    assert before == after
    filled.merge(key(SeriesKind.SPOT), candles(NOON - HOUR_MS, 1))
    assert filled.load("test", [BTC], early).fingerprint != before[0]
    assert before[0] != before[1]


def test_cut_month_has_the_fingerprint_of_a_store_that_ends_there(
    filled: HistoricalDataStore, store: HistoricalDataStore
) -> None:
    late = NOON + 20 * HOUR_MS
    full = filled.load("test", [BTC], late).fingerprint
    filled.merge(key(SeriesKind.PERP), candles(NOON + 48 * HOUR_MS, 48))
    assert filled.load("test", [BTC], late).fingerprint == full


def test_trading_rules_are_part_of_the_fingerprint_and_default_where_unknown(
    filled: HistoricalDataStore,
) -> None:
    before = filled.load("test", [BTC], NOON)
    assert before.symbols[0].instrument == Instrument()
    rules = Instrument(qty_step=Decimal("0.001"), mmr=Decimal("0.0040"), spot_active=False)
    filled.put_instrument("test", BTC, rules)
    after = filled.load("test", [BTC], NOON)
    assert after.symbols[0].instrument == rules
    assert before.fingerprint != after.fingerprint


def test_hourly_series_is_preferred_and_else_the_finest(store: HistoricalDataStore) -> None:
    for hours in (4, 8):
        store.merge(key(SeriesKind.PERP, hours * HOUR_MS), candles(NOON, 3, hours * HOUR_MS))
    for minutes in (5, 60):
        store.merge(key(SeriesKind.SPOT, minutes * 60_000), candles(NOON, 3, minutes * 60_000))
    data = store.load("test", [BTC], NOON + 100 * HOUR_MS).symbols[0]
    assert (data.perp.timeframe_ms, data.spot.timeframe_ms) == (4 * HOUR_MS, HOUR_MS)


def test_mark_series_that_starts_later_is_empty_and_not_absent(filled: HistoricalDataStore) -> None:
    filled.merge(key(SeriesKind.MARK), candles(NOON + 40 * HOUR_MS, 3))
    mark = filled.load("test", [BTC], NOON + 10 * HOUR_MS).symbols[0].mark
    assert mark is not None
    assert len(mark) == 0


def test_only_exchange_is_the_default_and_several_are_listed(filled: HistoricalDataStore) -> None:
    assert filled.load(None, [BTC], NOON).exchange == "test"
    filled.merge(key(SeriesKind.PERP, exchange="other"), candles(NOON, 1))
    assert filled.exchanges() == ["other", "test"]
    with pytest.raises(UnknownExchangeError, match="none is named; held are other, test"):
        filled.load(None, [BTC], NOON)
    with pytest.raises(UnknownExchangeError, match='"binanc" is not held; held are other, test'):
        filled.load("binanc", [BTC], NOON)


def test_empty_store_says_that_it_is_empty(store: HistoricalDataStore) -> None:
    for named in (None, "binance"):
        with pytest.raises(UnknownExchangeError, match="no market data has been imported yet"):
            store.load(named, [BTC], NOON)


def test_unknown_symbol_is_refused_with_the_nearest_held(filled: HistoricalDataStore) -> None:
    with pytest.raises(UnknownSymbolError, match=r'symbols: "BTCUSDT" .*nearest are BTC/USDT:USDT'):
        filled.load("test", ["BTCUSDT"], NOON)
    with pytest.raises(UnknownSymbolError, match=r"held are BTC/USDT:USDT"):
        filled.load("test", [BTC, "QQQ"], NOON)


def test_symbols_come_in_the_order_asked_for(filled: HistoricalDataStore) -> None:
    eth = "ETH/USDT:USDT"
    filled.merge(key(SeriesKind.PERP, symbol=eth), candles(NOON, 1))
    for order in ([BTC, eth], [eth, BTC]):
        assert [one.symbol for one in filled.load("test", order, NOON).symbols] == order


def test_damaged_month_is_refused_by_name(filled: HistoricalDataStore) -> None:
    with write_transaction(filled.engine) as connection:
        connection.execute(sa.update(market_segment).values(digest="0" * 64))
    with pytest.raises(StoreError, match=r"test BTC/USDT:USDT \w+, month 2024-01 is damaged"):
        filled.load("test", [BTC], NOON)


def test_recorded_and_generated_rows_never_share_a_series(filled: HistoricalDataStore) -> None:
    with pytest.raises(DataImportError, match="holds recorded data, which generated data cannot join"):
        filled.merge(key(SeriesKind.PERP), candles(NOON, 1), synthetic=True)


def test_no_rows_leave_no_series_behind(store: HistoricalDataStore) -> None:
    store.merge(key(SeriesKind.PERP), Rows.empty(SeriesKind.PERP))
    assert store.exchanges() == []


@settings(max_examples=25)
@given(st.permutations(range(40)), st.integers(1, 39))
def test_rows_are_the_same_whatever_the_order_they_came_in(order: list[int], cut: int) -> None:
    everything = candles(NOON, 40)
    first, second = order[:cut], order[cut - 1 :]
    held = Rows.empty(SeriesKind.PERP)
    for part in (first, second):
        times = [NOON + n * HOUR_MS for n in part]
        values = [(Decimal(10),) * 4 + (Decimal(1),)] * len(part)
        merged = merge_rows(held, Rows.of(times, values, SeriesKind.PERP), SeriesKind.PERP)
        held, result = merged.rows, merged.result
    assert result.already_there == 1
    assert digest(held) == digest(everything)


def test_listing_shows_extents_counts_and_gaps(filled: HistoricalDataStore) -> None:
    filled.merge(key(SeriesKind.PERP), candles(NOON + 50 * HOUR_MS, 2))
    filled.merge(key(SeriesKind.FUNDING), funding(NOON + 48 * HOUR_MS, ["0.0001"]))
    listed = filled.listing()
    assert [(one.exchange, [s.symbol for s in one.symbols]) for one in listed] == [("test", [BTC])]
    shown = {series["kind"]: series for series in listed[0].document()["symbols"][0]["series"]}
    perp = shown["perp"]
    assert (perp["rows"], perp["missing"], perp["timeframe_ms"]) == (50, 2, HOUR_MS)
    hole = {"from_ms": NOON + 48 * HOUR_MS, "to_ms": NOON + 49 * HOUR_MS, "missing": 2}
    assert perp["gaps"] == (hole,)
    assert shown["spot"]["gaps"] == ()
    assert (shown["funding"]["missing"], shown["funding"]["last_ms"]) == (3, NOON + 48 * HOUR_MS)
