"""Vendors' layouts, told by content: what is read, what is asked for, what is refused and where."""

import gzip
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.errors import DataImportError, InvalidInputError
from bot.market.series import SymbolData
from bot.market_store.import_reports import FileReport
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importing import import_file
from bot.market_store.store import HistoricalDataStore
from bot.timestamps import parse_time_ms

HOUR = 3_600_000
DAY = parse_time_ms("2024-01-01")
LATER = parse_time_ms("2030-01-01")
KLINE = "10,12,9,11,5,{close},55,7,2,22,0"
VISION_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"
)


def klines(count: int = 2, *, scale: int = 1) -> str:
    lines = (
        f"{(DAY + n * HOUR) * scale},{KLINE.format(close=DAY + n * HOUR + HOUR - 1)}\n" for n in range(count)
    )
    return "".join(lines)


def zipped(**members: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_csv", ".csv").replace("__", "-"), text)
    return packed.getvalue()


def imported(
    store: HistoricalDataStore, folder: Path, name: str, content: Any, **said: str
) -> tuple[FileReport, SymbolData]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, str | bytes):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    report = import_file(store, path, "test", None, ImportOptions.parse(**said))
    return report, store.load("test", [report.symbol], LATER).symbols[0]


def refusal(store: HistoricalDataStore, folder: Path, name: str, content: Any, **said: str) -> str:
    with pytest.raises((DataImportError, InvalidInputError)) as error:
        imported(store, folder, name, content, **said)
    assert store.exchanges() == []
    return str(error.value)


VISION = [
    ("data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2024-01-01.csv", klines(), "spot"),
    ("data/futures/um/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2024-01.csv", VISION_HEADER + klines(), "perp"),
    ("data/futures/um/daily/markPriceKlines/BTCUSDT/1h/BTCUSDT-1h-2024-01-01.csv", klines(), "mark"),
    ("spot-klines-BTCUSDT.zip", zipped(BTCUSDT__1h__2024__01__01_csv=klines()), "spot"),
    ("futures-um-BTCUSDT.zip", zipped(BTCUSDT__1h__2024__01_csv=VISION_HEADER + klines()), "perp"),
    ("BTCUSDT-1h-2024-01.csv", VISION_HEADER + klines(), "perp"),
    ("spot-2025/BTCUSDT-1h-2025-01.csv", klines(scale=1000), "spot"),
]


@pytest.mark.parametrize(("name", "content", "kind"), VISION, ids=[name for name, *_ in VISION])
def test_binance_vision_klines_are_told_by_header_or_the_names_around_them(
    store: HistoricalDataStore, tmp_path: Path, name: str, content: Any, kind: str
) -> None:
    report, data = imported(store, tmp_path, name, content)
    assert (report.format, report.symbol, report.kind, report.new) == (
        "Binance Vision",
        "BTC/USDT:USDT",
        kind,
        2,
    )
    series = {"spot": data.spot, "perp": data.perp, "mark": data.mark}[kind]
    assert series is not None
    assert series.open_ms.tolist() == [DAY, DAY + HOUR]
    assert [column.decimal(0) for column in (series.open, series.close, series.volume)] == [10, 11, 5]


def test_klines_that_nothing_says_the_market_of_ask_for_the_options_and_take_them(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    asked = "--kind spot|perp|mark --symbol BTCUSDT --timeframe 1h"
    assert asked in refusal(store, tmp_path, "BTCUSDT-1h-2024-01.csv", klines())
    assert asked in refusal(store, tmp_path, "download.csv", klines(), kind="spot")
    report, data = imported(store, tmp_path, "download.csv", klines(), kind="spot", symbol="ETH-USDT")
    assert (report.symbol, report.timeframe_ms, len(data.spot)) == ("ETH/USDT:USDT", HOUR, 2)


def test_symbol_that_contradicts_the_content_is_refused_naming_both(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    rows = [{"symbol": "BTCUSDT", "fundingRate": "0.0001", "fundingTime": DAY}]
    said = refusal(store, tmp_path, "funding.json", rows, symbol="ETHUSDT")
    assert said == ("funding.json: the file says symbol BTC/USDT:USDT, but --symbol says ETH/USDT:USDT")


def test_symbol_corrects_the_name_of_a_file_and_says_so(store: HistoricalDataStore, tmp_path: Path) -> None:
    name = "BTCUSDT-1h-2024-01.csv"
    report, _ = imported(store, tmp_path, name, VISION_HEADER + klines(), symbol="BTC/USDC:USDC")
    assert (report.symbol, report.new) == ("BTC/USDC:USDC", 2)
    assert report.notes == ("the file's name says BTCUSDT, --symbol says BTC/USDC:USDC",)


def test_microseconds_that_are_no_whole_milliseconds_are_refused_with_their_line(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    bad = klines(2, scale=1000).replace(str(DAY * 1000), str(DAY * 1000 + 1))
    report, _ = imported(store, tmp_path, "spot/BTCUSDT-1h-2025-01.csv", bad)
    assert (report.new, report.refused, report.refusals[0].line) == (1, 1, 1)
    assert "is no whole millisecond" in report.refusals[0].reason


def test_index_and_premium_klines_are_no_leg(store: HistoricalDataStore, tmp_path: Path) -> None:
    name = "premiumIndexKlines/BTCUSDT-1h-2024-01.csv"
    assert "no leg is traded at" in refusal(store, tmp_path, name, VISION_HEADER + klines())


def test_archive_that_is_cut_or_holds_several_files_is_refused_whole(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    packed = zipped(BTCUSDT__1h__2024__01_csv=klines())
    assert "damaged or locked archive" in refusal(store, tmp_path, "spot-cut.zip", packed[:-40])
    two = zipped(a_csv=klines(), b_csv=klines())
    assert "holds 2 files instead of one" in refusal(store, tmp_path, "spot-two.zip", two)


def test_binance_vision_funding_has_the_rows_that_public_suites_quote(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    text = "calc_time,funding_interval_hours,last_funding_rate\n1704067200000,8,0.00037409\n"
    text += "1704096000000,8,0.00027213\n1704124800000,8,0.00033601\n"
    name = "BTCUSDT-fundingRate-2024-01.csv"
    report, data = imported(store, tmp_path, "x.zip", zipped(BTCUSDT__fundingRate__2024__01_csv=text))
    assert (report.kind, report.new) == ("funding", 3)
    rates = [Decimal("0.00037409"), Decimal("0.00027213"), Decimal("0.00033601")]
    assert data.funding.rates.decimals() == rates
    assert data.funding.interval_hours.tolist() == [8, 8, 8]
    assert imported(store, tmp_path, name, text)[0].already_there == 3


def export(*rows: str) -> str:
    header = '\ufeff"Time","Contracts","Funding Interval","Funding Rate"\n'
    return header + "\n".join(f'"{row[:19]}","BTCUSDT Perpetual","8h","{row[20:]}"' for row in rows)


def test_web_export_is_read_in_the_zone_that_is_said(store: HistoricalDataStore, tmp_path: Path) -> None:
    text = export("2024-01-01 16:00:00 0.010000%", "2024-01-01 08:00:00 -0.001752%")
    report, data = imported(store, tmp_path, "Funding.csv", text, time_zone="+08:00")
    assert (report.new, report.format) == (2, "Binance website export")
    assert data.funding.t_ms.tolist() == [DAY, DAY + 8 * HOUR]
    assert data.funding.rates.decimals() == [Decimal("-0.00001752"), Decimal("0.0001")]
    assert report.notes[0] == "1 row was not in order and had to be sorted"


def test_web_export_asks_for_a_zone_that_its_hours_leave_open(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    said = refusal(store, tmp_path, "Funding.csv", export("2024-01-01 16:00:00 0.01%"))
    assert "--time-zone +08:00 (UTC-08:00, UTC, UTC+08:00 would fit)" in said


def test_web_export_whose_hours_fit_one_zone_only_needs_no_answer(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    _, data = imported(store, tmp_path, "Funding.csv", export("2024-01-01 17:30:00 0.01%"))
    assert data.funding.t_ms.tolist() == [DAY + 8 * HOUR]


def test_web_export_in_a_wrong_or_unknown_zone_is_refused(store: HistoricalDataStore, tmp_path: Path) -> None:
    text = export("2024-01-01 16:00:00 0.01%")
    assert "not at settlement hours" in refusal(store, tmp_path, "F.csv", text, time_zone="+07:00")
    assert 'time_zone: "Mars" is no time zone' in refusal(store, tmp_path, "F.csv", text, time_zone="Mars")


def test_web_export_refuses_bad_rows_with_their_lines(store: HistoricalDataStore, tmp_path: Path) -> None:
    text = export("2024-01-01 16:00:00 0.01%", "2024-01-01 08:00:00 0.01", "2024-01-99 00:00:00 0.01%")
    report, _ = imported(store, tmp_path, "Funding.csv", text, time_zone="UTC")
    assert [one.line for one in report.refusals] == [3, 4]
    assert "is not in per cent" in report.refusals[0].reason


CANDLES = [[DAY + n * HOUR, 10, 12.5, 9, 11, 5] for n in range(3)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("BTC_USDT_USDT-1h-futures.json", "perp"),
        ("BTC_USDT_USDT-1h-mark.json", "mark"),
        ("BTC_USDT-1h.json", "spot"),
    ],
)
def test_freqtrade_json_is_told_by_its_naming(
    store: HistoricalDataStore, tmp_path: Path, name: str, kind: str
) -> None:
    report, _ = imported(store, tmp_path, f"{name}.gz", gzip.compress(json.dumps(CANDLES).encode()))
    assert (report.format, report.symbol, report.kind, report.new) == ("freqtrade", "BTC/USDT:USDT", kind, 3)


def test_freqtrade_mark_candles_have_no_volume_and_funding_its_rate_in_open(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    mark = [[*row[:5], None] for row in CANDLES]
    _, data = imported(store, tmp_path, "BTC_USDT_USDT-1h-mark.json", mark)
    assert data.mark is not None
    assert data.mark.volume.decimals() == [0, 0, 0]
    funding = [[DAY + n * 8 * HOUR + 7, 0.0001 * n, 0, 0, 0, 0] for n in range(3)]
    report, data = imported(store, tmp_path, "BTC_USDT_USDT-1h-funding_rate.json", funding)
    assert data.funding.t_ms.tolist() == [DAY + n * 8 * HOUR for n in range(3)]
    assert data.funding.interval_hours.tolist() == [8, 8, 8]
    assert "3 settlements were up to 7 ms off the hour and snapped to it" in report.notes


@pytest.mark.parametrize("content", [b"ARROW1\x00\x00" + b"\x07" * 200, b"ARROW1"])
def test_damaged_arrow_file_is_refused_in_one_sentence(
    store: HistoricalDataStore, tmp_path: Path, content: bytes
) -> None:
    said = refusal(store, tmp_path, "BTC_USDT_USDT-1h-futures.feather", content)
    assert "is an Arrow file that cannot be read" in said
    assert "\n" not in said


def test_ccxt_dumps_are_read_with_the_market_said_and_the_interval_seen(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    report, data = imported(store, tmp_path, "dump.json", CANDLES, kind="perp", symbol="BTC/USDT:USDT")
    assert (report.format, report.timeframe_ms) == ("ccxt dump", HOUR)
    assert data.perp.high.decimal(0) == Decimal("12.5")
    history = [
        {"symbol": "ETH/USDT:USDT", "timestamp": DAY + n * 4 * HOUR, "fundingRate": 1e-05, "info": {}}
        for n in range(2)
    ]
    report, data = imported(store, tmp_path, "history.json", history)
    assert (report.symbol, data.funding.interval_hours.tolist()) == ("ETH/USDT:USDT", [4, 4])
    assert data.funding.rates.decimal(0) == Decimal("0.00001")


def test_numbers_of_binary_floats_written_in_full_become_their_shortest_text(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    text = f"[[{DAY},10,12,9,11,2697616.0709080002],[{DAY + HOUR},10,12,9,11,1]]"
    _, data = imported(store, tmp_path, "BTC_USDT_USDT-1h-futures.json", text)
    assert data.perp.volume.decimal(0) == Decimal("2697616.070908")


def test_settlements_of_several_markets_are_imported_each_under_its_symbol(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    rows = [
        {"symbol": market, "fundingRate": "0.0001", "fundingTime": DAY + n * 8 * HOUR, "markPrice": ""}
        for n in range(2)
        for market in ("BTCUSDT", "ETHUSDT")
    ]
    report, data = imported(store, tmp_path, "funding.json", rows)
    assert (report.format, report.new, report.refused) == ("Binance REST", 4, 0)
    assert [(one.symbol, one.new) for one in report.series] == [("BTC/USDT:USDT", 2), ("ETH/USDT:USDT", 2)]
    assert not data.funding.has_mark.any()


def test_okx_pays_the_realized_rate_counts_coins_and_drops_unfinished_candles(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    paid = {"instId": "BTC-USDT-SWAP", "fundingRate": "0.9", "realizedRate": "0.0002"}
    rows = [{**paid, "fundingTime": str(DAY + n * 8 * HOUR)} for n in (1, 0)]
    _, data = imported(store, tmp_path, "f.json", {"code": "0", "data": rows})
    assert data.funding.rates.decimals() == [Decimal("0.0002")] * 2
    bars = [
        [str(DAY + n * HOUR), "10", "12", "9", "11", "500", "5", "55", done]
        for n, done in ((1, "0"), (0, "1"))
    ]
    document = {"code": "0", "data": bars}
    report, data = imported(store, tmp_path, "c.json", document, kind="perp", symbol="BTCUSDT")
    assert (report.new, report.refused, data.perp.volume.decimal(0)) == (1, 1, 5)
    assert "was not finished" in report.refusals[0].reason


def test_bybit_hyperliquid_and_dydx_answers_say_their_market(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    bars = [[str(DAY + n * HOUR), "10", "12", "9", "11", "5", "55"] for n in (1, 0)]
    bybit = {"result": {"category": "spot", "symbol": "BTCUSDT", "list": bars}}
    report, _ = imported(store, tmp_path, "b.json", bybit)
    assert (report.format, report.symbol, report.kind) == ("Bybit REST", "BTC/USDT:USDT", "spot")
    bar = {
        "t": DAY,
        "T": 0,
        "s": "kPEPE",
        "i": "1h",
        "o": "10",
        "h": "12",
        "l": "9",
        "c": "11",
        "v": "5",
        "n": 1,
    }
    report, _ = imported(store, tmp_path, "h.json", [bar])
    assert (report.format, report.symbol, report.kind) == ("Hyperliquid REST", "kPEPE/USDC:USDC", "perp")
    rows = [
        {
            "ticker": "BTC-USD",
            "rate": "0.0001",
            "price": "90000.5",
            "effectiveAt": f"2024-01-01T{n:02}:00:00.219Z",
        }
        for n in (2, 1)
    ]
    report, data = imported(store, tmp_path, "d.json", {"historicalFunding": rows})
    assert (report.format, data.funding.interval_hours.tolist()) == ("dYdX REST", [1, 1])
    assert data.funding.marks.decimal(0) == Decimal("90000.5")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[\n[1,2,\n", "x.json:3: the JSON is damaged"),
        ("{}", "is no market data"),
        ("[]", "is no market data"),
        ("[" * 100_000, "is no JSON of market data"),
        ('[{"symbol": "BTC"}]', "is no market data"),
        ('{"result": 7}', "is no market data"),
    ],
)
def test_json_that_is_damaged_or_something_else_is_refused_naming_the_line(
    store: HistoricalDataStore, tmp_path: Path, content: str, reason: str
) -> None:
    assert reason in refusal(store, tmp_path, "x.json", content)


def mapping(**changes: Any) -> str:
    columns = {"time": "when", "rate": "pct", "symbol": "market"}
    return json.dumps(
        {"header": "when;market;pct", "kind": "funding", "delimiter": ";", "columns": columns, **changes}
    )


def test_mapping_file_reads_units_zones_and_columns_of_any_csv(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    text = (
        "when;market;pct\n2024-01-01 08:00:00;BTC-USDT;0.01\n2024-01-01T16:00;BTC-USDT;-0.02\nx;BTC-USDT;1\n"
    )
    said = mapping(time_unit="iso", time_zone="Asia/Shanghai", rate_unit="percent")
    report, data = imported(store, tmp_path, "any.csv", text, mapping=said)
    assert (report.format, report.new, report.refusals[0].line) == ("mapped CSV", 2, 4)
    assert data.funding.t_ms.tolist() == [DAY, DAY + 8 * HOUR]
    assert data.funding.rates.decimals() == [Decimal("0.0001"), Decimal("-0.0002")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "mapping: line 1"),
        (mapping(columns={"time": "when"}), "columns: rate missing"),
        (mapping(columns={"time": "when", "rate": "gone"}), "columns: gone not in the header"),
        (mapping(colour="red"), "mapping.colour: extra inputs are not permitted"),
        (mapping(name="("), "is no regular expression"),
        (mapping(time_zone="Mars"), '"Mars" is no time zone'),
    ],
)
def test_bad_mapping_file_is_refused_naming_the_field(text: str, reason: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        ImportOptions.parse(mapping=text)
    assert reason in str(error.value)


@pytest.mark.parametrize("exchange", ["bybit", "bybit-archive", "test"])
def test_answer_of_an_exchange_is_not_imported_as_data_of_another(
    store: HistoricalDataStore, tmp_path: Path, exchange: str
) -> None:
    path = tmp_path / "history.json"
    rates = [{"symbol": "BTCUSDT", "fundingRate": "0.0001", "fundingRateTimestamp": str(DAY)}]
    path.write_text(json.dumps({"result": {"category": "linear", "list": rates}}))
    with pytest.raises(DataImportError) as error:
        import_file(store, path, "binance")
    assert str(error.value) == "history.json: holds data of bybit (Bybit REST), --exchange says binance"
    assert store.exchanges() == []
    assert import_file(store, path, exchange).series[0].new == 1
