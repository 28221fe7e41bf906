"""The dispatcher's turns, over real databases and a queue kept by hand."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from sweeping import assert_every_trial_once, state_of, submit, sweep_spec

from bot.clock import SystemClock
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.errors import QueueUnavailableError
from sweeps.queue.heartbeats import Component, beat, live_beats
from sweeps.queue.reconcile import ChunkRef
from sweeps.storage.tables import sweep
from sweeps.work.dispatch import LEAST_WINDOW, MESSAGES_PER_SLOT, Dispatcher
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner


class ListQueue:
    """A queue that remembers messages, and refuses them while it is down."""

    def __init__(self) -> None:
        self.sent: list[ChunkRef] = []
        self.down = False

    def publish(self, ref: ChunkRef) -> None:
        if self.down:
            raise QueueUnavailableError("down")
        self.sent.append(ref)


def test_window_bounds_the_messages_and_grows_with_the_workers(engine: sa.Engine) -> None:
    submit(engine, sweep_spec(), size=2)
    queue = ListQueue()
    dispatcher = Dispatcher(engine, queue, "d")
    for _ in range(3):
        dispatcher.step()
    assert len(queue.sent) == LEAST_WINDOW
    with write_transaction(engine) as connection:
        beat(connection, Component.WORKER, "w", slots=5)
    dispatcher.step()
    assert len(queue.sent) == len(set(queue.sent)) == 5 * MESSAGES_PER_SLOT


def test_unclaimed_messages_are_sent_again_after_the_republish_period(engine: sa.Engine) -> None:
    submit(engine, sweep_spec(), size=60)
    queue = ListQueue()
    Dispatcher(engine, queue, "d").step()
    Dispatcher(engine, queue, "d").step()
    assert len(queue.sent) == 2
    Dispatcher(engine, queue, "d", republish_ms=-1).step()
    assert len(queue.sent) == 4


def test_broker_that_is_down_costs_nothing_but_time(engine: sa.Engine) -> None:
    submit(engine, sweep_spec(), size=60)
    queue = ListQueue()
    dispatcher = Dispatcher(engine, queue, "d")
    queue.down = True
    assert dispatcher.step().published == 0
    queue.down = False
    assert dispatcher.step().published == 2


def test_small_sweep_is_served_beside_a_big_one(engine: sa.Engine) -> None:
    submit(engine, sweep_spec(), size=1)
    small = submit(engine, sweep_spec(grid={"perp_leverage": [1, 2]}), size=1)
    queue = ListQueue()
    Dispatcher(engine, queue, "d").step()
    assert [ref.sweep_id for ref in queue.sent].count(small) == 2


def test_sweep_that_comes_later_does_not_wait_for_the_messages_of_a_big_one(engine: sa.Engine) -> None:
    with write_transaction(engine) as connection:
        beat(connection, Component.WORKER, "w", slots=2)
    big = submit(engine, sweep_spec(), size=1)
    queue = ListQueue()
    dispatcher = Dispatcher(engine, queue, "d")
    dispatcher.step()
    assert [ref.ahead for ref in queue.sent] == [False] * (2 * MESSAGES_PER_SLOT)
    small = submit(engine, sweep_spec(grid={"perp_leverage": [1, 2, 3]}), size=1)
    queue.sent.clear()
    dispatcher.step()
    assert [(ref.sweep_id, ref.chunk_id, ref.ahead) for ref in queue.sent] == [
        (small, 0, True),
        (small, 1, True),
    ]
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())
    runner.run(small, 0, "w")
    dispatcher.step()
    assert [(ref.sweep_id, ref.ahead) for ref in queue.sent[2:]] == [(small, True)]
    assert state_of(engine, big) == "queued"


def test_turns_lead_every_sweep_to_its_end_and_then_idle(engine: sa.Engine) -> None:
    spec = sweep_spec()
    sweeps = [submit(engine, spec, size=50), submit(engine, spec, size=120)]
    queue = ListQueue()
    dispatcher = Dispatcher(engine, queue, "d")
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())
    for _ in range(6):
        dispatcher.step()
        while queue.sent:
            ref = queue.sent.pop()
            runner.run(ref.sweep_id, ref.chunk_id, "w")
    assert dispatcher.step().idle
    for sweep_id in sweeps:
        assert state_of(engine, sweep_id) == "completed"
        assert_every_trial_once(engine, sweep_id, spec)


def test_heartbeat_shows_the_dispatcher_until_it_retires(engine: sa.Engine) -> None:
    dispatcher = Dispatcher(engine, ListQueue(), "d")
    dispatcher.step()
    with engine.connect() as connection:
        assert [found.component for found in live_beats(connection)] == [Component.DISPATCHER]
    dispatcher.retire()
    with engine.connect() as connection:
        assert live_beats(connection) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_idle_dispatcher_cuts_the_log_once_the_last_reader_has_gone(engine: sa.Engine) -> None:
    log = Path(f"{engine.url.database}-wal")
    dispatcher = Dispatcher(engine, ListQueue(), "one")
    with engine.connect() as reader:
        reader.execute(sa.select(sweep)).all()
        dispatcher.step()
        assert log.stat().st_size > 0
    dispatcher.step()
    assert log.stat().st_size == 0
