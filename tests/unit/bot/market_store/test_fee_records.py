"""Fee schedules of an exchange from its file into the store and out of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.errors import DataImportError
from bot.market.records.fee_rows import FeeRow, parse_fee_row
from bot.market.records.kinds import RecordKey, RecordKind
from bot.market_store.deleting import Selection
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importing import import_path
from bot.market_store.store import HistoricalDataStore

T0 = 1_704_067_200_000
VIP0 = {"from_ms": 0, "market": "spot", "tier": "VIP0", "min_volume": "0", "maker": "0.001", "taker": "0.001"}
VIP1 = {**VIP0, "tier": "VIP1", "min_volume": 1e6, "taker": 0.0008}
LATER = {**VIP0, "from_ms": T0, "maker": "0.0009"}
KEY = RecordKey("test", "", RecordKind.FEES)


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "fees.json"
    path.write_text(json.dumps({"rows": rows}))
    return path


def parsed(*rows: dict[str, Any]) -> list[FeeRow]:
    return [parse_fee_row({name: str(value) for name, value in row.items()}) for row in rows]


def test_schedules_are_imported_once_listed_of_the_exchange_and_deleted(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    path = written(tmp_path, VIP0, LATER, VIP1)
    report = import_path(store, path, "test")
    assert [(one.symbol, one.kind, one.new) for one in report.files] == [("", "fees", 3)]
    assert import_path(store, path, "test").already_there == 3
    assert store.records(KEY) == parsed(VIP0, LATER, VIP1)
    [listed] = store.listing()
    assert listed.symbols == ()
    assert [(one.kind, one.rows, one.last_ms) for one in listed.records] == [("fees", 3, T0)]
    gone = store.remove(Selection.parse(exchange="test", series="fees", from_="2024-01-01"))
    assert [(one.kind, one.rows) for one in gone.series] == [("fees", 1)]
    assert store.records(KEY) == parsed(VIP0, VIP1)


def test_a_rate_that_contradicts_a_held_one_is_refused_until_it_is_to_replace_it(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    import_path(store, written(tmp_path, VIP0), "test")
    path = written(tmp_path, {**VIP0, "taker": "0.0007"})
    with pytest.raises(DataImportError, match="taker 0.0007 of spot VIP0 from_ms 0 contradicts 0.001"):
        import_path(store, path, "test")
    assert import_path(store, path, "test", options=ImportOptions(replace=True)).replaced == 1
    assert store.records(KEY) == parsed({**VIP0, "taker": "0.0007"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", 'is no JSON object with "rows" alone'),
        ('{"rows": [], "tiers": 1}', 'is no JSON object with "rows" alone'),
        ('{"rows": []}', "fees.json holds no rows"),
        (json.dumps({"rows": [VIP0, {**VIP0, "maker": 2}]}), 'row 2: maker "2" is not above -1 and below 1'),
        (json.dumps({"rows": [LATER, VIP0]}), "row 2: from_ms 0 is not after"),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_row_field_and_value(
    store: HistoricalDataStore, tmp_path: Path, text: str, told: str
) -> None:
    path = tmp_path / "fees.json"
    path.write_text(text)
    with pytest.raises(DataImportError, match=told):
        import_path(store, path, "test")
    assert store.listing() == []
