from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.market_store.database import open_engine
from bot.market_store.store import HistoricalDataStore
from bot.market_store.tables import metadata


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HistoricalDataStore]:
    engine = open_engine(f"sqlite:///{tmp_path}/market.sqlite")
    metadata.create_all(engine)
    yield HistoricalDataStore(engine)
    engine.dispose()
