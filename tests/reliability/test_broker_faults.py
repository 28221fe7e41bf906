"""A broker that goes away, returns empty, halts, is full, or sends rubbish: hints get lost, work does not."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from disks import enlarge, small_disk
from harness import WORKERS, Installation, installation, pause
from servers import eventually
from sweeping import chunks_of, sweep_spec

from sweeps.queue.messages import REPLAY_CHUNK_TASK, REPLAY_QUEUE, RUN_JOB_TASK
from workers.app import make_app
from workers.settings import WorkerSettings

pytestmark = pytest.mark.broker

SPEC = sweep_spec(
    grid={
        "min_funding_rate": {"start": "0.00001", "stop": "0.0002", "step": "0.00001"},
        "exit_funding_rate": {"start": "0", "stop": "0.00009", "step": "0.00001"},
        "perp_leverage": [1, 3, 5],
    },
    curves="none",
)
"""600 trials, some two seconds of work for four processes."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, market_template: Path) -> Iterator[Installation]:
    """Return a service whose broker writes down what it knows, as that of the cluster does."""
    folder = tmp_path_factory.mktemp("kept")
    with installation(folder, market_template, persistent_broker=True, environment={"TRIAL_MS": "10"}) as one:
        yield one


@pytest.fixture
def submitted(kept: Installation) -> int:
    """Return a sweep in the middle of its work."""
    sweep_id = kept.submit(SPEC, size=30)
    kept.wait_for_rows(sweep_id, 60)
    return sweep_id


def finish(one: Installation, sweep_id: int) -> None:
    one.wait_until_done(sweep_id)
    one.assert_promise_kept(sweep_id, SPEC)


def assert_only_workers_died(one: Installation) -> None:
    """Check what was started again: workers may end with a connection that breaks at the wrong moment."""
    assert {death.name for death in one.keeper.deaths} <= {f"worker-{name}" for name in WORKERS}


def unread_log(one: Installation, name: str, known: str) -> str:
    return one.service.log_of(name)[len(known) :]


@pytest.mark.slow
def test_broker_that_is_stopped_for_a_while_and_remembers(kept: Installation, submitted: int) -> None:
    kept.broker.stop()
    pause(4)
    kept.broker.start()
    finish(kept, submitted)
    assert_only_workers_died(kept)


def test_broker_that_is_killed_and_comes_back_empty(kept: Installation, submitted: int) -> None:
    kept.broker.kill()
    shutil.rmtree(kept.service.logs / "appendonlydir")
    kept.broker.start()
    finish(kept, submitted)
    assert_only_workers_died(kept)


def test_every_connection_cut_again_and_again(kept: Installation, submitted: int) -> None:
    for _ in range(8):
        with kept.broker.client() as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        pause(0.3)
    finish(kept, submitted)


def test_submission_needs_no_broker(kept: Installation) -> None:
    known = kept.service.log_of("dispatcher")
    kept.broker.kill()
    sweep_id = kept.submit(SPEC)
    eventually(lambda: "takes no messages" in unread_log(kept, "dispatcher", known), 20, "a warning")
    ready = kept.client.get(f"{kept.api}/readyz")
    assert (ready.status_code, ready.json()["components"]["broker"]) == (503, "unreachable")
    assert kept.state(sweep_id) == "queued"
    kept.broker.start()
    finish(kept, sweep_id)
    assert "takes messages again" in unread_log(kept, "dispatcher", known)


def test_submission_does_not_wait_for_a_broker_that_halts(kept: Installation) -> None:
    kept.broker.signal(signal.SIGSTOP)
    try:
        sweep_id = kept.submit(SPEC)
        assert kept.state(sweep_id) == "queued"
        assert kept.client.get(f"{kept.api}/readyz").json()["components"]["broker"] == "unreachable"
        pause(2)
    finally:
        kept.broker.signal(signal.SIGCONT)
    finish(kept, sweep_id)


def test_worker_that_starts_before_the_broker_waits_for_it(kept: Installation) -> None:
    kept.broker.kill()
    worker = kept.service.start_worker("early", 1, "poisoned")
    eventually(lambda: "Cannot connect to" in kept.service.log_of("worker-early"), 30, "it tries")
    assert worker.poll() is None
    kept.broker.start()
    try:
        kept.wait_for_workers(("early",))
        sweep_id = kept.submit(SPEC)
        finish(kept, sweep_id)
        assert worker.poll() is None
    finally:
        worker.kill()
        worker.wait()


def test_broker_without_memory_takes_nothing_and_loses_nothing(kept: Installation) -> None:
    known = kept.service.log_of("dispatcher")
    with kept.broker.client() as client:
        client.config_set("maxmemory", "100kb")
        sweep_id = kept.submit(SPEC)
        eventually(lambda: "takes no messages" in unread_log(kept, "dispatcher", known), 20, "a warning")
        keys = client.dbsize()
        assert kept.state(sweep_id) == "queued"
        assert client.dbsize() == keys
        client.config_set("maxmemory", "0")
    finish(kept, sweep_id)


def test_bytes_that_are_no_message_end_a_worker_and_nothing_else(kept: Installation) -> None:
    dead = len(kept.keeper.deaths)
    with kept.broker.client() as client:
        client.lpush(REPLAY_QUEUE, b"\xff\xfe no message")
    sweep_id = kept.submit(SPEC)
    eventually(lambda: len(kept.keeper.deaths) > dead, 30, "a worker reads the rubbish")
    finish(kept, sweep_id)
    assert_only_workers_died(kept)
    kept.wait_for_workers(WORKERS)


class _Harmful:
    """Payload that makes a file, which no message may get to do."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._path),)


def test_messages_that_no_dispatcher_sends_do_nothing(kept: Installation, tmp_path: Path) -> None:
    dead = len(kept.keeper.deaths)
    app = make_app(WorkerSettings(broker_url=kept.broker.url))
    made = tmp_path / "made by a message"
    spec = sweep_spec()
    other = kept.submit(spec, size=spec.trial_count)
    with app.connection_for_write() as connection:
        producer = app.amqp.Producer(connection)
        app.send_task(
            REPLAY_CHUNK_TASK,
            args=(_Harmful(made), 0),
            serializer="pickle",
            producer=producer,
            queue=REPLAY_QUEUE,
        )
        for name in (REPLAY_CHUNK_TASK, RUN_JOB_TASK, "os.system", "celery.backend_cleanup"):
            for arguments in ((), ("rm", "x"), (other, 7), (other, 10**30), (True, 1.5), ({}, []), (1, 2, 3)):
                app.send_task(name, args=arguments, producer=producer, queue=REPLAY_QUEUE)
        for _ in range(50):
            app.send_task(REPLAY_CHUNK_TASK, args=(other, 0), producer=producer, queue=REPLAY_QUEUE)
    kept.wait_until_done(other)
    kept.assert_promise_kept(other, spec)
    assert [found.token for found in chunks_of(kept.engine, other)] == [1]
    assert not made.exists()
    assert kept.keeper.deaths[dead:] == []


def fill(client: redis.Redis) -> None:
    while True:
        client.set("ballast", b"x" * 50_000)


def test_broker_whose_disk_is_full_takes_nothing_and_loses_nothing(
    kept: Installation, tmp_path: Path
) -> None:
    known = kept.service.log_of("dispatcher")
    kept.broker.stop()
    with small_disk(tmp_path, "2m"):
        kept.broker._folder = tmp_path
        kept.broker.start()
        with kept.broker.client() as client, pytest.raises(redis.ResponseError, match="MISCONF"):
            fill(client)
        sweep_id = kept.submit(SPEC)
        eventually(lambda: "takes no messages" in unread_log(kept, "dispatcher", known), 20, "a warning")
        assert kept.state(sweep_id) == "queued"
        enlarge(tmp_path, "64m")
        finish(kept, sweep_id)
        kept.broker.kill()
    assert_only_workers_died(kept)
