"""Stored market data are deleted and replaced, and sweeps that used them say so, on both databases."""

import threading
import time
from collections.abc import Sequence
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sweeping import chunks_of, recomputed_rows, state_of, stored_rows, submit, sweep_spec

from bot.clock import SystemClock
from bot.errors import UnknownExchangeError, UnknownSymbolError
from bot.market.rows import Rows, SeriesKey, SeriesKind, funding_values
from bot.market_store import sql
from bot.market_store.changes import changes_after
from bot.market_store.database import write_transaction
from bot.market_store.deleting import Selection, remove_rows
from bot.market_store.provenance import Provenance, recorded
from bot.market_store.store import HistoricalDataStore
from bot.market_store.verifying import verify_market
from bot.models import HOUR_MS, Instrument
from bot.numbers.money import dec
from bot.timestamps import parse_time_ms
from sweeps.analysis.progress import get_spec, get_sweep, list_sweeps
from sweeps.export.manifest import manifest
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

NOON = parse_time_ms("2024-01-30T12:00:00Z")
LATER = parse_time_ms("2030-01-01")
AAA = "AAA/USDT:USDT"
BTC = "BTC/USDT:USDT"
PERP = SeriesKey("x", AAA, SeriesKind.PERP, HOUR_MS)
FUNDING = SeriesKey("x", AAA, SeriesKind.FUNDING, 0)


def candles(count: int, close: str = "10", first: int = 0) -> Rows:
    prices = tuple(map(dec, ("10", "12", "9", close, "5")))
    times = [NOON + (first + at) * HOUR_MS for at in range(count)]
    return Rows.of(times, [prices] * count, SeriesKind.PERP)


def settled(hours: Sequence[int], rate: str = "0.0001", interval: int = 0) -> Rows:
    times = [parse_time_ms("2024-01-28") + at * HOUR_MS for at in hours]
    return Rows.of(times, [funding_values(dec(rate), interval, None)] * len(times), SeriesKind.FUNDING)


@pytest.fixture
def store(engine: sa.Engine) -> HistoricalDataStore:
    """A store with ten days of candles over the end of a month, and their settlements."""
    store = HistoricalDataStore(engine)
    store.merge(PERP, candles(240))
    store.merge(FUNDING, settled(range(0, 240, 8)))
    return store


def held(store: HistoricalDataStore, exchange: str = "x") -> dict[str, int]:
    return {
        f"{symbol.symbol} {series.kind}": series.rows
        for one in store.listing()
        if one.exchange == exchange
        for symbol in one.symbols
        for series in symbol.series
    }


def changes(store: HistoricalDataStore) -> list[tuple[str, str, int]]:
    with store.engine.connect() as connection:
        found = changes_after(connection, 0, [AAA]).get(AAA, [])
    return [(one.change.value, one.key.kind.value, one.rows) for one in found]


def test_rows_in_a_stretch_go_and_the_others_stay_as_they_were(store: HistoricalDataStore) -> None:
    before = store.load("x", [AAA], LATER).symbols[0].perp
    selection = Selection.parse(
        exchange="x", symbol="AAAUSDT", series="perp-1h", from_="2024-01-31", to="2024-02-01T02:00:00Z"
    )
    told = store.preview_removal(selection)
    assert [(one.kind, one.rows) for one in told.series] == [("perp", 26)]
    assert (told.series[0].first_ms, told.series[0].last_ms) == (
        parse_time_ms("2024-01-31"),
        parse_time_ms("2024-02-01T01:00:00Z"),
    )
    assert held(store) == {f"{AAA} funding": 30, f"{AAA} perp": 240}
    assert store.remove(selection) == told
    after = store.load("x", [AAA], LATER).symbols[0].perp
    kept = [
        at
        for at, t in enumerate(before.open_ms.tolist())
        if not 0 <= t - told.series[0].first_ms < 26 * HOUR_MS
    ]
    assert after.open_ms.tolist() == before.open_ms[kept].tolist()
    assert after.close.decimals() == [before.close.decimals()[at] for at in kept]
    assert changes(store) == [("deleted", "perp", 26)]
    with store.engine.connect() as connection:
        assert verify_market(connection, "x").damages == ()
    assert store.remove(selection).rows == 0
    store.merge(PERP, candles(240))
    assert store.load("x", [AAA], LATER).symbols[0].perp.open_ms.tolist() == before.open_ms.tolist()


def test_a_market_imported_again_after_its_deletion_has_the_fingerprint_of_before(
    store: HistoricalDataStore,
) -> None:
    before = store.load("x", [AAA], LATER).fingerprint
    store.remove(Selection.parse(exchange="x", from_="2024-02-01"))
    assert store.load("x", [AAA], LATER).fingerprint != before
    store.merge(PERP, candles(240))
    store.merge(FUNDING, settled(range(0, 240, 8)))
    assert store.load("x", [AAA], LATER).fingerprint == before


def test_a_symbol_deleted_whole_leaves_nothing_behind(store: HistoricalDataStore) -> None:
    store.put_instrument("x", AAA, Instrument(mmr=Decimal("0.02")))
    store.listing()
    assert store.remove(Selection.parse(exchange="x", symbol=AAA)).rows == 270
    with store.engine.connect() as connection:
        assert sql.instruments(connection, "x", [AAA]) == {}
        assert "x" not in sql.exchanges(connection)
        for table in ("market_summary", "market_series"):
            query = sa.text(f"SELECT count(*) FROM {table} WHERE exchange = 'x'")
            assert connection.execute(query).scalar_one() == 0
    with pytest.raises(UnknownExchangeError):
        store.remove(Selection.parse(exchange="x", symbol=AAA))
    store.merge(PERP, candles(3), synthetic=True)
    assert held(store) == {f"{AAA} perp": 3}


def test_a_data_set_deleted_whole_leaves_the_others(store: HistoricalDataStore) -> None:
    other = held(store, "synthetic")
    assert store.remove(Selection.parse(exchange="x")).rows == 270
    assert (held(store), held(store, "synthetic")) == ({}, other)


def test_symbols_that_are_not_held_are_refused_by_name(store: HistoricalDataStore) -> None:
    with pytest.raises(UnknownSymbolError, match="nearest are AAA/USDT:USDT"):
        store.preview_removal(Selection.parse(exchange="x", symbol="AABUSDT"))


def test_intervals_of_what_stays_are_inferred_anew(store: HistoricalDataStore) -> None:
    key = SeriesKey("y", AAA, SeriesKind.FUNDING, 0)
    store.merge(key, settled([0, 8, 12, 16, 24, 32]))
    hours = store.load("y", [AAA], LATER).symbols[0].funding.interval_hours.tolist()
    assert hours == [8, 8, 4, 4, 8, 8]
    gone = store.remove(
        Selection.parse(exchange="y", from_="2024-01-28T12:00:00Z", to="2024-01-28T13:00:00Z")
    )
    assert (gone.rows, gone.reinferred) == (1, 1)
    assert store.load("y", [AAA], LATER).symbols[0].funding.interval_hours.tolist() == [8] * 5


def test_replacing_rows_take_the_place_of_those_they_contradict(store: HistoricalDataStore) -> None:
    source = Provenance("corrected.csv", 240, 0, 0)
    assert store.merge(PERP, candles(240, "11")).refused == 240
    told = store.merge(PERP, candles(240, "11", first=120), replace_held=True, provenance=source)
    assert (told.new, told.replaced, told.already_there, told.refused) == (120, 120, 0, 0)
    closes = store.load("x", [AAA], LATER).symbols[0].perp.close.decimals()
    assert closes == [dec("10")] * 120 + [dec("11")] * 240
    assert store.merge(PERP, candles(240, "11", first=120), replace_held=True).already_there == 240
    assert changes(store) == [("replaced", "perp", 120)]
    with store.engine.connect() as connection:
        [series] = [one for one in sql.held_series(connection, "x") if one.key == PERP]
        [provenance] = recorded(connection, [series])[series.id]
        assert verify_market(connection, "x").damages == ()
    assert (provenance.source, provenance.rows_new, provenance.replaced) == ("corrected.csv", 120, 120)


def test_a_replaced_settlement_keeps_the_interval_that_was_stated_of_it(store: HistoricalDataStore) -> None:
    key = SeriesKey("y", AAA, SeriesKind.FUNDING, 0)
    store.merge(key, settled([0, 8, 16], interval=4))
    told = store.merge(key, settled([8], rate="0.0002"), replace_held=True)
    assert (told.replaced, told.reinferred) == (1, 0)
    funding = store.load("y", [AAA], LATER).symbols[0].funding
    assert funding.interval_hours.tolist() == [4, 4, 4]
    assert funding.rates.decimals() == [dec("0.0001"), dec("0.0002"), dec("0.0001")]
    told = store.merge(key, settled([8], rate="0.0002", interval=8), replace_held=True)
    assert told.replaced == 1
    assert store.load("y", [AAA], LATER).symbols[0].funding.interval_hours.tolist() == [4, 8, 4]


def test_rows_of_one_file_that_contradict_each_other_replace_nothing_twice(
    store: HistoricalDataStore,
) -> None:
    both = Rows.concat([candles(1, "11"), candles(1, "12")], SeriesKind.PERP)
    told = store.merge(PERP, both, replace_held=True)
    assert (told.replaced, told.refused) == (1, 1)
    assert told.reasons == (
        (1, "close 12 at 2024-01-30T12:00:00Z contradicts 11, which the same file says as well"),
    )


def test_a_deletion_that_fails_half_way_deletes_nothing(store: HistoricalDataStore) -> None:
    before = held(store)

    def interrupted() -> None:
        with write_transaction(store.engine) as connection:
            remove_rows(connection, Selection.parse(exchange="x"))
            raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError, match="the power is gone"):
        interrupted()
    assert held(store) == before
    assert changes(store) == []


def run(engine: sa.Engine, windows: WindowCache, sweep_id: int, chunks: int) -> None:
    runner = ChunkRunner(engine, windows, SystemClock())
    for chunk in chunks_of(engine, sweep_id)[:chunks]:
        runner.run(sweep_id, chunk.id, "test")


def changed(engine: sa.Engine, sweep_id: int) -> str | None:
    with engine.connect() as connection:
        [listed] = [one for one in list_sweeps(connection).sweeps if one.id == sweep_id]
        shown = get_sweep(connection, sweep_id)
        notes = manifest(connection, shown, get_spec(connection, sweep_id))
        assert listed.data_changed == shown.data_changed == notes["data_changed"]
    return shown.data_changed


def test_sweeps_say_when_their_data_are_no_longer_held_and_others_do_not(engine: sa.Engine) -> None:
    store = HistoricalDataStore(engine)
    mine = submit(engine, sweep_spec(curves="none"))
    early = submit(engine, sweep_spec(base={**sweep_spec().document()["base"], "end": "2024-01-20"}))
    other = submit(engine, sweep_spec(base={**sweep_spec().document()["base"], "symbols": ["ETH/USDT:USDT"]}))
    backed_up = store.load("synthetic", [BTC], LATER).symbols[0].perp
    selection = Selection.parse(
        exchange="synthetic", symbol=BTC, series="perp", from_="2024-02-01", to="2024-02-02"
    )
    assert [changed(engine, one) for one in (mine, early, other)] == [None, None, None]
    store.remove(selection)
    reason = changed(engine, mine)
    assert reason is not None
    assert reason.startswith(
        "the market data that it was submitted on are no longer held: 24 perp candles of BTC/USDT:USDT "
        "(2024-02-01T00:00:00Z to 2024-02-01T23:00:00Z) deleted at 20"
    )
    assert [changed(engine, one) for one in (early, other)] == [None, None]
    later = submit(engine, sweep_spec(curves="none"))
    assert changed(engine, later) is None
    columns = (backed_up.open, backed_up.high, backed_up.low, backed_up.close, backed_up.volume)
    key = SeriesKey("synthetic", BTC, SeriesKind.PERP, HOUR_MS)
    store.merge(key, Rows(backed_up.open_ms, columns), synthetic=True)
    assert changed(engine, mine) is None


def test_a_sweep_whose_rows_are_deleted_under_it_ends_with_the_reason_and_nothing_wrong(
    engine: sa.Engine,
) -> None:
    spec = sweep_spec(curves="none")
    expected = recomputed_rows(engine, 1, spec)
    sweep_id = submit(engine, spec, size=40)
    run(engine, WindowCache(HistoricalDataStore(engine)), sweep_id, 1)
    HistoricalDataStore(engine).remove(
        Selection.parse(exchange="synthetic", symbol=BTC, series="funding", from_="2024-02-01")
    )
    run(engine, WindowCache(HistoricalDataStore(engine)), sweep_id, 3)
    assert state_of(engine, sweep_id) == "cancelled"
    rows = stored_rows(engine, sweep_id)
    assert len(rows) == 40
    assert rows == [{**expected[row["number"]], "sweep_id": sweep_id} for row in rows]
    with engine.connect() as connection:
        view = get_sweep(connection, sweep_id)
    assert str(view.reason).startswith("the market data it reads were changed after it was submitted")
    assert str(view.data_changed).startswith("the market data that it was submitted on are no longer held")


def test_imports_and_deletions_at_once_lose_nothing_and_fail_nothing(
    database_url: str, store: HistoricalDataStore
) -> None:
    selection = Selection.parse(exchange="x", series="perp")
    failures: list[BaseException] = []
    ends = time.monotonic() + 4

    def repeatedly(action: str) -> None:
        while time.monotonic() < ends:
            try:
                store.merge(PERP, candles(240)) if action == "import" else store.remove(selection)
            except UnknownExchangeError:
                continue
            except BaseException as error:  # noqa: BLE001 - every failure of a thread is one of the test
                failures.append(error)
                return

    threads = [threading.Thread(target=repeatedly, args=(one,)) for one in ("import", "delete", "import")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    store.merge(PERP, candles(240))
    assert held(store)[f"{AAA} perp"] == 240
    with store.engine.connect() as connection:
        assert verify_market(connection, "x").damages == ()
