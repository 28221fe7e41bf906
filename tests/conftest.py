"""Fixtures for every test."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

_BESIDE_THE_PROJECT = Path(__file__).resolve().parents[2] / "shared" / "data" / "real"

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of recorded exchange data; without one skip, but fail under CI or if one is named."""
    named = os.environ.get("CARRYGRID_REAL_DATA")
    folder = Path(named or _BESIDE_THE_PROJECT)
    if not folder.is_dir():
        reason = f"recorded exchange data is not at {folder} (CARRYGRID_REAL_DATA names another place)"
        pytest.fail(reason) if named or os.environ.get("CI") else pytest.skip(reason)
    return folder
