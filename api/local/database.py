"""Open the database that the settings name."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api.settings import Settings
from bot.data.database import open_engine
from bot.data.store import HistoricalDataStore
from bot.errors import InvalidInputError
from sweeps.migrations import migrate

if TYPE_CHECKING:
    from sqlalchemy import Engine


@contextmanager
def ready_database(settings: Settings) -> "Iterator[Engine]":
    """Give the database at its newest schema, created if it is missing; it is closed at the end.

    Raises: StoreError if it cannot be used.
    """
    if settings.database_url is None:
        _make_folder(settings)
    engine = open_engine(settings.database)
    try:
        migrate(engine)
        yield engine
    finally:
        engine.dispose()


@contextmanager
def ready_store(settings: Settings) -> Iterator[HistoricalDataStore]:
    """Give the market data of the database at its newest schema."""
    with ready_database(settings) as engine:
        yield HistoricalDataStore(engine)


def _make_folder(settings: Settings) -> None:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError.of("CARRYGRID_HOME", f"{str(settings.home)!r}: {error.strerror}") from None
