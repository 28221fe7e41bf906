"""The data of hedges from the store: several exchanges, inverse markets, recorded rows."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from hedge_files import hedge_data

from bot.errors import SealedError, UnknownSymbolError
from bot.market.hedge_data import HedgeData
from bot.market.records.kinds import RECORD_TYPES
from bot.market.series import CandleSeries, SymbolData
from bot.market_store.backup import back_up, restore
from bot.market_store.database import write_transaction
from bot.market_store.deleting import Selection
from bot.market_store.held_history import HeldHistory
from bot.market_store.importing import import_path
from bot.market_store.pinning import hedges_digest
from bot.market_store.store import HistoricalDataStore
from bot.market_store.tables import seal
from bot.market_store.verifying import verify_market

HOUR = 3_600_000
START = 1_704_067_200_000
END = START + 8 * HOUR
LINEAR, INVERSE, OLD = "AAA/USDT:USDT", "AAA/USD:AAA", "OLD/USDT:USDT"


def funding(rate: str) -> str:
    rows = "".join(f"{START + hour * HOUR},{rate},8,\n" for hour in (0, 8, 16))
    return f"timestamp_ms,funding_rate,interval_hours,mark_price\n{rows}"


def candles(price: str) -> str:
    rows = "".join(f"{START + hour * HOUR},{price},{price},{price},{price},10\n" for hour in (-1, 7, 15))
    return f"timestamp_ms,open,high,low,close,volume\n{rows}"


FEE = {"from_ms": 0, "market": "inverse", "tier": "VIP0", "min_volume": "0", "maker": "0", "taker": "0.0005"}
FILES = {
    "alpha/AAAUSDT-spot-1h.csv": candles("100"),
    "alpha/AAAUSDT-borrow.csv": f"timestamp_ms,hourly_rate,max_quantity\n{START},0.00001,3\n{END + 1},0.1,\n",
    "alpha/AAAUSD_PERP-funding.csv": funding("0.001"),
    "alpha/AAAUSD_PERP-perp-1h.csv": candles("101"),
    "alpha/AAAUSD_PERP-mark-1h.csv": candles("102"),
    "alpha/AAAUSD_PERP-brackets.json": json.dumps(
        [{"from_ms": 0, "brackets": [{"cap": None, "mmr": "0.01"}]}]
    ),
    "alpha/AAAUSD_PERP-life.json": json.dumps([{"market": "perp", "from_ms": START - 24 * HOUR}]),
    "alpha/fees.json": json.dumps({"rows": [FEE]}),
    "beta/AAAUSDT-funding.csv": funding("0.002"),
    "beta/AAAUSDT-perp-1h.csv": candles("103"),
    "beta/AAAUSDT-life.json": json.dumps(
        [
            {"market": "perp", "from_ms": START - 24 * HOUR, "to_ms": START, "stem": "OLDUSDT"},
            {"market": "perp", "from_ms": START, "carried": True},
        ]
    ),
    "beta/OLDUSDT-perp-1h.csv": candles("104"),
    "beta/ZZZUSDT-perp-1h.csv": candles("105"),
}
WANTED = [("alpha", LINEAR), ("alpha", INVERSE), ("beta", LINEAR), ("beta", INVERSE), ("gamma", LINEAR)]


def imported(store: HistoricalDataStore, folder: Path, files: Mapping[str, str] = FILES) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for exchange in {name.partition("/")[0] for name in files}:
        import_path(store, folder / exchange, exchange)


def pinned(store: HistoricalDataStore, end_ms: int = END) -> str:
    with store.engine.connect() as connection:
        return hedges_digest(connection, WANTED, end_ms)


def contents(data: HedgeData) -> object:
    """Return every row of the data, by pair."""
    pairs = {key: _pair(one) for key, one in data.pairs.items()}
    of_all = {exchange: rows.rows for exchange, rows in data.exchanges.items()}
    return data.exchange, data.end_ms, pairs, of_all


def _pair(data: SymbolData) -> object:
    funding = data.funding
    settled = [funding.t_ms.tolist(), funding.rates.decimals(), funding.interval_hours.tolist()]
    marks = [mark for mark, known in zip(funding.marks.decimals(), funding.has_mark, strict=True) if known]
    legs = [None if leg is None else _candles(leg) for leg in (data.spot, data.perp, data.mark)]
    documents = {
        kind: [RECORD_TYPES[kind].document(row) for row in rows] for kind, rows in data.recorded.rows.items()
    }
    return data.symbol, data.instrument, settled, marks, legs, documents, data.spot_units


def _candles(series: CandleSeries) -> object:
    columns = (series.open, series.high, series.low, series.close, series.volume)
    return series.timeframe_ms, series.open_ms.tolist(), [column.decimals() for column in columns]


def test_imported_files_are_loaded_as_they_were_written_and_pairs_that_are_not_held_left_out(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    imported(store, tmp_path)
    data = store.load_hedges("alpha", WANTED, END)
    without = {name: text for name, text in FILES.items() if "ZZZ" not in name}
    assert contents(data) == contents(hedge_data(without, {"exchange": "alpha", "end": END}))
    assert list(data.pairs) == [("alpha", INVERSE), ("alpha", LINEAR), ("beta", LINEAR), ("beta", OLD)]


def test_pair_that_a_life_names_comes_with_it(store: HistoricalDataStore, tmp_path: Path) -> None:
    imported(store, tmp_path)
    data = store.load_hedges("alpha", [("beta", LINEAR)], END)
    assert [*data.pairs] == [("beta", LINEAR), ("beta", OLD)]
    assert len(data.pairs["beta", OLD].perp) == 2


def test_spot_market_of_a_coin_is_no_substitute_and_stays_as_it_is_recorded(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    files = {
        "alpha/PEPEUSDT-spot-1h.csv": candles("0.00001"),
        "alpha/1000PEPEUSDT-funding.csv": funding("0.001"),
        "alpha/1000PEPEUSDT-perp-1h.csv": candles("0.01"),
    }
    imported(store, tmp_path, files)
    coin, thousand = ("alpha", "PEPE/USDT:USDT"), ("alpha", "1000PEPE/USDT:USDT")
    data = store.load_hedges("alpha", [coin, thousand], END)
    assert contents(data) == contents(hedge_data(files, {"exchange": "alpha", "end": END}))
    assert (len(data.pairs[thousand].spot), data.pairs[thousand].spot_units) == (0, 1)


@pytest.mark.parametrize("name", sorted(set(FILES) - {"beta/ZZZUSDT-perp-1h.csv"}))
def test_fingerprint_and_pin_are_those_of_everything_loaded(
    store: HistoricalDataStore, tmp_path: Path, name: str
) -> None:
    imported(store, tmp_path, {other: text for other, text in FILES.items() if other != name})
    without = store.load_hedges("alpha", WANTED, END).fingerprint
    pin = pinned(store)
    imported(store, tmp_path / "again", {name: FILES[name]})
    assert store.load_hedges("alpha", WANTED, END).fingerprint != without
    assert pinned(store) != pin


def test_fingerprint_and_pin_do_not_change_with_what_is_not_read(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    imported(store, tmp_path)
    known, pin = store.load_hedges("alpha", WANTED, END).fingerprint, pinned(store)
    assert store.load_hedges("alpha", [*reversed(WANTED)], END).fingerprint == known
    later = START + 100 * HOUR
    more = {
        "beta/ZZZUSDT-spot-1h.csv": candles("1"),
        "beta/AAAUSDT-funding.csv": f"{funding('0.002')}{later},0.1,8,\n",
        "delta/AAAUSDT-perp-1h.csv": candles("1"),
    }
    imported(store, tmp_path / "more", more)
    assert store.load_hedges("alpha", WANTED, END).fingerprint == known
    assert pinned(store) == pin
    assert pinned(store, later) != pin
    assert store.load_hedges("beta", WANTED, END).fingerprint != known
    assert store.load_hedges("alpha", WANTED, later).fingerprint != known


def test_fingerprint_and_pin_change_with_the_first_mark_candle_of_a_contract_but_not_with_the_next(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    reused = [
        {"market": "perp", "from_ms": START - 24 * HOUR, "to_ms": END + 9 * HOUR},
        {"market": "perp", "from_ms": END + 9 * HOUR},
    ]
    imported(store, tmp_path, {**FILES, "beta/AAAUSDT-life.json": json.dumps(reused)})
    found = []
    for folder, open_ms in [("other", END + 9 * HOUR), ("first", END), ("next", END + HOUR)]:
        imported(store, tmp_path / folder, {"beta/AAAUSDT-mark-1h.csv": one_candle(open_ms)})
        found.append((store.load_hedges("alpha", WANTED, END).fingerprint, pinned(store)))
    (other, other_pin), (first, first_pin), then = found
    assert (first == other, first_pin == other_pin) == (False, False)
    assert then == (first, first_pin)


def one_candle(open_ms: int) -> str:
    return f"timestamp_ms,open,high,low,close,volume\n{open_ms},1,1,1,1,0\n"


def test_days_that_are_sealed_on_any_of_the_exchanges_are_refused(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    imported(store, tmp_path)
    midnight = seal.insert().values(exchange="beta", from_ms=END, tainted=False, created_ms=0)
    with write_transaction(store.engine) as connection:
        connection.execute(midnight)
    with pytest.raises(SealedError, match="beta is closed from 2024-01-01 on"):
        store.load_hedges("alpha", WANTED, END)
    assert store.load_hedges("alpha", WANTED, END, beyond_seals=True).pairs.keys() >= {("beta", LINEAR)}
    assert store.load_hedges("alpha", WANTED, END - 1).pairs.keys() >= {("beta", LINEAR)}
    assert store.load_hedges("alpha", [("alpha", INVERSE)], END).pairs.keys() == {("alpha", INVERSE)}


def test_pair_of_an_inverse_market_is_refused_where_a_spot_perp_pair_is_asked_for(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    imported(store, tmp_path)
    with pytest.raises(UnknownSymbolError) as refused:
        store.load("alpha", [INVERSE], END)
    said = '"AAA/USD:AAA" is an inverse market, which structure inverse is for, not spot_perp'
    assert str(refused.value) == f"symbols: {said}"
    with store.engine.connect() as connection:
        assert HeldHistory(connection, "alpha", [INVERSE]).unknown == {INVERSE: said}


def test_copy_of_the_store_gives_back_everything_that_was_deleted_since(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    imported(store, tmp_path / "files")
    held, pin = store.load_hedges("alpha", WANTED, END), pinned(store)
    database = Path(str(store.engine.url.database))
    with closing(sqlite3.connect(database)) as connection:  # as in a database that keeps sweeps as well
        connection.execute("CREATE TABLE IF NOT EXISTS sweep (id)")  # there, if these tables were imported
        connection.execute("CREATE TABLE alembic_version (version_num)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")
        connection.commit()
    back_up(database, tmp_path / "copy")
    for exchange in ("alpha", "beta"):
        store.remove(Selection.parse(exchange=exchange))
    assert store.load_hedges("alpha", WANTED, END).pairs == {}
    store.engine.dispose()
    restore(tmp_path / "copy", database, lambda _revision: None)
    data = store.load_hedges("alpha", WANTED, END)
    assert (data.fingerprint, pinned(store)) == (held.fingerprint, pin)
    assert contents(data) == contents(held)
    with store.engine.connect() as connection:
        assert verify_market(connection).damages == ()
