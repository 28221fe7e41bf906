"""A sweep through real processes: submitted, dispatched, replayed, complete, whatever dies on the way."""

import os
import signal
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa
from servers import eventually
from service import is_alive, pool_of, service
from sweeping import (
    assert_every_trial_once,
    chunks_of,
    state_of,
    stored_rows,
    submit,
    sweep_spec,
)

from bot.market_store.database import write_transaction
from sweeps.lifecycle.repository import cancel_sweep, resume_sweep
from sweeps.queue.heartbeats import live_beats
from sweeps.queue.messages import REPLAY_QUEUE
from sweeps.queue.reconcile import ChunkRef
from workers.app import make_app
from workers.publisher import CeleryQueue
from workers.settings import WorkerSettings

pytestmark = pytest.mark.broker


def test_sweep_is_completed_by_dispatcher_and_worker_and_equals_recomputation(
    engine: sa.Engine, database_url: str, broker: str, tmp_path: Path
) -> None:
    spec = sweep_spec(curves="all")
    with service(database_url, broker, tmp_path) as running:
        running.start_dispatcher()
        running.start_worker()
        sweep_id = submit(engine, spec)
        eventually(lambda: state_of(engine, sweep_id) == "completed", 40, "sweep completes")
    assert_every_trial_once(engine, sweep_id, spec)


LONG = {
    "grid": {
        "min_funding_rate": {"start": "0.00001", "stop": "0.0004", "step": "0.00001"},
        "exit_funding_rate": {"start": "0", "stop": "0.0001", "step": "0.00001"},
        "perp_leverage": [1, 3, 5],
    },
    "curves": "none",
}


def test_sigkill_of_a_pool_process_mid_sweep_changes_no_row(
    engine: sa.Engine, database_url: str, broker: str, tmp_path: Path
) -> None:
    spec = sweep_spec(**LONG)
    with service(database_url, broker, tmp_path, republish_s="3") as running:
        running.start_dispatcher()
        worker = running.start_worker()
        victims = pool_of(worker, 2)
        sweep_id = submit(engine, spec, size=100)
        for victim in victims:
            rows = len(stored_rows(engine, sweep_id))
            eventually(lambda seen=rows: len(stored_rows(engine, sweep_id)) > seen, 30, "rows arrive")
            os.kill(victim, signal.SIGKILL)
        eventually(lambda: state_of(engine, sweep_id) == "completed", 40, "sweep completes")
    assert_every_trial_once(engine, sweep_id, spec)


def test_sigkill_of_the_worker_takes_its_pool_along_and_another_worker_finishes(
    engine: sa.Engine, database_url: str, broker: str, tmp_path: Path
) -> None:
    spec = sweep_spec(**LONG)
    with service(database_url, broker, tmp_path, lease_s="3", republish_s="3") as running:
        running.start_dispatcher()
        worker = running.start_worker()
        pool = pool_of(worker, 2)
        sweep_id = submit(engine, spec, size=100)
        eventually(lambda: len(stored_rows(engine, sweep_id)) > 100, 30, "rows arrive")
        worker.send_signal(signal.SIGKILL)
        eventually(lambda: not any(map(is_alive, pool)), 5, "the pool dies with its main process")
        running.start_worker("two")
        eventually(lambda: state_of(engine, sweep_id) == "completed", 40, "sweep completes")
    assert_every_trial_once(engine, sweep_id, spec)


def test_flushed_broker_mid_sweep_loses_nothing(
    engine: sa.Engine, database_url: str, broker: str, tmp_path: Path
) -> None:
    spec = sweep_spec(**LONG)
    with service(database_url, broker, tmp_path, republish_s="2") as running:
        running.start_dispatcher()
        running.start_worker()
        sweep_id = submit(engine, spec, size=60)
        with redis.Redis.from_url(broker) as client:
            for wanted in (100, 400, 800):
                eventually(
                    lambda least=wanted: len(stored_rows(engine, sweep_id)) >= least, 30, "rows arrive"
                )
                client.flushall()
        eventually(lambda: state_of(engine, sweep_id) == "completed", 40, "sweep completes")
    assert_every_trial_once(engine, sweep_id, spec)


def test_same_message_many_times_and_foreign_messages_change_nothing(
    engine: sa.Engine, database_url: str, broker: str, tmp_path: Path
) -> None:
    spec = sweep_spec()
    sweep_id = submit(engine, spec, size=40)
    queue = CeleryQueue(make_app(WorkerSettings(broker_url=broker)))
    for chunk_id in (0, 1, 2, 0, 1, 2, 0, 0, 99, 10**30):
        queue.publish(ChunkRef(sweep_id, chunk_id))
    queue.publish(ChunkRef(sweep_id + 1, 0))
    queue.close()
    with service(database_url, broker, tmp_path) as running:
        running.start_worker()
        running.start_dispatcher()
        eventually(lambda: state_of(engine, sweep_id) == "completed", 40, "sweep completes")
        eventually(lambda: not waiting(broker), 20, "the queue is empty")
    assert [found.token for found in chunks_of(engine, sweep_id)] == [1, 1, 1]
    assert_every_trial_once(engine, sweep_id, spec)


def test_cancelled_sweep_stops_and_resumes_to_the_same_rows(
    engine: sa.Engine, database_url: str, broker: str, tmp_path: Path
) -> None:
    spec = sweep_spec(**LONG)
    with service(database_url, broker, tmp_path, lease_s="1") as running:
        running.start_dispatcher()
        running.start_worker()
        sweep_id = submit(engine, spec, size=100)
        eventually(lambda: len(stored_rows(engine, sweep_id)) >= 100, 30, "rows arrive")
        with write_transaction(engine) as connection:
            cancel_sweep(connection, sweep_id)
        eventually(
            lambda: all(found.state != "running" for found in chunks_of(engine, sweep_id)), 10, "workers stop"
        )
        stopped_at = len(stored_rows(engine, sweep_id))
        assert stopped_at < spec.trial_count
        with write_transaction(engine) as connection:
            resume_sweep(connection, sweep_id)
        eventually(lambda: state_of(engine, sweep_id) == "completed", 40, "sweep completes")
    assert_every_trial_once(engine, sweep_id, spec)


def test_sigterm_ends_dispatcher_and_worker_in_order_and_withdraws_their_heartbeats(
    engine: sa.Engine, database_url: str, broker: str, tmp_path: Path
) -> None:
    with service(database_url, broker, tmp_path) as running:
        dispatcher, worker = running.start_dispatcher(), running.start_worker()
        eventually(lambda: heard_of(engine) == {"dispatcher", "worker"}, 30, "both are heard of")
        for process in (worker, dispatcher):
            process.terminate()
            assert process.wait(20) == 0
    assert heard_of(engine) == set()


def test_dispatcher_refuses_a_file_that_is_no_database_with_one_line(broker: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database at all, but long enough to be read as one" * 30)
    with service(f"sqlite:///{path}", broker, tmp_path) as running:
        assert running.start_dispatcher().wait(20) == 1
        assert running.start_worker().wait(20) not in {0, None}
    for name in ("dispatcher", "worker-one"):
        log = running.log_of(name)
        assert log.strip().splitlines()[-1].startswith("error: the database sqlite")
        assert "Traceback" not in log


def waiting(broker: str) -> int:
    with redis.Redis.from_url(broker) as client:
        return int(client.llen(REPLAY_QUEUE)) + int(client.hlen("unacked"))


def heard_of(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        return {str(found.component) for found in live_beats(connection)}
