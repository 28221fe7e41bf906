"""What the broker loses is sent again: each loss here leaves work undone once republishing is switched off.

On one database only, because what a broker loses does not depend on it.
"""

import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa
from servers import eventually
from service import Service, pool_of, service
from sweeping import assert_every_trial_once, chunks_of, state_of, stored_rows, submit, sweep_spec

from bot.data.database import write_transaction
from sweeps.dispatch import REPLAY_QUEUE, Dispatcher
from sweeps.heartbeats import Component, live_beats
from sweeps.tables import chunk
from workers.app import make_app
from workers.publisher import CeleryQueue
from workers.settings import WorkerSettings

pytestmark = pytest.mark.broker

NEVER = str(10**6)
SPEC = sweep_spec(
    grid={
        "min_funding_rate": {"start": "0.00001", "stop": "0.0004", "step": "0.00001"},
        "exit_funding_rate": {"start": "0", "stop": "0.0001", "step": "0.00001"},
        "perp_leverage": [1, 3, 5],
    },
    curves="none",
)

Lose = Callable[[Service, sa.Engine, redis.Redis], int]


@pytest.fixture
def database_url(tmp_path: Path, sqlite_template: Path) -> str:
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'carrygrid.db')}"


def stop_publish_kill(running: Service, engine: sa.Engine, client: redis.Redis) -> int:
    """Stop a worker that waits at the broker, let messages go out, kill it; return the sweep.

    The broker hands a message to the stopped worker, which never writes down that it has it.
    """
    sweep_id = submit(engine, SPEC, size=440)
    worker = running.start_worker()
    pool_of(worker, 2)
    eventually(lambda: is_asked_for_messages(client), 30, "the worker waits at the broker")
    queue = CeleryQueue(make_app(WorkerSettings(broker_url=running.environment["CARRYGRID_BROKER_URL"])))
    dispatcher = Dispatcher(engine, queue, "by hand")
    eventually(lambda: is_one_message_lost(worker, dispatcher, engine, client), 20, "a message is lost")
    dispatcher.retire()
    queue.close()
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    running.start_dispatcher()
    running.start_worker("two")
    return sweep_id


def is_one_message_lost(
    worker: subprocess.Popen[bytes], dispatcher: Dispatcher, engine: sa.Engine, client: redis.Redis
) -> bool:
    """Return whether the stopped worker got a message; if it had just ceased to ask, all is as before."""
    worker.send_signal(signal.SIGSTOP)
    assert dispatcher.step().published == 3
    if held(client) == 2:
        return True
    client.delete(REPLAY_QUEUE)
    with write_transaction(engine) as connection:
        connection.execute(chunk.update().values(published_ms=None))
    worker.send_signal(signal.SIGCONT)
    return False


def flush(running: Service, engine: sa.Engine, client: redis.Redis) -> int:
    """Empty the broker while chunks run and messages wait; return the sweep."""
    running.start_dispatcher()
    pool_of(running.start_worker(), 2)
    sweep_id = submit(engine, SPEC, size=60)
    eventually(lambda: len(stored_rows(engine, sweep_id)) >= 60, 30, "rows arrive")
    eventually(lambda: client.llen(REPLAY_QUEUE), 10, "messages wait")
    client.flushall()
    return sweep_id


def is_asked_for_messages(client: redis.Redis) -> bool:
    return any(found["cmd"] == "brpop" for found in client.client_list())


def held(client: redis.Redis) -> int:
    return int(client.llen(REPLAY_QUEUE)) + int(client.hlen("unacked"))


def published(engine: sa.Engine, sweep_id: int) -> list[int]:
    """Return the open chunks that the dispatcher takes to be on their way."""
    return [
        found.id
        for found in chunks_of(engine, sweep_id)
        if found.state == "pending" and found.published_ms is not None
    ]


def is_stuck(engine: sa.Engine, client: redis.Redis, sweep_id: int) -> bool:
    states = {found.state for found in chunks_of(engine, sweep_id)}
    return not held(client) and "running" not in states and bool(published(engine, sweep_id))


def wait_for_turns_of_the_dispatcher(engine: sa.Engine, ms: int) -> None:
    begun = last_turn_ms(engine)
    eventually(lambda: last_turn_ms(engine) >= begun + ms, 20, "the dispatcher goes on")


def last_turn_ms(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        beats = live_beats(connection)
    return max((found.beat_ms for found in beats if found.component is Component.DISPATCHER), default=0)


@pytest.mark.parametrize("lose", [stop_publish_kill, flush])
def test_lost_messages_are_sent_again_and_the_sweep_is_completed(
    engine: sa.Engine, database_url: str, broker: str, tmp_path: Path, lose: Lose
) -> None:
    with (
        service(database_url, broker, tmp_path, republish_s="3", lease_s="3") as running,
        redis.Redis.from_url(broker) as client,
    ):
        sweep_id = lose(running, engine, client)
        eventually(lambda: state_of(engine, sweep_id) == "completed", 50, "sweep completes")
        eventually(lambda: not held(client), 10, "the broker is empty")
    assert_every_trial_once(engine, sweep_id, SPEC)


@pytest.mark.parametrize("lose", [stop_publish_kill, flush])
def test_without_sending_again_the_same_loss_leaves_trials_undone(
    engine: sa.Engine, database_url: str, broker: str, tmp_path: Path, lose: Lose
) -> None:
    with (
        service(database_url, broker, tmp_path, republish_s=NEVER, lease_s="3") as running,
        redis.Redis.from_url(broker) as client,
    ):
        sweep_id = lose(running, engine, client)
        eventually(lambda: is_stuck(engine, client, sweep_id), 50, "nothing moves any more")
        wait_for_turns_of_the_dispatcher(engine, 3_000)  # what a worker had taken by then gets done
        undone = published(engine, sweep_id)
        wait_for_turns_of_the_dispatcher(engine, 4_000)
        assert is_stuck(engine, client, sweep_id)
        assert published(engine, sweep_id) == undone
        assert state_of(engine, sweep_id) == "running"
        assert len(stored_rows(engine, sweep_id)) < SPEC.trial_count
