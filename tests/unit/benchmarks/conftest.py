"""A generated market of some nine months, shared by the tests of the benchmarks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.market import START_MS, filled_store, generated

from bot.market_store.store import HistoricalDataStore
from bot.models import DAY_MS


@pytest.fixture(scope="module")
def bench_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HistoricalDataStore]:
    folder: Path = tmp_path_factory.mktemp("bench")
    store = filled_store(folder, generated(end_ms=START_MS + 240 * DAY_MS))
    yield store
    store.engine.dispose()
