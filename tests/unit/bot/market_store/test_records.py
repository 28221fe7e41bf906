"""Files of borrow rates, brackets and lives, from the import to the listing and out of the store again."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from bot.errors import DataImportError, InvalidInputError
from bot.market.records.borrow_rates import BorrowRate
from bot.market.records.kinds import RecordKey, RecordKind
from bot.market_store.changes import changes_after
from bot.market_store.database import write_transaction
from bot.market_store.deleting import Selection
from bot.market_store.import_reports import ImportReport
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importing import import_path
from bot.market_store.pinning import history_digest
from bot.market_store.records import held_records, read_rows
from bot.market_store.store import HistoricalDataStore
from bot.market_store.tables import market_record
from bot.market_store.verifying import verify_market
from bot.models import HOUR_MS

BTC = "BTC/USDT:USDT"
T0 = 1_704_067_200_000
BORROW = f"timestamp_ms,hourly_rate,max_quantity\n{T0},0.00001,3\n{T0 + HOUR_MS},0.00002,\n"
BRACKETS = [{"from_ms": 0, "brackets": [{"cap": "5e4", "mmr": 0.004, "max_leverage": 125}, {"mmr": "0.01"}]}]
LIFE = [{"market": "perp", "from_ms": T0}, {"market": "spot", "from_ms": T0, "to_ms": T0 + HOUR_MS}]
FILES = {
    "BTCUSDT-borrow.csv": BORROW,
    "BTCUSDT-brackets.json": json.dumps(BRACKETS),
    "BTCUSDT-life.json": json.dumps(LIFE),
}


def imported(
    store: HistoricalDataStore, folder: Path, files: dict[str, str], *, replace: bool = False
) -> ImportReport:
    for name, text in files.items():
        (folder / name).write_text(text)
    return import_path(store, folder, "test", options=ImportOptions(replace=replace))


@pytest.fixture
def filled(store: HistoricalDataStore, tmp_path: Path) -> HistoricalDataStore:
    report = imported(store, tmp_path, FILES)
    counts = [(one.symbol, one.kind, one.new) for one in report.files]
    assert counts == [(BTC, "borrow", 2), (BTC, "brackets", 1), (BTC, "life", 2)]
    return store


def held(store: HistoricalDataStore) -> dict[str, list[object]]:
    with store.engine.connect() as connection:
        return {one.key.kind.value: read_rows(connection, one) for one in held_records(connection)}


def test_files_are_listed_with_their_symbol_and_importing_them_again_changes_nothing(
    filled: HistoricalDataStore, tmp_path: Path
) -> None:
    before = held(filled)
    again = imported(filled, tmp_path, {})
    assert (again.rows_read, again.new, again.already_there) == (5, 0, 5)
    assert held(filled) == before
    [listed] = filled.listing()
    [symbol] = listed.symbols
    assert (listed.exchange, symbol.symbol, symbol.series, symbol.synthetic) == ("test", BTC, (), False)
    assert [(one.kind, one.rows, one.first_ms, one.last_ms, one.source) for one in symbol.records] == [
        ("borrow", 2, T0, T0 + HOUR_MS, "BTCUSDT-borrow.csv"),
        ("brackets", 1, 0, 0, "BTCUSDT-brackets.json"),
        ("life", 2, T0, T0, "BTCUSDT-life.json"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        (
            "BTCUSDT-borrow.csv",
            BORROW + f"{T0 + 2 * HOUR_MS},-0.1,\n",
            'line 4: hourly_rate "-0.1" is not at least 0 and below 1',
        ),
        ("BTCUSDT-borrow.csv", BORROW + f"{T0},0.1,\n", f"line 4: timestamp_ms {T0} is not after"),
        ("BTCUSDT-borrow.csv", BORROW + f"{T0 + 9},1\n", "line 4: 2 columns instead of 3"),
        ("BTCUSDT-borrow.csv", "time,rate\n1,2\n", 'begins with "time,rate", not with timestamp_ms,'),
        (
            "BTCUSDT-brackets.json",
            json.dumps([*BRACKETS, {"from_ms": T0, "brackets": [{"cap": 5, "mmr": 1}]}]),
            "row 2: brackets[0].mmr 1 is not at least 0 and below 1",
        ),
        ("BTCUSDT-brackets.json", '{"from_ms": 0}', "is no JSON list of objects with from_ms, brackets"),
        ("BTCUSDT-brackets.json", "[]", "BTCUSDT-brackets.json holds no rows"),
        ("BTCUSDT-life.json", json.dumps([*LIFE, LIFE[0]]), f"row 3: from_ms {T0} repeats that of a row"),
    ],
)
def test_one_bad_row_refuses_its_file_by_name_and_nothing_of_it_is_stored(
    store: HistoricalDataStore, tmp_path: Path, name: str, text: str, reason: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataImportError) as refused:
        import_path(store, tmp_path / name, "test")
    assert refused.value.message.startswith(name)
    assert reason in refused.value.message
    assert held(store) == {}


def test_rows_that_contradict_held_ones_are_refused_until_they_are_to_replace_them(
    filled: HistoricalDataStore, tmp_path: Path
) -> None:
    ended = [LIFE[0] | {"to_ms": T0 + HOUR_MS}, {"market": "perp", "from_ms": T0 + HOUR_MS}]
    before = held(filled)
    files = {"BTCUSDT-life.json": json.dumps(ended)}
    [refused] = imported(filled, tmp_path, files).refused_files
    assert refused.reason == (
        f"row 1: to_ms {T0 + HOUR_MS} of perp from_ms {T0} contradicts (none), which is held already "
        "(--replace lets it take its place)"
    )
    assert held(filled) == before
    report = imported(filled, tmp_path, files, replace=True)
    assert (report.new, report.replaced) == (1, 1)
    assert len(held(filled)["life"]) == 3
    with filled.engine.connect() as connection:
        assert changes_after(connection, 0, [BTC]) == {}
        [change] = changes_after(connection, 0, [BTC], [*RecordKind])[BTC]
    assert change.told().startswith(f"1 epoch of {BTC} (2024-01-01T00:00:00Z) replaced at ")


def test_rows_that_cannot_stand_beside_held_ones_are_refused(
    filled: HistoricalDataStore, tmp_path: Path
) -> None:
    earlier = [{"market": "perp", "from_ms": T0 - HOUR_MS}]
    [refused] = imported(filled, tmp_path, {"BTCUSDT-life.json": json.dumps(earlier)}).refused_files
    assert refused.reason == (
        f"from_ms {T0} follows an epoch of perp without to_ms, which never ends, "
        "beside the rows that are held already"
    )


def test_deleting_takes_the_kind_and_times_that_are_meant_and_leaves_nothing_of_a_symbol(
    filled: HistoricalDataStore,
) -> None:
    asked = {"exchange": "test", "symbol": "BTCUSDT"}
    gone = filled.remove(Selection.parse(**asked, series="borrow", from_="2024-01-01T01:00:00Z"))
    assert [(one.kind, one.rows, one.first_ms) for one in gone.series] == [("borrow", 1, T0 + HOUR_MS)]
    assert len(held(filled)["borrow"]) == 1
    gone = filled.remove(Selection.parse(**asked))
    assert {one.kind: one.rows for one in gone.series} == {"borrow": 1, "brackets": 1, "life": 2}
    assert filled.listing() == []


def test_epochs_without_which_others_could_not_stand_are_not_deleted(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    life = [LIFE[0] | {"to_ms": T0 + HOUR_MS}, {"market": "perp", "from_ms": T0 + HOUR_MS, "carried": True}]
    imported(store, tmp_path, {"BTCUSDT-life.json": json.dumps(life)})
    with pytest.raises(InvalidInputError, match="series: life of BTC/USDT:USDT without them: carried true"):
        store.remove(Selection.parse(exchange="test", series="life", to="2024-01-01T01:00:00Z"))
    assert len(held(store)["life"]) == 2


def test_damaged_rows_are_found_by_verifying(filled: HistoricalDataStore) -> None:
    with write_transaction(filled.engine) as connection:
        broken = market_record.update().where(market_record.c.kind == "borrow")
        connection.execute(broken.values(digest="0" * 64))
    with filled.engine.connect() as connection:
        found = verify_market(connection, "test")
    assert (found.series, found.rows) == (3, 5)
    [damage] = found.damages
    assert (damage.symbol, damage.kind, damage.month) == (BTC, "borrow", None)
    assert damage.reason.startswith("stored test BTC/USDT:USDT borrow is damaged")


SERIES = {
    "BTCUSDT-funding.csv": f"timestamp_ms,funding_rate,interval_hours,mark_price\n{T0},0.0001,8,\n",
    "BTCUSDT-perp-1h.csv": f"timestamp_ms,open,high,low,close,volume\n{T0 - HOUR_MS},1,1,1,1,1\n",
}


def test_recorded_rows_enter_the_identity_of_those_runs_alone_that_read_their_kind(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    end_ms = T0 + HOUR_MS - 1

    def identities(*reads: RecordKind) -> tuple[str, str]:
        with store.engine.connect() as connection:
            digest = history_digest(connection, "test", [BTC], end_ms, reads)
        return store.load("test", [BTC], end_ms, reads=reads).fingerprint, digest

    imported(store, tmp_path, SERIES)
    before = identities()
    assert identities(*RecordKind) == before
    imported(store, tmp_path, FILES)
    assert identities() == before
    read = [identities(kind) for kind in RecordKind]
    assert len({before, *read}) == 4
    # The second borrow rate begins after the end of the window: without it nothing is another run.
    store.remove(Selection.parse(exchange="test", series="borrow", from_="2024-01-01T01:00:00Z"))
    assert [identities(kind) for kind in RecordKind] == read
    store.remove(Selection.parse(exchange="test", series="borrow"))
    assert [identities(kind) for kind in RecordKind] == [before, *read[1:]]


def test_a_run_reads_typed_rows_of_the_kinds_it_asks_for(store: HistoricalDataStore, tmp_path: Path) -> None:
    imported(store, tmp_path, {**SERIES, **FILES})
    asked = [RecordKind.BORROW, RecordKind.BRACKETS]
    recorded = store.load("test", [BTC], T0 + HOUR_MS - 1, reads=asked).symbols[0].recorded
    assert recorded.borrow_rates().rows == (BorrowRate(T0, Decimal("0.00001"), Decimal(3)),)
    dated = recorded.brackets().in_force(T0)
    assert dated is not None
    assert dated.brackets.maintenance(Decimal(50_000)) == 200
    assert recorded.lives() == {}
    every = store.load("test", [BTC], T0 + HOUR_MS - 1, reads=[*RecordKind]).symbols[0].recorded
    assert {market: life.contracts[0].to_ms for market, life in every.lives().items()} == {
        "perp": None,
        "spot": T0 + HOUR_MS,
    }


def test_a_header_tells_borrow_rates_whose_symbol_is_an_option(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    (tmp_path / "rates.csv").write_text(BORROW)
    options = ImportOptions(symbols=(BTC,))
    assert import_path(store, tmp_path / "rates.csv", "test", options=options).new == 2
    assert [*held(store)] == [RecordKey("test", BTC, RecordKind.BORROW).kind]
