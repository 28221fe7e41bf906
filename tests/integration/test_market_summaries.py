"""Summaries of stored rows, made once and again as soon as the rows change; in both databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.errors import InvalidInputError, UnknownSymbolError
from bot.market.rows import Rows, SeriesKey, SeriesKind, funding_values
from bot.market_store.database import open_engine, write_transaction
from bot.market_store.store import HistoricalDataStore
from bot.market_store.summaries import Summary, keep_summaries, kept_summaries
from bot.models import HOUR_MS
from bot.timestamps import parse_time_ms
from sweeps.migrations import migrate

BTC = "BTC/USDT:USDT"
LATER = parse_time_ms("2024-04-02")


@contextmanager
def months_read(engine: sa.Engine) -> Iterator[list[str]]:
    """Give the statements that read stored rows while the block runs."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if "market_segment.payload" in statement:
            seen.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(engine, "before_cursor_execute", note)


def add_settlement(store: HistoricalDataStore, t_ms: int, rate: str) -> None:
    rows = Rows.of([t_ms], [funding_values(Decimal(rate), 8, None)], SeriesKind.FUNDING)
    store.merge(SeriesKey("synthetic", BTC, SeriesKind.FUNDING, 0), rows, synthetic=True)


def test_listing_reads_rows_once_and_then_only_of_what_changed(engine: sa.Engine) -> None:
    store = HistoricalDataStore(engine)
    first = store.listing()
    with months_read(engine) as statements:
        assert store.listing() == first
    assert statements == []

    add_settlement(store, LATER, "0.0002")
    with months_read(engine) as statements:
        second = store.listing()
    assert len(statements) == 1
    changed = [
        (one.symbol, new.kind)
        for one, other in zip(first[0].symbols, second[0].symbols, strict=True)
        for old, new in zip(one.series, other.series, strict=True)
        if old != new
    ]
    assert changed == [(BTC, "funding")]
    [pair] = [one for one in second[0].symbols if one.symbol == BTC]
    funding = next(one for one in pair.series if one.kind == "funding")
    assert (funding.gaps[-1].from_ms, funding.gaps[-1].missing) == (LATER - 16 * HOUR_MS, 2)


def test_another_instance_finds_what_the_first_kept(engine: sa.Engine) -> None:
    pairs = HistoricalDataStore(engine).pairs(30)
    with months_read(engine) as statements:
        assert HistoricalDataStore(engine).pairs(30) == pairs
        assert HistoricalDataStore(engine).pairs(0) != pairs
    assert statements == []


def test_figures_of_pairs_follow_new_settlements_and_prices(engine: sa.Engine) -> None:
    store = HistoricalDataStore(engine)
    before = {one.symbol: one for one in store.pairs(0)}
    add_settlement(store, LATER, "0.5")
    after = {one.symbol: one for one in store.pairs(0)}
    assert after[BTC].funding.total - before[BTC].funding.total == Decimal("0.5")
    assert {name for name in after if after[name] != before[name]} == {BTC}


def test_window_ends_at_each_pairs_own_last_settlement(engine: sa.Engine) -> None:
    store = HistoricalDataStore(engine)
    add_settlement(store, LATER, "0.0002")
    found = {one.symbol: one.funding for one in store.pairs(30)}
    assert (found[BTC].last_ms, found["ETH/USDT:USDT"].last_ms) == (LATER, parse_time_ms("2024-04-01"))
    assert found[BTC].first_ms == LATER - 30 * 24 * HOUR_MS + 8 * HOUR_MS
    assert found["ETH/USDT:USDT"].settlements == 90


def test_figures_of_one_pair_are_those_of_the_list(engine: sa.Engine) -> None:
    store = HistoricalDataStore(engine)
    for listed in store.pairs(90):
        assert store.pair_series("synthetic", listed.symbol, 90).figures() == listed


def test_unknown_pairs_and_windows_are_refused_by_name(engine: sa.Engine) -> None:
    store = HistoricalDataStore(engine)
    with pytest.raises(UnknownSymbolError, match='no funding of "NO/USDT:USDT" is held for "synthetic"'):
        store.pair_series("synthetic", "NO/USDT:USDT", 30)
    with pytest.raises(InvalidInputError, match="days: 31 is none of 30, 90, 365, 0"):
        store.pairs(31)


def test_summary_of_an_older_version_is_worked_out_anew(engine: sa.Engine) -> None:
    store = HistoricalDataStore(engine)
    listing = store.listing()
    with write_transaction(engine) as connection:
        keep_summaries(connection, [Summary(("synthetic", BTC), "listing", "older", [{"odd": 1}])])
    assert store.listing() == listing
    with engine.connect() as connection:
        assert kept_summaries(connection, "listing")["synthetic", BTC].digest != "older"


def test_listing_is_read_although_the_disk_has_no_room_for_its_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'carrygrid.db'}")
    migrate(engine)
    store = HistoricalDataStore(engine)
    add_settlement(store, LATER, "0.0001")

    def find_no_room(connection: sa.Connection, _summaries: object) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count=1")
        connection.exec_driver_sql("CREATE TABLE summary AS SELECT zeroblob(1000000)")

    monkeypatch.setattr("bot.market_store.store.keep_summaries", find_no_room)
    [exchange] = store.listing()
    assert [symbol.symbol for symbol in exchange.symbols] == [BTC]
    assert [pair.symbol for pair in store.pairs(0)] == [BTC]
    engine.dispose()
