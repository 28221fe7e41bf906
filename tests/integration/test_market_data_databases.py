import multiprocessing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.market.records.kinds import RecordKind
from bot.market_store.database import open_async_engine, open_engine
from bot.market_store.deleting import Selection
from bot.market_store.importing import import_path
from bot.market_store.listing import list_coverage
from bot.market_store.pinning import hedges_digest
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import PROFILES, generate
from bot.timestamps import parse_time_ms

NOON = parse_time_ms("2024-01-01T12:00:00Z")
HOUR = 3_600_000
BORROW_ROWS = 300
END = parse_time_ms("2024-04-01")
MARKET_OF_THE_DEFAULT_SEED = "7d4fa72b90487adc"
WITH_WHAT_IS_RECORDED = "d8dea5f386227dfd"
OF_HEDGES = "2440cd66df75bad4"
PIN_OF_HEDGES = "a3dbc848f7df9703"


def import_into(url: str, folder: str, results: "multiprocessing.Queue[tuple[int, int]]") -> None:
    engine = open_engine(url)
    report = import_path(HistoricalDataStore(engine), Path(folder), "test")
    results.put((report.new, report.already_there))
    engine.dispose()


@pytest.fixture
def candles(tmp_path: Path) -> Path:
    folder = tmp_path / "candles"
    folder.mkdir()
    lines = [f"{NOON + n * HOUR},10,12,9,11,{n}" for n in range(2000)]
    text = "\n".join(["timestamp_ms,open,high,low,close,volume", *lines])
    for leg in ("spot", "perp"):
        (folder / f"BTCUSDT-{leg}-1h.csv").write_text(text)
    rates = "\n".join([f"{NOON + n * HOUR},0.00000{n % 9},{n}" for n in range(BORROW_ROWS)])
    (folder / "BTCUSDT-borrow.csv").write_text(f"timestamp_ms,hourly_rate,max_quantity\n{rates}\n")
    return folder


def test_parallel_imports_of_the_same_files_store_each_row_once(
    database_url: str, engine: sa.Engine, candles: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[tuple[int, int]] = context.Queue()
    importers = [
        context.Process(target=import_into, args=(database_url, str(candles), results)) for _ in range(3)
    ]
    for importer in importers:
        importer.start()
    counts = [results.get(timeout=60) for _ in importers]
    for importer in importers:
        importer.join(30)
    assert sum(new for new, _ in counts) == 4000 + BORROW_ROWS
    assert sum(there for _, there in counts) == 2 * (4000 + BORROW_ROWS)
    store = HistoricalDataStore(engine)
    data = store.load("test", ["BTC/USDT:USDT"], END, reads=[*RecordKind]).symbols[0]
    assert len(data.spot) == len(data.perp) == 2000
    assert len(data.recorded.borrow_rates()) == BORROW_ROWS
    gone = store.remove(Selection.parse(exchange="test", to="2024-01-02"))
    assert {one.kind: one.rows for one in gone.series} == {"perp": 12, "spot": 12, "borrow": 12}
    listed = next(one for one in store.listing() if one.exchange == "test")
    assert [one.rows for one in listed.symbols[0].records] == [BORROW_ROWS - 12]


def test_market_has_the_same_fingerprint_in_every_database(engine: sa.Engine) -> None:
    store = HistoricalDataStore(engine)
    data = store.load("synthetic", [profile.symbol for profile in PROFILES], END)
    assert data.fingerprint.startswith(MARKET_OF_THE_DEFAULT_SEED)
    read = store.load("synthetic", [profile.symbol for profile in PROFILES], END, reads=[*RecordKind])
    assert read.fingerprint.startswith(WITH_WHAT_IS_RECORDED)
    assert generate(store, end_ms=END, exchanges=["synthetic"]).new == 0


def test_data_of_hedges_are_the_same_from_every_database(engine: sa.Engine) -> None:
    store = HistoricalDataStore(engine)
    wanted = [("synthetic", "BTC/USDT:USDT"), ("synthetic", "BTC/USD:BTC"), ("nowhere", "BTC/USDT:USDT")]
    data = store.load_hedges("synthetic", wanted, END)
    assert data.fingerprint.startswith(OF_HEDGES)
    assert [*data.pairs] == [("synthetic", "BTC/USD:BTC"), ("synthetic", "BTC/USDT:USDT")]
    with engine.connect() as connection:
        assert hedges_digest(connection, wanted, END).startswith(PIN_OF_HEDGES)


async def test_listing_is_the_same_over_an_async_connection(database_url: str, engine: sa.Engine) -> None:
    asynchronous = open_async_engine(database_url)
    async with asynchronous.connect() as connection:
        listed, _ = await connection.run_sync(list_coverage)
    await asynchronous.dispose()
    assert listed == HistoricalDataStore(engine).listing()
