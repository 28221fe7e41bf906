"""The HTTP application over a real database with a generated market, and hands that do the workers' work."""

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvicorn
from fastapi.testclient import TestClient
from servers import eventually, free_port
from sweeping import BASE, EVERYONE

from api.application import create_app
from api.settings import Settings
from bot.clock import SystemClock
from bot.market.symbols import SYNTHETIC_EXCHANGE
from bot.market_store.database import open_engine, write_transaction
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import generate
from bot.timestamps import parse_time_ms
from sweeps.jobs.job_dispatcher import JobDispatcher
from sweeps.jobs.job_runner import JobRunner
from sweeps.jobs.jobs import JobKind, cancel_job
from sweeps.migrations import migrate
from sweeps.storage.tables import chunk, job
from sweeps.work.dispatch import ChunkRef, Dispatcher
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

DATABASE = "carrygrid.db"
GRID: dict[str, Any] = {
    "min_funding_rate": {"start": "0.00002", "stop": "0.0001", "step": "0.00002"},
    "exit_funding_rate": ["0", "0.00005"],
    "perp_leverage": [1, 5],
}


def sweep_body(**changes: Any) -> dict[str, Any]:
    """Return a sweep of 20 trials as submitted, with `changes`; however few its trades, any is eligible."""
    return {
        "name": "entry x exit x leverage",
        "base": dict(BASE),
        "grid": GRID,
        "curves": {"top": 3},
        "validation": EVERYONE,
    } | changes


def make_template(folder: Path) -> Path:
    """Fill a home folder with three months of generated markets."""
    fill(f"sqlite:///{folder / DATABASE}")
    return folder


def fill(database_url: str) -> None:
    """Create the schema, and three months of generated markets in it."""
    engine = open_engine(database_url)
    migrate(engine)
    first_ms, last_ms = parse_time_ms("2024-01-01"), parse_time_ms("2024-04-01")
    generate(HistoricalDataStore(engine), start_ms=first_ms, end_ms=last_ms, exchanges=[SYNTHETIC_EXCHANGE])
    engine.dispose()


def copy_of(template: Path, home: Path) -> Path:
    """Return `home` with the template's database in it."""
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(template / DATABASE, home / DATABASE)
    return home


def with_second_exchange(template: Path, home: Path) -> Path:
    """Return `home` with the template's markets, and a month of those of a second exchange, `synthetic-2`."""
    engine = open_engine(f"sqlite:///{copy_of(template, home) / DATABASE}")
    first_ms, last_ms = parse_time_ms("2024-01-01"), parse_time_ms("2024-02-01")
    generate(HistoricalDataStore(engine), start_ms=first_ms, end_ms=last_ms, exchanges=["synthetic-2"])
    engine.dispose()
    return home


class Hands:
    """Replays pending chunks in this process, as workers and dispatcher would."""

    def __init__(self, home: Path) -> None:
        self.engine = open_engine(f"sqlite:///{home / DATABASE}")
        self._runner = ChunkRunner(self.engine, WindowCache(HistoricalDataStore(self.engine)), SystemClock())
        self._dispatcher = Dispatcher(self.engine, self, "test")

    def publish(self, ref: ChunkRef) -> None:
        """Take no message: chunks are found in the database."""

    def split(self, sweep_id: int, size: int) -> None:
        """Cut a sweep's only chunk into chunks of `size`, so that its progress can be watched."""
        with self.engine.connect() as connection:
            connection.execution_options(carrygrid_write=True)
            with connection.begin():
                (only,) = connection.execute(sa.select(chunk).where(chunk.c.sweep_id == sweep_id)).all()
                connection.execute(chunk.delete().where(chunk.c.sweep_id == sweep_id))
                rows = [
                    {
                        "sweep_id": sweep_id,
                        "id": index,
                        "lo": lo,
                        "hi": min(lo + size, only.hi),
                        "state": "pending",
                    }
                    for index, lo in enumerate(range(0, only.hi, size))
                ]
                connection.execute(chunk.insert(), rows)

    def work(self, sweep_id: int, chunks: int = 1_000_000) -> None:
        """Replay up to `chunks` pending chunks of a sweep and let the dispatcher look at it."""
        with self.engine.connect() as connection:
            pending = connection.execute(
                sa.select(chunk.c.id)
                .where(chunk.c.sweep_id == sweep_id, chunk.c.state == "pending")
                .order_by(chunk.c.id)
            ).scalars()
            ids = list(pending)[:chunks]
        self._dispatcher.step()
        for chunk_id in ids:
            self._runner.run(sweep_id, chunk_id, "test")
        self._dispatcher.step()

    def close(self) -> None:
        self.engine.dispose()


@dataclass(frozen=True)
class Reader:
    """A client of a database with one completed sweep of 20 trials, shared by tests that only read."""

    client: TestClient
    sweep_id: int


@contextlib.contextmanager
def serving(home: Path, *, port: int | None = None, **settings: Any) -> Iterator[str]:
    """Serve the application on a free port and give its address."""
    app = create_app(Settings(home=home, database_url=f"sqlite:///{home / DATABASE}", **settings))
    port = port or free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started, 20, "the API serves")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


class _AtOnce:
    """A task queue whose messages are worked off by the thread that sends them; nothing is downloaded."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._chunks = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())
        self._jobs = JobRunner(engine)

    def publish(self, ref: ChunkRef) -> None:
        self._chunks.run(ref.sweep_id, ref.chunk_id, "test")

    def publish_job(self, job_id: int, *, behind: bool = False) -> None:
        with write_transaction(self._engine) as connection:
            kind = connection.execute(sa.select(job.c.kind).where(job.c.id == job_id)).scalar_one()
            if kind == JobKind.FETCH:
                cancel_job(connection, [JobKind.FETCH], job_id)
        self._jobs.run(job_id)


@contextlib.contextmanager
def working(home: Path) -> Iterator[None]:
    """Do whatever is submitted to the application over `home`, as dispatcher and workers would."""
    engine = open_engine(f"sqlite:///{home / DATABASE}")
    queue, stop = _AtOnce(engine), threading.Event()
    dispatcher, jobs = Dispatcher(engine, queue, "test"), JobDispatcher(engine, queue)

    def work() -> None:
        rest_s = 0.02
        while not stop.wait(rest_s):
            begun = time.monotonic()
            jobs.step()
            dispatcher.step()
            rest_s = max(0.02, time.monotonic() - begun)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        engine.dispose()
