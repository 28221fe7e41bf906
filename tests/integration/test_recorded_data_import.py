import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from recorded import recorded_market

from bot.market.coverage import coverage
from bot.market_store.importing import import_file, import_path
from bot.market_store.store import HistoricalDataStore
from bot.models import HOUR_MS
from bot.timestamps import parse_time_ms

pytestmark = pytest.mark.real_data

LATE_SETTLEMENTS = {"BTCUSDC": 4, "ETHUSDC": 4, "SOLUSDC": 4, "HYPEUSDC": 1}


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


@pytest.mark.parametrize(("exchange", "stem"), [("binance", "ORCAUSDT"), ("okx", "BTCUSDT")])
def test_loaded_columns_are_the_recorded_text_digit_for_digit(
    store: HistoricalDataStore, real_data: Path, exchange: str, stem: str
) -> None:
    symbol = stem.replace("USDT", "/USDT:USDT")
    for path in sorted((real_data / exchange).glob(f"{stem}-*")):
        import_file(store, path, exchange)
    data = store.load(exchange, [symbol], parse_time_ms("2030-01-01")).symbols[0]
    timeframe = f"{data.perp.timeframe_ms // HOUR_MS}h"
    recorded = recorded_market(real_data / exchange, {symbol: stem}, timeframe)[symbol]
    for series, rows in ((data.spot, recorded["spot"]), (data.perp, recorded["perp"])):
        prices = (series.open, series.high, series.low, series.close, series.volume)
        assert [series.open_ms.tolist(), *(column.decimals() for column in prices)] == exactly(rows)
    held = data.funding
    marked = zip(held.marks.decimals(), held.has_mark, strict=True)
    marks = [mark if has_mark else None for mark, has_mark in marked]
    columns = [held.t_ms.tolist(), held.rates.decimals(), held.interval_hours.tolist(), marks]
    assert columns == exactly(recorded["funding"])


def exactly(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    values = ([Decimal(v) if isinstance(v, str) else v for v in row] for row in rows)
    return [list(column) for column in zip(*values, strict=True)]
