"""Writes of the API that the dispatcher hears of, so that a new sweep does not wait for its next look."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
import redis
from servers import LOOPBACK, eventually, free_port
from webservice import copy_of, make_template, serving, sweep_body

from carrygrid.client import Client
from sweeps.queue.messages import WRITTEN_CHANNEL
from workers.pauses import Pauses

LONG_S = 60.0
NOBODY = f"redis://{LOOPBACK}:{free_port()}/0"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("announced"))


@pytest.fixture
def pauses(broker: str) -> Iterator[Pauses]:
    found = Pauses(broker, Event())
    found.wait(0)  # from here on it listens
    yield found
    found.close()


def test_a_submitted_sweep_ends_the_pause_of_an_idle_dispatcher(
    pauses: Pauses, broker: str, template: Path, tmp_path: Path
) -> None:
    home = copy_of(template, tmp_path / "home")
    with serving(home, broker_url=broker) as address, Client(address) as client:
        client.submit(sweep_body())
        assert pauses.wait(LONG_S)


def test_reading_announces_nothing(pauses: Pauses, broker: str, template: Path, tmp_path: Path) -> None:
    home = copy_of(template, tmp_path / "home")
    with serving(home, broker_url=broker) as address, Client(address) as client:
        assert client.sweeps() == []
    assert not pauses.wait(0.1)


def test_announcements_of_a_crowd_end_one_pause(pauses: Pauses, broker: str) -> None:
    with redis.Redis.from_url(broker) as client:
        for _ in range(100):
            client.publish(WRITTEN_CHANNEL, b"")
    eventually(lambda: pauses.wait(LONG_S), 20, "the pause ends")
    assert not pauses.wait(0.1)


def test_without_a_broker_sweeps_are_taken_and_pauses_last_until_the_process_is_stopped(
    template: Path, tmp_path: Path
) -> None:
    home = copy_of(template, tmp_path / "home")
    with serving(home, broker_url=NOBODY) as address, Client(address) as client:
        assert client.submit(sweep_body()).state == "queued"
    stop = Event()
    pausing = Thread(target=Pauses(NOBODY, stop).wait, args=(LONG_S,))
    pausing.start()
    stop.set()
    pausing.join(10)
    assert not pausing.is_alive()


def test_a_broker_that_comes_back_is_listened_to_again(broker: str) -> None:
    pauses = Pauses(broker, Event())
    pauses.wait(0)
    with redis.Redis.from_url(broker) as client:
        client.client_kill_filter(_type="pubsub")
        eventually(lambda: _heard(pauses, client), 20, "an announcement is heard")
    pauses.close()


def _heard(pauses: Pauses, client: redis.Redis) -> bool:
    pauses.wait(0)
    client.publish(WRITTEN_CHANNEL, b"")
    return pauses.wait(0.1)
