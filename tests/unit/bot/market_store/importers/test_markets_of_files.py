"""Files of one market and of many: which are imported, which --symbol takes, and what is refused by name."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from importing import DAY, HOUR, OKX_BULK, OKX_MAPPING, imported, refusal

from bot.errors import DataImportError, InvalidInputError
from bot.market_store.import_reports import FileReport
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importing import import_file
from bot.market_store.store import HistoricalDataStore
from bot.notation import quoted
from bot.timestamps import parse_time_ms

LATER = parse_time_ms("2030-01-01")


def taken(report: FileReport) -> list[tuple[str, int, int]]:
    return [(one.symbol, one.new, one.refused) for one in report.series]


def binance(*markets: str) -> list[dict[str, Any]]:
    return [
        {"symbol": market, "fundingTime": DAY + n * 8 * HOUR, "fundingRate": "0.0001", "markPrice": ""}
        for n in range(2)
        for market in markets
    ]


def bybit(market: str, category: str = "linear") -> dict[str, Any]:
    rows = [
        {"symbol": market, "fundingRate": "0.0001", "fundingRateTimestamp": str(DAY + n * 8 * HOUR)}
        for n in range(2)
    ]
    return {"retCode": 0, "result": {"category": category, "list": rows}}


def bybit_klines(market: str, category: str, width: int = 7) -> dict[str, Any]:
    rows = [[str(DAY + n * HOUR), "10", "12", "9", "11", "5", "55"][:width] for n in (1, 0)]
    return {"result": {"category": category, "symbol": market, "list": rows}}


def okx(*markets: str) -> dict[str, Any]:
    return {
        "data": [
            {"instId": market, "realizedRate": "0.0002", "fundingTime": str(DAY + n * 8 * HOUR)}
            for n in range(2)
            for market in markets
        ]
    }


def ccxt(*markets: str, **more: Any) -> list[dict[str, Any]]:
    return [
        {"symbol": market, "timestamp": DAY + n * HOUR, "fundingRate": 0.00032, "info": {}, **more}
        for n in range(3)
        for market in markets
    ]


CANDLES = [[DAY + n * HOUR, 10, 12.5, 9, 11, 5] for n in range(3)]
NOT_MODELLED = {
    "coin-margined contracts are read from canonical files only": {
        "BTCUSD_PERP": binance("BTCUSD_PERP"),
        "BTCUSD": bybit("BTCUSD", "inverse"),
        "BTC-USD-SWAP": okx("BTC-USD-SWAP"),
        "BTC/USD:BTC": ccxt("BTC/USD:BTC"),
        "ETHUSD": bybit_klines("ETHUSD", "inverse"),
        "DOTUSD": bybit("DOTUSD"),
    },
    "dated futures are not modelled": {
        "BTCUSDT_240329": binance("BTCUSDT_240329"),
        "BTCUSDT-26SEP25": bybit_klines("BTCUSDT-26SEP25", "linear"),
        "BTC/USDT:USDT-240927": ccxt("BTC/USDT:USDT-240927"),
        "BTC-26SEP25": bybit_klines("BTC-26SEP25", "linear"),
    },
    "options are not modelled": {"BTC-26SEP25-60000-C": bybit_klines("BTC-26SEP25-60000-C", "option")},
}


@pytest.mark.parametrize(
    ("what", "market"), [(what, market) for what, markets in NOT_MODELLED.items() for market in markets]
)
def test_answer_of_a_contract_that_is_not_modelled_is_refused_by_name_whatever_is_said(
    store: HistoricalDataStore, tmp_path: Path, what: str, market: str
) -> None:
    answer = NOT_MODELLED[what][market]
    sentence = f"answer.json: {what}: {quoted(market)}"
    assert refusal(store, tmp_path, answer) == sentence
    assert refusal(store, tmp_path, answer, symbol="BTC/USD:USD") == sentence


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "BTC_USD_BTC-4h-futures.json",
            'coin-margined contracts are read from canonical files only: "BTC/USD:BTC"',
        ),
        ("BTC_USDT_USDT-240927-1h-futures.json", 'dated futures are not modelled: "BTC/USDT:USDT-240927"'),
        ("BTC_USDT_USDT-1h-index.json", "{name} holds an index or a premium, which no leg is traded at"),
        (
            "BTC_USDT_USDT-1h-premiumIndex.json",
            "{name} holds an index or a premium, which no leg is traded at",
        ),
        ("BTC_USD-1h-futures.json", '"BTC/USD" does not say whether it is coin-margined; if'),
    ],
)
def test_freqtrade_file_of_another_contract_or_an_index_is_refused(
    store: HistoricalDataStore, tmp_path: Path, name: str, sentence: str
) -> None:
    assert sentence.format(name=name) in refusal(store, tmp_path, CANDLES, name)


def test_freqtrade_spot_pair_in_dollars_is_no_contract(store: HistoricalDataStore, tmp_path: Path) -> None:
    assert imported(store, tmp_path, CANDLES, "BTC_USD-1h.json").symbol == "BTC/USD:USD"


def test_canonical_file_named_after_another_contract_is_refused(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    text = f"timestamp_ms,open,high,low,close,volume\n{DAY},10,12,9,11,5\n"
    said = refusal(store, tmp_path, text, "BTC-USDT-240927-perp-1h.csv", symbol="BTCUSDT")
    assert "dated futures are not modelled" in said
    said = refusal(store, tmp_path, text, "BTC-PERPETUAL-perp-1h.csv", symbol="BTCUSDT")
    assert 'coin-margined contracts are read from canonical files only: "BTC-PERPETUAL"' in said


def test_canonical_file_of_any_name_is_imported_once_everything_is_said(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    text = f"timestamp_ms,open,high,low,close,volume\n{DAY},10,12,9,11,5\n"
    said = {"symbol": "BTC/USDC:USDC", "kind": "perp", "timeframe": "1h"}
    assert taken(imported(store, tmp_path, text, "download.csv", **said)) == [("BTC/USDC:USDC", 1, 0)]
    report = imported(store, tmp_path, text, "ETHPERP-perp-1h.csv", symbol="ETH/USDC:USDC")
    assert (taken(report), report.notes) == ([("ETH/USDC:USDC", 1, 0)], ())


def test_usdc_perpetuals_of_bybit_are_known_and_other_names_without_a_quote_ask_for_it(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    asked = '"BTCPERP" does not say what it is quoted in; say it with --symbol BTC/USDC:USDC'
    assert refusal(store, tmp_path, binance("BTCPERP")) == f"answer.json: {asked}"
    said = refusal(store, tmp_path, binance("BTCPERP"), symbol="ETH/USDC:USDC")
    assert said == "answer.json: the file says symbol BTCPERP, but --symbol says ETH/USDC:USDC"
    assert imported(store, tmp_path, bybit("BTCPERP")).symbol == "BTC/USDC:USDC"
    assert imported(store, tmp_path, binance("BTCPERP"), symbol="BTC/USDT:USDT").symbol == "BTC/USDT:USDT"


def test_bulk_archive_gives_every_market_and_names_those_that_are_refused(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    report = imported(store, tmp_path, OKX_BULK, "all.csv", mapping=OKX_MAPPING)
    assert taken(report) == [("BTC/USDT:USDT", 3, 0), ("ETH/USDT:USDT", 3, 0), ("BTC-USD-SWAP", 0, 3)]
    assert (report.rows_read, report.new, report.refused) == (9, 6, 3)
    assert [(one.line, one.reason) for one in report.refusals] == [
        (4, 'coin-margined contracts are read from canonical files only: "BTC-USD-SWAP"')
    ]
    data = store.load("test", ["ETH/USDT:USDT"], LATER).symbols[0]
    assert data.funding.rates.decimals() == [Decimal("0.0002")] * 3
    assert report.document()["symbol"] is None
    assert [one["symbol"] for one in report.document()["series"]] == [one.symbol for one in report.series]


def test_symbols_choose_among_the_markets_of_a_file(store: HistoricalDataStore, tmp_path: Path) -> None:
    said = {"mapping": OKX_MAPPING, "symbol": "ETH-USDT-SWAP"}
    report = imported(store, tmp_path, OKX_BULK, "all.csv", **said)
    assert (taken(report), report.notes[0]) == (
        [("ETH/USDT:USDT", 3, 0)],
        "2 other markets in it, not asked for",
    )
    both = {"mapping": OKX_MAPPING, "symbol": ["ETHUSDT", "BTCUSDT,ETHUSDT"]}
    assert len(imported(store, tmp_path, OKX_BULK, "all.csv", **both).series) == 2


def test_symbol_that_a_file_of_several_markets_does_not_hold_is_refused_with_what_it_holds(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    said = refusal(store, tmp_path, OKX_BULK, "all.csv", mapping=OKX_MAPPING, symbol="XRPUSDT,BTCUSDT")
    assert said == (
        "all.csv holds nothing of XRP/USDT:USDT: it holds BTC-USDT-SWAP, ETH-USDT-SWAP, BTC-USD-SWAP"
    )


def test_file_of_several_markets_none_of_which_is_modelled_is_refused_whole(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    said = refusal(store, tmp_path, okx("BTC-USD-SWAP", "ETH-USD-SWAP"))
    sentence = 'coin-margined contracts are read from canonical files only: "BTC-USD-SWAP"'
    assert said == f"answer.json: {sentence} and 1 more like it"


def test_names_that_cannot_be_shown_or_are_endless_are_refused_in_short_sentences(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    endless = "1-" * 200_000
    report = imported(store, tmp_path, binance("BTCUSDT", "\x1b[2J", endless))
    assert taken(report)[0] == ("BTC/USDT:USDT", 2, 0)
    assert all(one.symbol.isprintable() and len(one.symbol) <= 64 for one in report.series)
    assert all(one.reason.isprintable() and len(one.reason) < 140 for one in report.refusals)
    with pytest.raises(DataImportError) as error:
        imported(store, tmp_path, binance("\x1b[2J", endless), symbol="BTCUSDT")
    assert error.value.message.isprintable()
    assert len(error.value.message) < 240


def test_file_of_more_markets_than_any_exchange_has_is_refused(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    said = refusal(store, tmp_path, binance(*(f"C{n}USDT" for n in range(2001))))
    assert said == "answer.json holds more than 2,000 markets; split it"


def test_link_in_place_of_a_file_that_a_service_has_written_is_not_followed(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    (tmp_path / "real.json").write_text(json.dumps(binance("BTCUSDT")))
    link = tmp_path / "answer.json"
    link.symlink_to(tmp_path / "real.json")
    with pytest.raises(DataImportError, match="cannot be read: Too many levels of symbolic links"):
        import_file(store, link, "test", None, ImportOptions(alone=True))
    assert import_file(store, link, "test").new == 2


@pytest.mark.parametrize("symbol", ["BTCUSDT_240329", "BTC-USD-SWAP", "BTC-PERPETUAL", "BTC-PERP"])
def test_symbol_that_names_another_contract_is_no_answer(symbol: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^symbol: "):
        ImportOptions.parse(symbol=symbol)


@pytest.mark.parametrize(
    "answer",
    [
        binance("BTCUSDT", "ETHUSDT"),
        okx("BTC-USDT-SWAP", "ETH-USDT-SWAP"),
        ccxt("BTC/USDT:USDT", "ETH/USDT:USDT"),
        {market: ccxt(market) for market in ("BTC/USDT:USDT", "ETH/USDT:USDT")},
    ],
)
def test_answers_of_several_markets_are_imported_market_by_market(
    store: HistoricalDataStore, tmp_path: Path, answer: Any
) -> None:
    report = imported(store, tmp_path, answer)
    assert [one.symbol for one in report.series] == ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    assert (report.new, report.refused) == (report.rows_read, 0)


def test_candles_by_symbol_are_imported_market_by_market(store: HistoricalDataStore, tmp_path: Path) -> None:
    dump = dict.fromkeys(("BTC/USDT:USDT", "ETH/USDT:USDT", "BTC/USD:BTC"), CANDLES)
    report = imported(store, tmp_path, dump, kind="perp")
    assert taken(report) == [("BTC/USDT:USDT", 3, 0), ("ETH/USDT:USDT", 3, 0), ("BTC/USD:BTC", 0, 3)]


def test_candles_of_several_coins_are_not_mixed(store: HistoricalDataStore, tmp_path: Path) -> None:
    bars = [
        {"t": DAY + n * HOUR, "s": coin, "i": "1h", "o": "10", "h": "12", "l": "9", "c": "11", "v": "5"}
        for n in range(2)
        for coin in ("BTC", "kPEPE")
    ]
    bars.append({**bars[0], "i": "4h"})
    report = imported(store, tmp_path, bars)
    assert taken(report) == [("BTC/USDC:USDC", 2, 1), ("kPEPE/USDC:USDC", 2, 0)]
    assert report.refusals[0].reason == 'candle interval "4h" in a list of 1h'


def test_website_export_of_several_contracts_gives_each_and_names_coin_margined_ones(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    rows = "".join(
        f'\n"2024-01-01 {hour}:00:00","{market} Perpetual","8h","0.01%"'
        for hour in ("16", "08")
        for market in ("BTCUSDT", "ETHUSDT", "BTCUSD")
    )
    text = f'"Time","Contracts","Funding Interval","Funding Rate"{rows}'
    report = imported(store, tmp_path, text, "export.csv", time_zone="UTC")
    assert taken(report) == [("BTC/USDT:USDT", 2, 0), ("ETH/USDT:USDT", 2, 0), ("BTCUSD", 0, 2)]


def test_hourly_rate_of_deribit_is_taken_exactly_and_not_that_of_eight_hours(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    rows = ccxt("BTC/USDC:USDC", info={"interest_8h": "0.00032", "interest_1h": "0.0000400000000000001"})
    report = imported(store, tmp_path, rows[:1])
    funding = store.load("test", [report.symbol], LATER).symbols[0].funding
    assert funding.rates.decimals() == [Decimal("0.0000400000000000001")]
    assert funding.interval_hours.tolist() == [1]


def test_rate_of_eight_hours_without_the_hourly_one_is_refused(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    report = imported(store, tmp_path, ccxt("BTC/USDC:USDC", info={"interest_8h": "0.00032"}))
    assert (report.new, report.refused) == (0, 3)
    assert report.refusals[0].reason == (
        "the rate is one of eight hours, and info has no interest_1h, which is paid"
    )


PREDICTED = {
    "binance": [{"symbol": "BTCUSDT", "lastFundingRate": "0.0001", "nextFundingTime": DAY, "time": DAY}],
    "bybit": {"result": {"list": [{"symbol": "BTCUSDT", "fundingRate": "0.1", "nextFundingTime": "1"}]}},
    "okx": {"data": [{"instId": "BTC-USDT-SWAP", "fundingRate": "0.0001", "nextFundingTime": "1"}]},
    "ccxt": {"BTC/USDT:USDT": {**ccxt("BTC/USDT:USDT")[0], "fundingTimestamp": DAY}},
    "ccxt list": [{**ccxt("BTC/USDT:USDT")[0], "fundingTimestamp": DAY}],
    "hyperliquid": [{"universe": []}, [{"funding": "0.0000125", "markPx": "1", "oraclePx": "1"}]],
    "dydx": {"markets": {"BTC-USD": {"ticker": "BTC-USD", "nextFundingRate": "0.0001"}}},
}


@pytest.mark.parametrize("answer", PREDICTED.values(), ids=PREDICTED)
def test_predicted_rates_are_no_settlements(store: HistoricalDataStore, tmp_path: Path, answer: Any) -> None:
    assert refusal(store, tmp_path, answer) == (
        "answer.json holds predicted rates of coming settlements, not those that were paid; "
        "import the funding history instead"
    )


@pytest.mark.parametrize(
    "answer",
    [
        bybit_klines("BTCUSDT", "linear", width=5),
        {"data": [[str(DAY + n * HOUR), "10", "12", "9", "11", "1"] for n in range(2)]},
        [[DAY + n * HOUR, 10, 12.5, 9, 11, None] for n in range(2)],
    ],
    ids=["bybit", "okx", "ccxt"],
)
def test_prices_without_trades_ask_for_their_kind_and_are_imported_as_mark_prices(
    store: HistoricalDataStore, tmp_path: Path, answer: Any
) -> None:
    said = {"symbol": "BTCUSDT", "timeframe": "1h"}
    asked = (
        "answer.json holds prices without trades: of a mark, an index or a premium; "
        "if they are mark prices, say --kind mark"
    )
    assert refusal(store, tmp_path, answer, **said, kind="perp") == asked
    report = imported(store, tmp_path, answer, **said, kind="mark")
    assert (report.kind, report.new) == ("mark", 2)
