"""Fixtures for every test."""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import slow_variants
import structlog
from hypothesis import HealthCheck, settings
from servers import skip_or_fail

if TYPE_CHECKING:
    import sqlalchemy as sa
    from fastapi.testclient import TestClient
    from webservice import Hands

    from bot.kernel.loading import Library
    from bot.market_store.paper.hedge_sessions import HedgeSessionStore
    from bot.market_store.paper.pair_sessions import PaperStore
    from bot.market_store.store import HistoricalDataStore

_BESIDE_THE_PROJECT = Path(__file__).resolve().parents[2] / "shared" / "data" / "real"

# Drawing a market and replaying it by the reference takes seconds, and longer on a busy machine.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
# By its defaults the log draws each error with the values of all variables, for seconds; services do not.
structlog.configure(
    [
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)
# Nothing that is loaded to collect the tests is garbage: to look for some costs a fifth of the time.
gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow_variants.mark(items)


def pytest_collection_finish() -> None:
    gc.freeze()
    # Applications that tests make hold ten thousand objects each: looked through as often as by default,
    # they cost a fifth of the time.
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of recorded exchange data; without one skip, but fail under CI or if one is named."""
    named = os.environ.get("CARRYGRID_REAL_DATA")
    folder = Path(named or _BESIDE_THE_PROJECT)
    if not folder.is_dir():
        reason = f"recorded exchange data is not at {folder} (CARRYGRID_REAL_DATA names another place)"
        skip_or_fail(reason, named=bool(named))
    return folder


@pytest.fixture
def store(tmp_path: Path) -> "Iterator[HistoricalDataStore]":
    """Return an empty store of market data."""
    from bot.market_store.store import HistoricalDataStore

    with _tables(tmp_path / "market.sqlite") as engine:
        yield HistoricalDataStore(engine)


@pytest.fixture
def paper_store(tmp_path: Path) -> "Iterator[PaperStore]":
    """Return an empty store of paper sessions."""
    from bot.market_store.paper.pair_sessions import PaperStore

    with _tables(tmp_path / "paper.sqlite") as engine:
        yield PaperStore(engine)


@pytest.fixture
def hedge_sessions(tmp_path: Path) -> "Iterator[HedgeSessionStore]":
    """Return an empty store of paper sessions of hedges."""
    from bot.market_store.paper.hedge_sessions import HedgeSessionStore

    with _tables(tmp_path / "hedges.sqlite") as engine:
        yield HedgeSessionStore(engine)


@contextmanager
def _tables(path: Path) -> "Iterator[sa.Engine]":
    from bot.market_store.database import open_engine
    from bot.market_store.tables import metadata

    engine = open_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> "Library":
    """Return the kernel's library: the one of the set-up, else one built for the tests."""
    from bot.kernel.build import build
    from bot.kernel.loading import UnusableLibraryError, load

    try:
        return load()
    except UnusableLibraryError:
        return load(build(tmp_path_factory.mktemp("kernel") / "replay.so"))


@pytest.fixture(scope="session")
def market_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose database holds three months of generated markets; copy it before use."""
    from webservice import make_template

    return make_template(tmp_path_factory.mktemp("market"))


@pytest.fixture
def home(market_template: Path, tmp_path: Path) -> Path:
    """Return a home folder with the generated markets."""
    from webservice import copy_of

    return copy_of(market_template, tmp_path / "home")


@pytest.fixture
def make_client(home: Path) -> "Iterator[Callable[..., TestClient]]":
    """Return a maker of clients of the application over `home`, with the settings given, in this process."""
    from fastapi.testclient import TestClient
    from webservice import DATABASE

    from api.application import create_app
    from api.settings import Settings

    clients: list[TestClient] = []

    def make(**settings: Any) -> TestClient:
        app = create_app(
            Settings(**{"home": home, "database_url": f"sqlite:///{home / DATABASE}"} | settings)
        )
        client = TestClient(app, "http://localhost", raise_server_exceptions=False)
        clients.append(client)
        return client.__enter__()

    yield make
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(make_client: "Callable[..., TestClient]") -> "TestClient":
    """Return a client of the application over `home` with its usual settings."""
    return make_client()


@pytest.fixture
def hands(home: Path) -> "Iterator[Hands]":
    """Return what replays the chunks of `home` in this process."""
    from webservice import Hands

    working = Hands(home)
    yield working
    working.close()


@pytest.fixture
def address(home: Path) -> Iterator[str]:
    """Return where the application over `home` is served."""
    from webservice import serving

    with serving(home) as url:
        yield url
