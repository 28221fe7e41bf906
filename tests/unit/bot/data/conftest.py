from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.data.database import open_engine
from bot.data.store import HistoricalDataStore
from bot.data.tables import metadata


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HistoricalDataStore]:
    engine = open_engine(f"sqlite:///{tmp_path}/market.sqlite")
    metadata.create_all(engine)
    yield HistoricalDataStore(engine)
    engine.dispose()
