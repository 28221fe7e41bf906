"""Files whose layout a mapping describes: what they are taken for, and what is refused by name."""

import json
from pathlib import Path
from typing import Any

import pytest
from importing import DAY, HOUR, OKX_BULK, OKX_HEADER, OKX_MAPPING, imported, refusal

from bot.errors import DataImportError, InvalidInputError, UnmodelledContractError
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importing import import_file
from bot.market_store.store import HistoricalDataStore

EXAMPLES = Path(__file__).resolve().parents[5] / "examples" / "mappings"
CDD = (
    "https://www.CryptoDataDownload.com\n"
    "unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount\n"
    f"{DAY + HOUR},2024-01-01 01:00:00,BTCUSDT,10,12,9,11,5,55,7\n"
    f"{DAY},2024-01-01 00:00:00,BTCUSDT,10,12,9,11,5,55,7\n"
)


def test_mapping_finds_its_header_after_other_lines_or_skips_so_many(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    text = f"https://www.CryptoDataDownload.com\n{OKX_BULK}"
    lines = json.loads(OKX_MAPPING)
    report = imported(store, tmp_path, text, "a.csv", mapping=OKX_MAPPING)
    assert (report.new, report.refusals[0].line) == (6, 5)
    skipping = json.dumps({**lines, "skip_lines": 1})
    assert imported(store, tmp_path, text, "a.csv", mapping=skipping).already_there == 6
    wrong = json.dumps({**lines, "skip_lines": 2})
    with pytest.raises(DataImportError, match="none of its first lines, in a file of its name"):
        imported(store, tmp_path, text, "a.csv", mapping=wrong)


@pytest.mark.parametrize(
    ("mapping", "text", "expected"),
    [
        ("okx-funding.json", OKX_BULK, ("BTC/USDT:USDT", "funding")),
        (
            "cryptodatadownload.json",
            CDD,
            ("BTC/USDT:USDT", "spot"),
        ),
    ],
)
def test_mappings_that_come_as_examples_read_what_they_describe(
    store: HistoricalDataStore, tmp_path: Path, mapping: str, text: str, expected: tuple[str, str]
) -> None:
    report = imported(store, tmp_path, text, "a.csv", mapping=(EXAMPLES / mapping).read_text())
    assert (report.symbol, report.kind) == expected


def test_skipped_lines_may_be_no_text(store: HistoricalDataStore, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xa9 2024 \xff\n\n" + OKX_BULK.encode())
    assert import_file(store, path, "test", None, ImportOptions.parse(mapping=OKX_MAPPING)).new == 6


@pytest.mark.parametrize("said", [{}, {"symbol": "BTCUSDT"}])
@pytest.mark.parametrize("columns", [("symbol",), ()])
def test_mapped_file_without_rows_is_refused_in_one_sentence(
    store: HistoricalDataStore, tmp_path: Path, said: dict[str, str], columns: tuple[str, ...]
) -> None:
    names = dict.fromkeys(("time", "open", "high", "low", "close", "volume", *columns), "a")
    mapping = json.dumps({"header": "a,b", "kind": "perp", "columns": names})
    message = refusal(store, tmp_path, "a,b\n", "a.csv", mapping=mapping, **said)
    assert message.startswith(("a.csv holds no rows", "a.csv does not say its"))


@pytest.mark.parametrize("skip", [-1, 101, "1", 1.5])
def test_number_of_lines_to_skip_is_checked(skip: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"^mapping\.skip_lines: "):
        ImportOptions.parse(mapping=json.dumps({**json.loads(OKX_MAPPING), "skip_lines": skip}))


def test_mapping_says_that_contracts_in_dollars_are_linear(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    text = f"{OKX_HEADER}\nBTC-USD,0.0001,{DAY}\nBTC-USD,0.0001,{DAY + HOUR}\n"
    with pytest.raises(DataImportError, match='"BTC-USD" does not say whether it is coin-margined'):
        imported(store, tmp_path, text, "a.csv", mapping=OKX_MAPPING)
    linear = json.dumps({**json.loads(OKX_MAPPING), "linear": True})
    assert imported(store, tmp_path, text, "a.csv", mapping=linear).symbol == "BTC/USD:USD"


def test_mapping_of_a_dated_future_is_refused(store: HistoricalDataStore, tmp_path: Path) -> None:
    text = f"{OKX_HEADER}\nBTC-USDT-240927,0.0001,{DAY}\n"
    with pytest.raises(UnmodelledContractError, match='dated futures are not modelled: "BTC-USDT-240927"'):
        imported(store, tmp_path, text, "a.csv", mapping=OKX_MAPPING)


def test_kind_that_a_name_says_and_nobody_knows_is_refused(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    lines = {"header": "t,o,h,l,c,v", "name": "(?P<symbol>[A-Z]+)_(?P<kind>[a-z]+)"}
    columns = dict(zip(("time", "open", "high", "low", "close", "volume"), "tohlcv", strict=True))
    mapping = json.dumps({**lines, "columns": columns})
    said = refusal(store, tmp_path, f"t,o,h,l,c,v\n{DAY},1,1,1,1,1\n", "BTCUSDT_trade.csv", mapping=mapping)
    assert 'kind "trade", as its name says, is none of funding, spot, perp, mark' in said
