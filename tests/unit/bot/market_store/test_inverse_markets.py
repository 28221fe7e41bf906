"""Inverse markets in the store: files whose stem ends in `_PERP`, volumes in coins."""

import json
from pathlib import Path

import pytest

from bot.errors import DataImportError, SymbolNotAskedError
from bot.market.records.kinds import RecordKey, RecordKind
from bot.market.symbols import inverse_symbol, market_symbol
from bot.market_store.deleting import Selection
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importing import import_path
from bot.market_store.store import HistoricalDataStore
from bot.market_store.verifying import verify_market

HOUR = 3_600_000
T0 = 1_704_067_200_000
SYMBOL = "BTC/USD:BTC"
FUNDING = "timestamp_ms,funding_rate,interval_hours,mark_price\n" + "".join(
    f"{T0 + hour * HOUR},0.0001,8,40000\n" for hour in (0, 8, 16)
)
CANDLES = "timestamp_ms,open,high,low,close,volume\n" + "".join(
    f"{T0 + hour * HOUR},40000,40000,40000,40000,2.5\n" for hour in range(4)
)
BRACKETS = json.dumps(
    [{"from_ms": 0, "brackets": [{"cap": "5", "mmr": "0.004"}, {"cap": None, "mmr": "0.01"}]}]
)
LIFE = json.dumps(
    [
        {"market": "perp", "from_ms": 0, "to_ms": T0, "stem": "XBTUSD_PERP"},
        {"market": "perp", "from_ms": T0, "carried": True},
    ]
)
FILES = {
    "BTCUSD_PERP-funding.csv": FUNDING,
    "BTCUSD_PERP-perp-1h.csv": CANDLES,
    "BTCUSD_PERP-mark-1h.csv": CANDLES,
    "BTCUSD_PERP-brackets.json": BRACKETS,
    "BTCUSD_PERP-life.json": LIFE,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with every kind of file of an inverse market."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def kinds(store: HistoricalDataStore) -> dict[str, list[str]]:
    """Return the kinds held of each symbol."""
    return {
        one.symbol: [held.kind for held in (*one.series, *one.records)]
        for exchange in store.listing()
        for one in exchange.symbols
    }


def test_every_kind_of_file_is_imported_once_listed_and_verified(
    store: HistoricalDataStore, folder: Path
) -> None:
    report = import_path(store, folder, "test")
    assert {one.symbol for one in report.files} == {SYMBOL}
    assert report.new == 3 + 4 + 4 + 1 + 2
    assert import_path(store, folder, "test").already_there == report.new
    assert kinds(store) == {SYMBOL: ["funding", "mark", "perp", "brackets", "life"]}
    [pair] = store.pairs(0)
    assert (pair.symbol, pair.funding.settlements, pair.basis) == (SYMBOL, 3, None)
    with store.engine.connect() as connection:
        checked = verify_market(connection)
    assert (checked.series, checked.rows, checked.damages) == (5, report.new, ())


def test_it_is_deleted_by_either_name_and_in_parts(store: HistoricalDataStore, folder: Path) -> None:
    import_path(store, folder, "test")
    gone = store.remove(Selection.parse(exchange="test", symbol="BTCUSD_PERP", series="brackets"))
    assert [(one.symbol, one.kind, one.rows) for one in gone.series] == [(SYMBOL, "brackets", 1)]
    assert store.records(RecordKey("test", SYMBOL, RecordKind.BRACKETS)) == []
    assert store.remove(Selection.parse(exchange="test", symbol=SYMBOL)).rows == 3 + 4 + 4 + 2
    assert kinds(store) == {}


@pytest.mark.parametrize("name", ["BTCUSD_PERP-spot-1h.csv", "BTCUSD_PERP-borrow.csv"])
def test_file_about_a_spot_market_of_its_name_is_refused(
    store: HistoricalDataStore, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_text(CANDLES if "spot" in name else f"timestamp_ms,hourly_rate,max_quantity\n{T0},0.1,\n")
    said = f"{name}: BTCUSD_PERP is an inverse perp, spot markets are named as in BTCUSDT"
    with pytest.raises(DataImportError) as refused:
        import_path(store, path, "test")
    assert refused.value.message == said


def test_symbol_chooses_its_files_and_makes_no_other_file_one_of_it(
    store: HistoricalDataStore, folder: Path
) -> None:
    (folder / "BTCUSD-perp-1h.csv").write_text(CANDLES)
    report = import_path(store, folder, "test", options=ImportOptions.parse(symbol="BTCUSD_PERP"))
    assert (len(report.files), report.not_asked, {one.symbol for one in report.files}) == (5, 1, {SYMBOL})
    linear = ImportOptions.parse(symbol="BTCUSDT")
    with pytest.raises(SymbolNotAskedError, match=f"says symbol {SYMBOL}, which is not among --symbol"):
        import_path(store, folder / "BTCUSD_PERP-perp-1h.csv", "test", options=linear)
    inverse = ImportOptions.parse(symbol=SYMBOL, kind="perp", timeframe="1h")
    for name in ("BTCUSD-perp-1h.csv", "download.csv"):
        (folder / name).write_text(CANDLES)
        with pytest.raises(
            DataImportError, match="coin-margined contracts are read from canonical files only"
        ):
            import_path(store, folder / name, "test", options=inverse)


def test_names_of_inverse_markets_are_the_two_spellings_that_say_so() -> None:
    assert inverse_symbol("BTCUSD_PERP") == inverse_symbol(SYMBOL) == SYMBOL
    assert market_symbol("btcusd_perp") == SYMBOL
    assert market_symbol("BNBUSD_PERP") == "BNB/USD:BNB"
    others = ("BTCUSD", "BTCUSDT_PERP", "BTC/USD:USD", "BTC/USDT:BTC", "BTC-USD-SWAP", "BTC_USD_BTC", "BTC")
    assert [inverse_symbol(name) for name in others] == [None] * len(others)
