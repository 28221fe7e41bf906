"""Several dispatchers over one database, and one that dies between sending and noting it."""

import signal
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa
from replay_lists import REPLAY_LISTS, waiting_messages
from servers import eventually
from service import service
from sweeping import assert_every_trial_once, chunks_of, count_stored, state_of, submit, sweep_spec

from sweeps.queue.reconcile import ChunkRef
from sweeps.work.dispatch import Dispatcher
from workers.app import make_app
from workers.publisher import CeleryQueue
from workers.settings import WorkerSettings

pytestmark = pytest.mark.broker

SPEC = sweep_spec(
    grid={
        "min_funding_rate": {"start": "0.00001", "stop": "0.0004", "step": "0.00001"},
        "exit_funding_rate": {"start": "0", "stop": "0.0001", "step": "0.00001"},
        "perp_leverage": [1, 3, 5],
    },
    curves="none",
)


class PowerCutError(BaseException):
    """Ends a dispatcher as abruptly as a kill would."""


class CutQueue:
    """Sends a few messages, then ends its process right after the last one."""

    def __init__(self, queue: CeleryQueue, messages: int) -> None:
        self._queue = queue
        self._left = messages

    def publish(self, ref: ChunkRef) -> None:
        self._queue.publish(ref)
        self._left -= 1
        if not self._left:
            raise PowerCutError


def test_two_dispatchers_of_which_one_is_killed_again_and_again_do_each_chunk_once(
    engine: sa.Engine, database_url: str, broker: str, tmp_path: Path
) -> None:
    with (
        service(database_url, broker, tmp_path, republish_s="3") as running,
        redis.Redis.from_url(broker) as client,
    ):
        running.start_dispatcher()
        victim = running.start_dispatcher()
        running.start_worker()
        sweep_id = submit(engine, SPEC, size=30)
        for wanted in (30, 330, 630):
            eventually(lambda wanted=wanted: count_stored(engine, sweep_id) >= wanted, 30, "rows arrive")
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            victim = running.start_dispatcher()
        eventually(lambda: state_of(engine, sweep_id) == "completed", 40, "sweep completes")
        eventually(lambda: not client.exists(*REPLAY_LISTS, "unacked"), 20, "the broker is empty")
    assert {found.token for found in chunks_of(engine, sweep_id)} == {1}
    assert_every_trial_once(engine, sweep_id, SPEC)


def test_messages_sent_but_not_noted_are_sent_again_and_do_no_harm(
    engine: sa.Engine, database_url: str, broker: str, tmp_path: Path
) -> None:
    spec = sweep_spec()
    sweep_id = submit(engine, spec, size=40)
    queue = CeleryQueue(make_app(WorkerSettings(broker_url=broker)))
    with pytest.raises(PowerCutError):
        Dispatcher(engine, CutQueue(queue, 3), "cut off").step()
    queue.close()
    assert [found.published_ms for found in chunks_of(engine, sweep_id)] == [None] * 3
    with redis.Redis.from_url(broker) as client:
        assert waiting_messages(client) == 3
        with service(database_url, broker, tmp_path) as running:
            running.start_dispatcher()
            eventually(lambda: waiting_messages(client) == 6, 20, "the messages are sent again")
            running.start_worker()
            eventually(lambda: state_of(engine, sweep_id) == "completed", 40, "sweep completes")
            eventually(lambda: not waiting_messages(client), 20, "the broker is empty")
    assert [found.token for found in chunks_of(engine, sweep_id)] == [1, 1, 1]
    assert_every_trial_once(engine, sweep_id, spec)
