"""The kernel's library: the one of the set-up, else one built for the tests."""

import pytest

from bot.kernel.build import build
from bot.kernel.loading import Library, UnusableLibraryError, load


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    try:
        return load()
    except UnusableLibraryError:
        return load(build(tmp_path_factory.mktemp("kernel") / "replay.so"))
