"""The application in this process, over a database of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from webservice import DATABASE, Hands, Reader, copy_of, sweep_body

from api.application import create_app
from api.settings import Settings


@pytest.fixture(scope="session")
def reader(market_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = copy_of(market_template, tmp_path_factory.mktemp("reader"))
    hands = Hands(home)
    app = create_app(Settings(home=home, database_url=f"sqlite:///{home / DATABASE}"))
    with TestClient(app, "http://localhost", raise_server_exceptions=False) as client:
        sweep_id = int(client.post("/sweeps", json=sweep_body()).json()["id"])
        hands.work(sweep_id)
        yield Reader(client, sweep_id)
    hands.close()


@pytest.fixture
def finished(client: TestClient, hands: Hands) -> int:
    """Return the id of a sweep of 20 trials that has completed."""
    sweep_id = int(client.post("/sweeps", json=sweep_body()).json()["id"])
    hands.work(sweep_id)
    return sweep_id
