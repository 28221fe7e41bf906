"""Imports that are killed, or meet a full disk: each series is as it was or complete, never between."""

import contextlib
import gzip
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from disks import enlarge, small_disk
from servers import eventually

from bot.market_store.database import open_engine
from bot.market_store.store import HistoricalDataStore
from bot.market_store.verifying import verify_market
from bot.models import HOUR_MS
from bot.timestamps import parse_time_ms

COMMAND = Path(sys.executable).parent / "carrygrid"
START = parse_time_ms("2021-01-01")
ROWS, MANY_ROWS = 8_000, 20_000
SERIES = ("spot-1h", "perp-1h", "mark-1h")


def written(folder: Path, rows: int) -> Path:
    """Return a folder of nine candle files of so many rows."""
    folder.mkdir()
    drawn = random.Random(7)
    prices = [f"{1000 + 50 * drawn.random():.2f}" for _ in range(rows)]
    lines = [f"{START + n * HOUR_MS},{p},{p},{p},{p},{n + 1}" for n, p in enumerate(prices)]
    text = "\n".join(["timestamp_ms,open,high,low,close,volume", *lines, ""]).encode()
    packed = gzip.compress(text, 1)
    for symbol in ("AAAUSDT", "BBBUSDT", "CCCUSDT"):
        for series in SERIES:
            (folder / f"{symbol}-{series}.csv.gz").write_bytes(packed)
    return folder


def importing(home: Path, files: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [COMMAND, "data", "import", files, "--exchange", "test"],
        env={"CARRYGRID_HOME": str(home), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def imported(home: Path) -> dict[str, int]:
    """Return the rows held of each series, everything having been verified."""
    database = home / "carrygrid.db"
    engine = open_engine(f"sqlite:///{database}")
    try:
        store = HistoricalDataStore(engine)
        with engine.connect() as connection:
            assert verify_market(connection).damages == ()
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalars().all() == ["ok"]
        return {
            f"{symbol.symbol} {series.kind}": series.rows
            for exchange in store.listing()
            for symbol in exchange.symbols
            for series in symbol.series
        }
    finally:
        engine.dispose()


def held(home: Path) -> dict[str, int]:
    return imported(home) if (home / "carrygrid.db").exists() else {}


def count(home: Path) -> int:
    """Return how many series are held, without reading them."""
    try:
        with closing(sqlite3.connect(f"file:{home / 'carrygrid.db'}?mode=ro", uri=True)) as connection:
            query = "SELECT count(DISTINCT series_id) FROM market_segment"
            return int(connection.execute(query).fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def complete(rows: int) -> dict[str, int]:
    """Return what is held once all files of so many rows are imported."""
    kinds = ("spot", "perp", "mark")
    return {f"{coin}/USDT:USDT {kind}": rows for coin in ("AAA", "BBB", "CCC") for kind in kinds}


def test_an_import_killed_at_any_moment_leaves_whole_series_and_is_completed_by_the_next(
    tmp_path: Path,
) -> None:
    files, home = written(tmp_path / "files", ROWS), tmp_path / "home"
    for least, delay_s in ((1, 0.0), (2, 0.05), (4, 0.1), (6, 0.02)):
        process = importing(home, files)
        eventually(lambda least=least: count(home) >= least, 30, f"{least} series are stored")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(delay_s)
        process.kill()
        process.communicate()
        assert held(home).items() <= complete(ROWS).items()
    assert imported_by(home, files) == (0, "")
    assert imported(home) == complete(ROWS)


def test_an_import_that_fills_the_disk_leaves_whole_series_and_is_completed_with_more_room(
    tmp_path: Path,
) -> None:
    """A series is large beside what room a reader needs on a disk that is full."""
    files, home = written(tmp_path / "files", MANY_ROWS), tmp_path / "home"
    with small_disk(home, "1500k"):
        status, told = imported_by(home, files)
        assert (status, told.count("\n")) == (1, 1)
        assert "disk is full" in told
        assert held(home).items() < complete(MANY_ROWS).items()
        enlarge(home, "64m")
        assert imported_by(home, files) == (0, "")
        assert imported(home) == complete(MANY_ROWS)


def imported_by(home: Path, files: Path) -> tuple[int, str]:
    process = importing(home, files)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors
