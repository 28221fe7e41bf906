"""Fixtures for every test."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import slow_variants
from hypothesis import settings

if TYPE_CHECKING:
    from webservice import Hands

_BESIDE_THE_PROJECT = Path(__file__).resolve().parents[2] / "shared" / "data" / "real"

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow_variants.mark(items)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of recorded exchange data; without one skip, but fail under CI or if one is named."""
    named = os.environ.get("CARRYGRID_REAL_DATA")
    folder = Path(named or _BESIDE_THE_PROJECT)
    if not folder.is_dir():
        reason = f"recorded exchange data is not at {folder} (CARRYGRID_REAL_DATA names another place)"
        pytest.fail(reason) if named or os.environ.get("CI") else pytest.skip(reason)
    return folder


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
