"""A real broker, and every database the product supports, with a small generated market in it."""

import contextlib
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa
from servers import broker_server, postgres_database, postgres_server

from bot.kernel.loading import Library
from bot.market.symbols import SYNTHETIC_EXCHANGE
from bot.market_store.database import open_engine
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import generate
from bot.timestamps import parse_time_ms
from sweeps.migrations import migrate
from sweeps.work import kernel_replay

FIRST_MS = parse_time_ms("2024-01-01")
LAST_MS = parse_time_ms("2024-04-01")
_TEMPLATE = "carrygrid_template"
_names = itertools.count(1)
_SYSTEMS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@pytest.fixture(scope="session")
def broker_process() -> Iterator[str]:
    with broker_server() as url:
        yield url


@pytest.fixture
def broker(broker_process: str) -> str:
    """Return the URL of a real, empty broker."""
    with redis.Redis.from_url(broker_process) as client:
        client.flushall()
    return broker_process


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "market.db"
    _fill(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_process() -> Iterator[str]:
    with postgres_server() as url, postgres_database(url, _TEMPLATE) as template_url:
        _fill(template_url)
        yield url


@pytest.fixture(params=_SYSTEMS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return a database of its own with the newest schema and a generated market of three months."""
    with _database(request, tmp_path) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """Return an engine on `database_url`."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module", params=_SYSTEMS)
def shared_engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[sa.Engine]:
    """Return an engine on a database as `database_url` gives it, for all tests of a file that only read."""
    with _database(request, tmp_path_factory.mktemp("shared")) as url:
        engine = open_engine(url)
        yield engine
        engine.dispose()


@contextlib.contextmanager
def _database(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "sqlite":
        path = folder / "carrygrid.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server_url = request.getfixturevalue("postgres_process")
    with postgres_database(server_url, f"test_{next(_names)}", _TEMPLATE) as url:
        yield url


def _fill(url: str) -> None:
    engine = open_engine(url)
    migrate(engine)
    generate(HistoricalDataStore(engine), start_ms=FIRST_MS, end_ms=LAST_MS, exchanges=[SYNTHETIC_EXCHANGE])
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.close()
    engine.dispose()


@pytest.fixture
def kernel(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have chunks replayed by the compiled kernel, whether the set-up could build it or not."""
    monkeypatch.setattr(kernel_replay, "usable", lambda: library)
