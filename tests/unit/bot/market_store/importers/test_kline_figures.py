"""Klines told by their figures: trades, prices without trades, premium indexes, volumes in contracts."""

import json
from pathlib import Path

import pytest

from bot.errors import DataImportError
from bot.market_store.import_reports import FileReport
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importing import import_file
from bot.market_store.store import HistoricalDataStore
from bot.notation import quoted
from bot.timestamps import parse_time_ms

HOUR = 3_600_000
DAY = parse_time_ms("2024-01-01")
HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"
)
MARK = "42313.9,42532.2,42289.8,42475.1,0,{close},0,3600,0,0,0"
PREMIUM = "-0.00012,0.00031,-0.00045,0.00007,0,{close},0,720,0,0,0"
FLAT = "42.5,42.5,42.5,42.5,0,{close},0,0,0,0,0"
MOVED = "42.5,43,42,42.5,0,{close},0,0,0,0,0"
IN_COINS = "30015,30031.22,30015,30031.22,409953,{close},1365.5,15095,192220,564.12,0"
TRADES = "10,12,9,11,5,{close},55,7,2,22,0"
UM = "data/futures/um/monthly/klines/BTCUSDT/1h"
WITHOUT_TRADES = (
    "{name} holds prices without trades: of a mark, an index or a premium; "
    "if they are mark prices, say --kind mark"
)


def klines(row: str, hours: int = 3) -> str:
    return "".join(f"{DAY + n * HOUR},{row.format(close=DAY + n * HOUR + HOUR - 1)}\n" for n in range(hours))


def imported(
    store: HistoricalDataStore, folder: Path, text: str, name: str = "BTCUSDT-1h-2024-01.csv", **said: str
) -> FileReport:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return import_file(store, path, "test", None, ImportOptions.parse(**said))


def refusal(store: HistoricalDataStore, folder: Path, text: str, name: str, **said: str) -> str:
    with pytest.raises(DataImportError) as error:
        imported(store, folder, text, name, **said)
    assert store.exchanges() == []
    return error.value.message


@pytest.mark.parametrize("name", ["BTCUSDT-1h-2024-01.csv", f"{UM}/BTCUSDT-1h-2024-01.csv"])
@pytest.mark.parametrize("header", [HEADER, ""])
def test_mark_prices_outside_their_folder_are_not_stored_as_trades(
    store: HistoricalDataStore, tmp_path: Path, header: str, name: str
) -> None:
    for said in ({}, {"kind": "perp"}, {"kind": "spot"}):
        if header or said or "um" in name:
            expected = WITHOUT_TRADES.format(name="BTCUSDT-1h-2024-01.csv")
            assert refusal(store, tmp_path, header + klines(MARK), name, **said) == expected


def test_mark_prices_are_imported_once_they_are_said_to_be_some_or_lie_in_their_folder(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    assert imported(store, tmp_path, HEADER + klines(MARK), kind="mark").kind == "mark"
    folder = "futures/um/monthly/markPriceKlines/ETHUSDT/1h/ETHUSDT-1h-2024-01.csv"
    report = imported(store, tmp_path, HEADER + klines(MARK), folder)
    assert (report.symbol, report.kind, report.new) == ("ETH/USDT:USDT", "mark", 3)


def test_premium_index_is_refused_even_if_it_is_said_to_be_a_mark_price(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    name = "BTCUSDT-1h-2024-01.csv"
    sentence = f"{name} holds a premium index, which no leg is traded at"
    for said in ({"kind": "perp"}, {"kind": "mark"}):
        assert refusal(store, tmp_path, klines(PREMIUM), name, **said) == sentence
        assert refusal(store, tmp_path, HEADER + klines(PREMIUM), name, **said) == sentence


def test_contracts_settled_in_coins_are_told_by_their_volume_whatever_they_are_called(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    name = f"{UM}/BTCUSDT-1h-2024-01.csv"
    assert refusal(store, tmp_path, HEADER + klines(IN_COINS), name) == (
        "BTCUSDT-1h-2024-01.csv: coin-margined contracts are read from canonical files only: "
        "its quote volume is in coins"
    )
    rows = json.dumps([line.split(",") for line in klines(IN_COINS).split()])
    said = {"kind": "perp", "symbol": "BTCUSDT"}
    assert "coin-margined" in refusal(store, tmp_path, rows, "klines.json", **said)


@pytest.mark.parametrize(
    "name",
    [
        "data/futures/cm/monthly/klines/BTCUSD_PERP/1h/BTCUSD_PERP-1h-2024-01.csv",
        "futures-cm-klines/klines.csv",
        "BTCUSD_PERP-1h-2024-01.csv",
    ],
)
def test_klines_from_the_folder_or_of_the_name_of_coin_margined_contracts_are_refused(
    store: HistoricalDataStore, tmp_path: Path, name: str
) -> None:
    market = "klines" if name.endswith("klines.csv") else "BTCUSD_PERP"
    sentence = f"coin-margined contracts are read from canonical files only: {quoted(market)}"
    said = {"symbol": "BTCUSDT", "kind": "perp"}
    assert refusal(store, tmp_path, HEADER + klines(TRADES), name, **said).endswith(f": {sentence}")


def test_folder_of_somebody_called_cm_says_nothing(store: HistoricalDataStore, tmp_path: Path) -> None:
    assert imported(store, tmp_path, HEADER + klines(TRADES), "cm/BTCUSDT-1h-2024-01.csv").kind == "perp"


def test_dated_future_of_the_data_site_is_refused_by_name(store: HistoricalDataStore, tmp_path: Path) -> None:
    name = "data/futures/um/monthly/klines/BTCUSDT_240329/1h/BTCUSDT_240329-1h-2024-01.csv"
    said = refusal(store, tmp_path, HEADER + klines(TRADES), name)
    assert said.endswith(': dated futures are not modelled: "BTCUSDT_240329"')
    funding = "calc_time,funding_interval_hours,last_funding_rate\n1704067200000,8,0.0001\n"
    said = refusal(store, tmp_path, funding, "BTCUSD_PERP-fundingRate-2024-01.csv", symbol="BTCUSDT")
    assert said.endswith(': coin-margined contracts are read from canonical files only: "BTCUSD_PERP"')


def test_market_in_which_nobody_traded_any_more_is_read_where_its_folder_or_an_option_says_what_it_is(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    asked = refusal(store, tmp_path, HEADER + klines(FLAT), "BTCUSDT-1h-2024-01.csv")
    assert asked.startswith("BTCUSDT-1h-2024-01.csv holds klines without a trade; add --kind spot|perp|mark")
    assert imported(store, tmp_path, HEADER + klines(FLAT), f"{UM}/BTCUSDT-1h-2024-01.csv").new == 3
    assert imported(store, tmp_path, HEADER + klines(FLAT), kind="perp").already_there == 3


def test_prices_that_move_without_a_trade_are_no_trades_unless_an_option_says_so(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    name = f"{UM}/BTCUSDT-1h-2024-01.csv"
    expected = WITHOUT_TRADES.format(name="BTCUSDT-1h-2024-01.csv")
    assert refusal(store, tmp_path, HEADER + klines(MOVED), name) == expected
    assert imported(store, tmp_path, HEADER + klines(MOVED), kind="perp").new == 3


OKX = {
    "swap": ["10.4", "0.104", "4446.8"],
    "spot": ["0.104", "4446.8", "4446.8"],
    "coin-margined swap": ["44460", "104", "4446000"],
}


def okx(volumes: list[str]) -> str:
    rows = [[str(DAY + n * HOUR), "42700", "42800", "42700", "42750", *volumes, "1"] for n in range(3)]
    return json.dumps({"code": "0", "data": rows})


@pytest.mark.parametrize(
    ("market", "kind", "sentence"),
    [
        (
            "coin-margined swap",
            "perp",
            "coin-margined contracts are read from canonical files only: its volume counts",
        ),
        (
            "coin-margined swap",
            "spot",
            "coin-margined contracts are read from canonical files only: its volume counts",
        ),
        ("spot", "perp", "is said to be of a perp, but its volumes are of a spot market"),
        ("swap", "spot", "is said to be of a spot market, but its volume is in contracts"),
    ],
)
def test_candles_of_okx_say_by_their_volumes_which_market_they_are_of(
    store: HistoricalDataStore, tmp_path: Path, market: str, kind: str, sentence: str
) -> None:
    said = {"kind": kind, "symbol": "BTCUSDT"}
    assert sentence in refusal(store, tmp_path, okx(OKX[market]), "candles.json", **said)


@pytest.mark.parametrize(("market", "kind", "volume"), [("swap", "perp", "0.104"), ("spot", "spot", "0.104")])
def test_volume_of_candles_of_okx_is_in_coins(
    store: HistoricalDataStore, tmp_path: Path, market: str, kind: str, volume: str
) -> None:
    report = imported(store, tmp_path, okx(OKX[market]), "candles.json", kind=kind, symbol="BTCUSDT")
    data = store.load("test", [report.symbol], DAY + 24 * HOUR).symbols[0]
    series = data.spot if kind == "spot" else data.perp
    assert [str(value) for value in series.volume.decimals()] == [volume] * 3


@pytest.mark.parametrize("odd", [{}, ["1", "2", None], 7], ids=["object", "too short", "number"])
def test_row_that_is_no_candle_of_okx_is_refused_by_its_line(
    store: HistoricalDataStore, tmp_path: Path, odd: object
) -> None:
    rows = json.loads(okx(OKX["swap"]))["data"]
    text = json.dumps({"code": "0", "data": [*rows, odd]})
    message = refusal(store, tmp_path, text, "candles.json", kind="perp", symbol="BTCUSDT")
    told = quoted(str(odd) if isinstance(odd, int) else odd)
    assert message.startswith(f"candles.json:4: {told} is no row of 9 values")


def test_volumes_of_okx_past_what_floats_compare_say_nothing_of_the_market(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    text = okx(["1e-200", "1e300", "3"])
    assert imported(store, tmp_path, text, "candles.json", kind="perp", symbol="BTCUSDT").refused == 3


def test_candle_of_okx_whose_highest_price_is_zero_says_nothing_of_the_market(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    text = okx(["1", "3", "3"]).replace("42800", "0")
    assert imported(store, tmp_path, text, "candles.json", kind="perp", symbol="BTCUSDT").refused == 3


def test_one_hour_with_trades_makes_klines_trades(store: HistoricalDataStore, tmp_path: Path) -> None:
    text = HEADER + klines(MOVED, 1) + klines(TRADES, 3).split("\n", 1)[1]
    assert imported(store, tmp_path, text).new == 3


def test_coin_priced_near_ten_dollars_is_not_taken_for_coin_margined(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    # 100 dollars a contract at 10 dollars a coin give the very quote volume of a linear contract.
    row = "10,10.1,9.9,10,500,{close},5000,7,2,22,0"
    assert imported(store, tmp_path, HEADER + klines(row)).new == 3
