"""One running service for the tests of a file that can share it, and databases for those that cannot."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Installation, installation


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, market_template: Path) -> Iterator[Installation]:
    """Return a service with two kept workers of two processes, that the tests of one file share."""
    folder = tmp_path_factory.mktemp("installation")
    with installation(folder, market_template) as one:
        yield one
