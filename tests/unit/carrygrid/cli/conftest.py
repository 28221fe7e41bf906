"""A running API and a sweep to submit, for tests of commands."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from webservice import serving, sweep_body


@pytest.fixture
def address(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of an API, which commands call."""
    with serving(home) as address:
        monkeypatch.setenv("CARRYGRID_API_URL", address)
        yield address


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """Return the file of a sweep of 20 trials."""
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(sweep_body()))
    return path
