"""Intervals follow from the settlements held and from what is stated of them, however they came in."""

import itertools
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import InsufficientDataError
from bot.market.intervals import IntervalOrigin, inferred_hours
from bot.market.rows import Rows, SeriesKey, SeriesKind, funding_values
from bot.market_store import sql
from bot.market_store.changes import changes_after
from bot.market_store.importing import FileReport, import_file
from bot.market_store.store import HistoricalDataStore
from bot.market_store.tables import market_segment
from bot.market_store.verifying import verify_market
from bot.market_store.writing import read_settlements
from bot.numbers.money import dec
from bot.timestamps import parse_time_ms

START = parse_time_ms("2024-01-28")
LATER = parse_time_ms("2030-01-01")
HOUR = 3_600_000
SYMBOL = "AAA/USDT:USDT"
ORCA = [4] * 9 + [2] * 5 + [1] * 7 + [2] * 3 + [4] * 4
SWITCHES = ([8] * 30, [8] * 9 + [4] * 9 + [8] * 9, ORCA, [1] * 20 + [8] * 8 + [1] * 4, [24] * 6 + [8] * 7)
_names = itertools.count(1)

Settlement = tuple[int, int]
"""Time in ms, and the interval in hours that is stated, 0 if none is."""


@dataclass(frozen=True)
class Record:
    """Records of a venue: settlements, and the pages in which it serves them."""

    settlements: list[Settlement]
    pages: list[list[Settlement]]


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Return a record with switches and holes, cut into pages that overlap, in any order."""
    steps = draw(st.sampled_from(SWITCHES))
    times = [START + at * HOUR for at in itertools.accumulate(steps)]
    lost = draw(st.sets(st.integers(0, len(times) - 1), max_size=len(times) // 3))
    stating = draw(st.sampled_from(("none", "some", "half")))
    told = {"none": set[int](), "half": set(range(len(times) // 2))}.get(stating)
    if told is None:
        told = draw(st.sets(st.integers(0, len(times) - 1), max_size=len(times)))
    settlements = [
        (t_ms, hours if at in told else 0)
        for at, (t_ms, hours) in enumerate(zip(times, steps, strict=True))
        if at not in lost
    ]
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(settlements) - 1)), max_size=6)))
    edges = list(itertools.pairwise([0, *cuts, len(settlements)]))
    overlap = draw(st.integers(0, 3))
    pages = [settlements[max(0, first - overlap) : last + overlap] for first, last in edges]
    # A page of before may tell fewer intervals than the file that states them.
    bare = [[(t_ms, 0) for t_ms, _ in page] for page in pages if draw(st.booleans())]
    return Record(settlements, draw(st.permutations([*pages, *bare])))


def rows_of(page: Sequence[Settlement]) -> Rows:
    shuffled = list(page)
    random.Random(len(page)).shuffle(shuffled)
    values = [funding_values(dec(f"0.0001{t_ms // HOUR % 97:02}"), hours, None) for t_ms, hours in shuffled]
    return Rows.of([t_ms for t_ms, _ in shuffled], values, SeriesKind.FUNDING)


def key_of(exchange: str) -> SeriesKey:
    return SeriesKey(exchange, SYMBOL, SeriesKind.FUNDING, 0)


def stored(engine: sa.Engine, exchange: str) -> tuple[list[tuple[int, int, int]], list[str]]:
    """Return time, interval and origin of each settlement, and the digests of the months."""
    with engine.connect() as connection:
        [series] = sql.held_series(connection, exchange)
        held = read_settlements(connection, series)
        digests = [one.digest for one in sql.outlines(connection, exchange)[series.id]]
    hours = np.asarray(held.rows.columns[1].mantissas)
    return list(zip(held.rows.times.tolist(), hours.tolist(), held.origins.tolist(), strict=True)), digests


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=records())
def test_any_cut_overlap_and_order_of_pages_gives_the_intervals_of_the_whole(
    engine: sa.Engine, record: Record
) -> None:
    if not record.settlements:
        return
    store = HistoricalDataStore(engine)
    whole, paged = f"whole{next(_names)}", f"paged{next(_names)}"
    store.merge(key_of(whole), rows_of(record.settlements))
    for page in record.pages:
        assert store.merge(key_of(paged), rows_of(page)).refused == 0
    expected = inferred_hours(*(list(column) for column in zip(*record.settlements, strict=True)))
    settled, digests = stored(engine, whole)
    assert [hours for _, hours, _ in settled] == expected
    assert stored(engine, paged) == (settled, digests)
    if all(expected):
        loaded = [store.load(one, [SYMBOL], LATER).symbols[0] for one in (whole, paged)]
        assert loaded[0].fingerprint == loaded[1].fingerprint


def hours_of(store: HistoricalDataStore, exchange: str = "x") -> list[int]:
    found: list[int] = store.load(exchange, [SYMBOL], LATER).symbols[0].funding.interval_hours.tolist()
    return found


def every(hours: int, count: int, first: int = 0, stated: int = 0) -> list[Settlement]:
    return [(START + (first + at * hours) * HOUR, stated) for at in range(count)]


def test_a_stated_interval_takes_the_place_of_an_inferred_one_and_is_kept(engine: sa.Engine) -> None:
    store, key = HistoricalDataStore(engine), key_of("x")
    store.merge(key, rows_of(every(8, 3)))
    told = store.merge(key, rows_of(every(8, 2, stated=4)))
    assert (told.new, told.already_there, told.refused, told.reinferred) == (0, 2, 0, 3)
    assert hours_of(store) == [4, 4, 4]
    other = store.merge(key, rows_of(every(8, 1, stated=8)))
    assert (other.refused, hours_of(store)) == (1, [4, 4, 4])
    assert other.reasons == (
        (0, "interval_hours 8 at 2024-01-28T00:00:00Z contradicts 4, which is held already"),
    )
    assert store.merge(key, rows_of(every(8, 3))).already_there == 3
    assert hours_of(store) == [4, 4, 4]


def test_an_interval_that_another_settlement_moves_is_written_down_as_a_change(engine: sa.Engine) -> None:
    store, key = HistoricalDataStore(engine), key_of("x")
    store.merge(key, rows_of([*every(4, 3), *every(8, 1, first=16)]))
    assert hours_of(store) == [4, 4, 4, 4]
    assert store.merge(key, rows_of(every(8, 1, first=24))).reinferred == 1
    assert hours_of(store) == [4, 4, 4, 8, 8]
    with engine.connect() as connection:
        [change] = changes_after(connection, 0, [SYMBOL])[SYMBOL]
    assert (change.change, change.rows, change.first_ms) == ("reinferred", 1, START + 16 * HOUR)
    assert change.told().startswith(
        f"the funding interval of 1 settlement of {SYMBOL} (2024-01-28T16:00:00Z) inferred anew at "
    )


def test_a_lone_settlement_is_kept_refused_by_name_and_decided_by_its_neighbour(engine: sa.Engine) -> None:
    store, key = HistoricalDataStore(engine), key_of("x")
    assert store.merge(key, rows_of(every(8, 1))).new == 1
    with pytest.raises(InsufficientDataError) as refused:
        store.load("x", [SYMBOL], LATER)
    why = "the funding interval is not known yet, because only one settlement is held (2024-01-28T00:00:00Z)"
    assert refused.value.message == f"symbols: {SYMBOL}: {why}; import the settlements around it"
    [exchange] = [one for one in store.listing() if one.exchange == "x"]
    [series] = exchange.symbols[0].series
    assert (series.rows, series.intervals) == (1, ())
    assert [finding.name for finding in series.findings] == ["interval_undecided"]
    assert all(pair.exchange != "x" for pair in store.pairs(0))
    with pytest.raises(InsufficientDataError, match="not known yet"):
        store.pair_series("x", SYMBOL, 0)
    assert store.merge(key, rows_of(every(8, 1, first=8))).reinferred == 0
    assert hours_of(store) == [8, 8]
    assert any(pair.exchange == "x" for pair in store.pairs(0))


def test_settlements_months_apart_wait_for_neighbours_too(engine: sa.Engine) -> None:
    store, key = HistoricalDataStore(engine), key_of("x")
    store.merge(key, rows_of([*every(8, 1), *every(8, 1, first=60 * 24)]))
    with pytest.raises(InsufficientDataError, match="no two of the 2 settlements held .* are within 24 h"):
        store.load("x", [SYMBOL], LATER)
    store.merge(key, rows_of(every(8, 1, first=60 * 24 + 4)))
    assert hours_of(store) == [4, 4, 4]


def forget_origins(engine: sa.Engine) -> None:
    """Leave settlements as a program of before this was written down has left them."""
    with engine.connect().execution_options(carrygrid_write=True) as connection, connection.begin():
        connection.execute(market_segment.update().values(origins=None))


def test_rows_of_before_keep_their_intervals_until_a_file_is_imported_in_their_place(
    engine: sa.Engine,
) -> None:
    store, key = HistoricalDataStore(engine), key_of("x")
    store.merge(key, rows_of(every(8, 3, stated=4)))
    forget_origins(engine)
    before = stored(engine, "x")[1]
    assert store.merge(key, rows_of(every(8, 3))).already_there == 3
    assert (hours_of(store), stored(engine, "x")[1]) == ([4, 4, 4], before)
    assert store.merge(key, rows_of(every(8, 1, stated=8))).refused == 1
    store.merge(key, rows_of(every(8, 1, first=24)))
    assert hours_of(store) == [4, 4, 4, 4]
    origins = [origin for _, _, origin in stored(engine, "x")[0]]
    assert origins == [*[IntervalOrigin.UNRECORDED] * 3, IntervalOrigin.INFERRED]
    store.merge(key, rows_of(every(8, 3)), replace_held=True)
    assert hours_of(store) == [8, 8, 8, 8]


def test_rows_of_before_become_stated_once_a_venue_states_the_same(engine: sa.Engine) -> None:
    store, key = HistoricalDataStore(engine), key_of("x")
    store.merge(key, rows_of(every(8, 2)))
    forget_origins(engine)
    store.merge(key, rows_of(every(8, 1, stated=8)))
    origins = [origin for _, _, origin in stored(engine, "x")[0]]
    assert origins == [IntervalOrigin.STATED, IntervalOrigin.UNRECORDED]


def test_damaged_origins_are_found(engine: sa.Engine) -> None:
    store = HistoricalDataStore(engine)
    store.merge(key_of("x"), rows_of(every(8, 2)))
    with engine.connect().execution_options(carrygrid_write=True) as connection, connection.begin():
        connection.execute(market_segment.update().values(origins=b"x"))
    with engine.connect() as connection:
        [damage] = verify_market(connection, "x").damages
    assert "is damaged" in damage.reason


@pytest.fixture
def dump(tmp_path: Path) -> "Dump":
    return Dump(tmp_path)


class Dump:
    """Writes answers of an exchange and imports them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def imported(self, store: HistoricalDataStore, name: str, page: Sequence[Settlement]) -> FileReport:
        """Import a page of funding as Binance answers it."""
        rows = [
            {"symbol": "AAAUSDT", "fundingTime": t_ms, "fundingRate": "0.0004", "markPrice": "10"}
            for t_ms, _ in page
        ]
        path = self._folder / name
        path.write_text(json.dumps(rows))
        return import_file(store, path, "x")


def test_pages_of_an_exchange_that_come_late_say_which_intervals_they_moved(
    engine: sa.Engine, dump: Dump
) -> None:
    store = HistoricalDataStore(engine)
    switch = [*every(4, 3), *every(8, 1, first=16)]
    first = dump.imported(store, "first.json", switch)
    assert first.notes == ("interval_hours inferred from the settlements",)
    second = dump.imported(store, "second.json", every(8, 1, first=24))
    assert (second.new, second.refused) == (1, 0)
    assert second.notes[-1] == (
        "the funding interval of 1 settlement held before is another one, now that its neighbours are held"
    )
    assert hours_of(store) == [4, 4, 4, 8, 8]
