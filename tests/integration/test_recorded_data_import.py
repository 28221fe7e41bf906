import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.data.coverage import coverage
from bot.data.database import open_engine
from bot.data.importing import import_file, import_path
from bot.data.store import HistoricalDataStore
from bot.data.tables import metadata
from bot.timestamps import parse_time_ms

pytestmark = pytest.mark.real_data

LATE_SETTLEMENTS = {"BTCUSDC": 4, "ETHUSDC": 4, "SOLUSDC": 4, "HYPEUSDC": 1}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HistoricalDataStore]:
    engine = open_engine(f"sqlite:///{tmp_path}/market.sqlite")
    metadata.create_all(engine)
    yield HistoricalDataStore(engine)
    engine.dispose()


def rows_by_file(folder: Path) -> dict[str, int]:
    table = (folder / "README.md").read_text()
    found = re.findall(r"^\| (\w+/\S+) \| .+? \| .+? \| (\d+) \|", table, re.MULTILINE)
    return {name: int(rows) for name, rows in found}


@pytest.mark.parametrize("exchange", ["bybit", "okx", "hyperliquid"])
def test_every_row_of_every_file_arrives_and_a_second_import_changes_nothing(
    store: HistoricalDataStore, real_data: Path, exchange: str
) -> None:
    expected = rows_by_file(real_data)
    report = import_path(store, real_data / exchange, exchange)
    assert report.skipped == ()
    assert {file.name: file.rows_read for file in report.files} == {
        name.partition("/")[2]: rows for name, rows in expected.items() if name.startswith(f"{exchange}/")
    }
    late = {file.name.partition("-")[0]: file.refused for file in report.files if file.refused}
    assert late == (LATE_SETTLEMENTS if exchange == "hyperliquid" else {})
    assert report.new == report.rows_read - report.refused
    again = import_path(store, real_data / exchange, exchange)
    assert (again.new, again.already_there, again.refused) == (0, report.new, report.refused)


def test_six_years_of_bitcoin_load_with_the_gaps_that_the_exchange_had(
    store: HistoricalDataStore, real_data: Path
) -> None:
    expected = rows_by_file(real_data)
    for path in sorted((real_data / "binance").glob("BTCUSDT-*")):
        report = import_file(store, path, "binance")
        assert (report.new, report.refused) == (expected[f"binance/{path.name}"], 0)
    start, end = parse_time_ms("2020-03-01"), parse_time_ms("2026-05-01")
    data = store.load(None, ["BTC/USDT:USDT"], end).symbols[0]
    found = coverage(data, start, end)
    assert (found.funding.found, found.funding.expected) == (6757, 6757)
    assert (len(found.spot.gaps), found.spot.expected - found.spot.found) == (13, 26)
    assert found.perp.gaps == ()
    spot = next(series for series in store.listing()[0].symbols[0].series if series.kind == "spot")
    assert (len(spot.gaps), spot.missing) == (17, 36)
