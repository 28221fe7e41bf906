"""Fixtures for every test."""

import os
from pathlib import Path

import pytest

_BESIDE_THE_PROJECT = Path(__file__).resolve().parents[2] / "shared" / "data" / "real"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of recorded exchange data: skip without any, fail if a named one is absent."""
    named = os.environ.get("CARRYGRID_REAL_DATA")
    folder = Path(named or _BESIDE_THE_PROJECT)
    if not folder.is_dir():
        reason = f"recorded exchange data is not at {folder} (CARRYGRID_REAL_DATA names another place)"
        pytest.fail(reason) if named else pytest.skip(reason)
    return folder
