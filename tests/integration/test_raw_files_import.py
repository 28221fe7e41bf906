"""Every original vendor file: how many rows arrive, and that they are those of the canonical files."""

from pathlib import Path

import numpy as np
import pytest

from bot.backtest import ReplayWindow, replay
from bot.backtest.baseline import Baselines
from bot.backtest.explanation import explain
from bot.config.run_config import RunConfig
from bot.errors import DataImportError
from bot.market.series import SymbolData
from bot.market_store.import_reports import FileReport
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importing import import_file
from bot.market_store.store import HistoricalDataStore
from bot.timestamps import parse_time_ms

pytestmark = pytest.mark.real_data

LATER = parse_time_ms("2030-01-01")
GRAVESTONE = Path(__file__).resolve().parents[2] / "examples" / "mappings" / "gravestone.json"
CANDLES_OF_OKX = {"kind": "perp", "symbol": "BTC-USDT-SWAP"}

# Rows read, new, refused; the last kline of a file may be unfinished, late settlements are refused, and the
# times of Hyperliquid's and Bybit's fixtures are invented.
RAW = {
    "api_json/binance_fapi_fundingRate.json": (2, 2, 0),
    "api_json/bybit_v5_funding_history.json": (2, 2, 0),
    "api_json/bybit_v5_klines_linear.json": (1, 0, 1),
    "api_json/dydx_historical_funding.json": (3, 3, 0),
    "api_json/hyperliquid_funding_history.json": (3, 0, 3),
    "api_json/okx_v5_candles.json": (2, 2, 0),
    "api_json/okx_v5_funding_rate_history.json": (2, 2, 0),
    "binance_vision/futures-um-klines-BTCUSDT-1h-2024-10-28.zip": (24, 24, 0),
    "binance_vision/spot-klines-BTCUSDT-1h-2024-10-28.zip": (24, 24, 0),
    "binance_web_export/Funding Rate History_BTCUSDT Perpetual_2025-06-18.csv": (6325, 6325, 0),
    "freqtrade/ETH_USDT_USDT-8h-funding_rate.feather": (1379, 1379, 0),
    "freqtrade/HYPE_USDC_USDC-1h-funding_rate.feather": (5587, 5586, 1),
    "freqtrade/ORCA_USDT_USDT-1h-funding_rate.feather": (3240, 3240, 0),
    "freqtrade/XRP_USDT_USDT-1h-futures.feather": (100, 100, 0),
    "freqtrade/XRP_USDT_USDT-1h-futures.json.gz": (100, 100, 0),
    "freqtrade/XRP_USDT_USDT-1h-mark.feather": (100, 100, 0),
    "freqtrade/XRP_USDT_USDT-8h-funding_rate.feather": (91, 91, 0),
    "thirdparty_csv/gravestone_1h_ETHUSDT.csv": (4500, 4499, 1),
    "thirdparty_csv/gravestone_funding_ENAUSDT.csv": (200, 200, 0),
    "thirdparty_csv/gravestone_funding_ETHUSDT.csv": (200, 200, 0),
}


def options_for(name: str) -> ImportOptions:
    said = {"web_export": {"time_zone": "+08:00"}, "gravestone": {"mapping": GRAVESTONE.read_text()}}
    said |= {"okx_v5_candles": CANDLES_OF_OKX, "bybit_v5_klines": {"timeframe": "1h"}}
    return ImportOptions.parse(**next((answers for part, answers in said.items() if part in name), {}))


def imported(
    store: HistoricalDataStore, real_data: Path, name: str, exchange: str = "raw"
) -> tuple[FileReport, SymbolData]:
    report = import_file(store, real_data / "raw" / name, exchange, None, options_for(name))
    return report, store.load(exchange, [report.symbol], LATER).symbols[0]


def test_table_names_every_raw_file(real_data: Path) -> None:
    raw = real_data / "raw"
    assert {str(path.relative_to(raw)) for path in raw.rglob("*") if path.is_file()} == set(RAW)


@pytest.mark.parametrize("name", RAW)
def test_raw_file_arrives_whole_and_a_second_import_changes_nothing(
    store: HistoricalDataStore, real_data: Path, name: str
) -> None:
    report = import_file(store, real_data / "raw" / name, "raw", None, options_for(name))
    assert (report.rows_read, report.new, report.refused) == RAW[name]
    again = import_file(store, real_data / "raw" / name, "raw", None, options_for(name))
    assert (again.new, again.already_there, again.refused) == (0, report.new, report.refused)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("freqtrade/ORCA_USDT_USDT-1h-funding_rate.feather", "binance/ORCAUSDT-funding.csv"),
        ("freqtrade/HYPE_USDC_USDC-1h-funding_rate.feather", "hyperliquid/HYPEUSDC-funding.csv"),
        ("freqtrade/ETH_USDT_USDT-8h-funding_rate.feather", "binance/ETHUSDT-funding.csv"),
        ("freqtrade/XRP_USDT_USDT-8h-funding_rate.feather", "binance/XRPUSDT-funding.csv"),
        ("thirdparty_csv/gravestone_funding_ETHUSDT.csv", "binance/ETHUSDT-funding.csv"),
    ],
)
def test_inferred_intervals_and_rates_are_those_of_the_canonical_file(
    store: HistoricalDataStore, real_data: Path, name: str, canonical: str
) -> None:
    _, raw = imported(store, real_data, name)
    report = import_file(store, real_data / canonical, "canonical")
    known = store.load("canonical", [report.symbol], LATER).symbols[0].funding
    common, ours, theirs = np.intersect1d(raw.funding.t_ms, known.t_ms, return_indices=True)
    assert len(common) == len(raw.funding)
    # XRP's file went through binary arithmetic: some rates differ in their seventeenth digit.
    columns = (raw.funding.rates.decimals(ours), known.rates.decimals(theirs))
    shown, expected = ([f"{rate:.15g}" for rate in map(float, column)] for column in columns)
    assert shown == expected
    assert name.partition("/")[2].startswith("XRP") or columns[0] == columns[1]
    assert raw.funding.interval_hours[ours].tolist() == known.interval_hours[theirs].tolist()


def test_web_export_agrees_with_the_recorded_rates_to_its_eight_places(
    store: HistoricalDataStore, real_data: Path
) -> None:
    name = next(name for name in RAW if "web_export" in name)
    _, raw = imported(store, real_data, name)
    import_file(store, real_data / "binance/BTCUSDT-funding.csv", "canonical")
    known = store.load("canonical", ["BTC/USDT:USDT"], LATER).symbols[0].funding
    common, ours, theirs = np.intersect1d(raw.funding.t_ms, known.t_ms, return_indices=True)
    pairs = zip(raw.funding.rates.decimals(ours), known.rates.decimals(theirs), strict=True)
    differences = [abs(a - b).scaleb(8) for a, b in pairs]
    assert (len(common), max(differences)) == (6325, 1)
    assert sum(difference > 0 for difference in differences) == 345


def test_web_export_without_its_zone_is_refused_and_nothing_stored(
    store: HistoricalDataStore, real_data: Path
) -> None:
    path = next((real_data / "raw/binance_web_export").iterdir())
    with pytest.raises(
        DataImportError, match=r"--time-zone \+08:00 \(UTC-08:00, UTC, UTC\+08:00 would fit\)"
    ):
        import_file(store, path, "raw")
    assert store.exchanges() == []


def test_eight_hour_candles_serve_where_hourly_ones_begin_later_and_say_why_they_do_not_trade(
    store: HistoricalDataStore, real_data: Path
) -> None:
    for path in sorted((real_data / "bybit").glob("BTCUSDT-*")):
        import_file(store, path, "bybit")
    asked = {"exchange": "bybit", "symbols": ["BTC/USDT:USDT"], "start": "2023-01-01", "end": "2024-06-30"}
    strict = RunConfig.parse({**asked, "min_volume_24h": "0"})
    data = store.load(strict.exchange, strict.symbols, strict.end, strict.start)
    window = ReplayWindow.build(strict, data)
    covered = window.coverage["BTC/USDT:USDT"].document()
    assert covered["timeframes_ms"] == {"spot": 28_800_000, "perp": 28_800_000, "mark": 3_600_000}
    late = next(found for found in covered["findings"] if found["name"] == "late_prices")
    assert "is 4 h old (8 h candles)" in late["detail"]
    (gate,) = explain(replay(strict, window), window, Baselines(window)).blocked
    assert (gate.gate, gate.document()["needed"], gate.document()["nearest"]) == ("fresh_prices", "2", "4")
    patient = RunConfig.parse({**asked, "min_volume_24h": "0", "max_price_age_hours": "4"})
    assert replay(patient, ReplayWindow.build(patient, data)).trades
