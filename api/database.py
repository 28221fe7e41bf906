"""Open the database that the settings name."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api.settings import Settings
from bot.market_store.database import open_engine
from bot.market_store.store import HistoricalDataStore
from sweeps.migrations import migrate

if TYPE_CHECKING:
    from sqlalchemy import Engine


@contextmanager
def ready_database(settings: Settings) -> "Iterator[Engine]":
    """Give the database at its newest schema, created if it is missing; it is closed at the end.

    Raises: StoreError if it cannot be used.
    """
    settings.make_home()
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
