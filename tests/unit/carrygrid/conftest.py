"""A served application over a generated market, and clients of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from studying import Study
from webservice import Hands, copy_of, serving, sweep_body

from carrygrid import Client


@pytest.fixture(scope="session")
def study(market_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    home = copy_of(market_template, tmp_path_factory.mktemp("study"))
    hands = Hands(home)
    with serving(home) as address, Client(address) as client:
        sweep = client.submit(sweep_body())
        hands.work(sweep.id)
        yield Study(client, sweep.refresh(), address)
    hands.close()


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    with Client(address) as client:
        yield client
