"""Lost messages are sent again: each loss here leaves work undone once that is switched off."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from harms import harmful
from harness import NEVER, Installation, installation
from replay_lists import REPLAY_LISTS
from servers import eventually
from service import Process
from sweeping import sweep_spec

from bot.market_store.database import write_transaction
from sweeps.storage.tables import chunk
from sweeps.work.dispatch import Dispatcher
from workers.app import make_app
from workers.publisher import CeleryQueue
from workers.settings import WorkerSettings

pytestmark = pytest.mark.broker

SPEC = sweep_spec(
    name=harmful(trial_ms=2),
    grid={
        "min_funding_rate": {"start": "0.00001", "stop": "0.0004", "step": "0.00001"},
        "exit_funding_rate": {"start": "0", "stop": "0.0001", "step": "0.00001"},
        "perp_leverage": [1, 3, 5],
    },
    curves="none",
)

Lose = Callable[[Installation], int]


def stop_publish_kill(running: Installation) -> int:
    """Stop a worker that waits at the broker, let messages go out, kill it; return the sweep.

    The broker hands a message to the stopped worker, which never writes down that it has it.
    """
    dispatcher = running.keeper.forsake("dispatcher")
    dispatcher.kill()
    dispatcher.wait()
    sweep_id = running.submit(SPEC, size=440)
    worker = running.start_worker("stopped")
    eventually(lambda: is_asked_for_messages(running), 30, "the worker waits at the broker")
    queue = CeleryQueue(make_app(WorkerSettings(broker_url=running.broker.url)))
    by_hand = Dispatcher(running.engine, queue, "by hand")
    eventually(lambda: is_one_message_lost(worker, by_hand, running), 20, "a message is lost")
    by_hand.retire()
    queue.close()
    worker.kill()
    worker.wait()
    running.keeper.keep("dispatcher", running.service.start_dispatcher)
    running.start_worker("two")
    return sweep_id


def is_one_message_lost(worker: Process, by_hand: Dispatcher, running: Installation) -> bool:
    """Return whether the stopped worker got a message; if it had just ceased to ask, all is as before."""
    worker.send_signal(signal.SIGSTOP)
    assert by_hand.step().published == 3
    if running.broker.waiting() == 2:
        return True
    with running.broker.client() as client:
        client.delete(*REPLAY_LISTS)
    with write_transaction(running.engine) as connection:
        connection.execute(chunk.update().values(published_ms=None))
    worker.send_signal(signal.SIGCONT)
    return False


def is_asked_for_messages(running: Installation) -> bool:
    with running.broker.client() as client:
        return any(found["cmd"] == "brpop" for found in client.client_list())


def flush(running: Installation) -> int:
    """Empty the broker while chunks run and messages wait; return the sweep."""
    running.start_worker("one")
    sweep_id = running.submit(SPEC, size=60)
    running.wait_for_rows(sweep_id, 60)
    eventually(running.broker.waiting, 10, "messages wait")
    with running.broker.client() as client:
        client.flushall()
    return sweep_id


@pytest.mark.parametrize("lose", [stop_publish_kill, flush])
def test_lost_messages_are_sent_again_and_the_sweep_is_completed(
    tmp_path: Path, market_template: Path, lose: Lose
) -> None:
    with installation(tmp_path, market_template, workers=()) as running:
        sweep_id = lose(running)
        running.wait_until_done(sweep_id)
        running.assert_promise_kept(sweep_id, SPEC)


@pytest.mark.slow
@pytest.mark.parametrize("lose", [stop_publish_kill, flush])
def test_without_sending_again_the_same_loss_leaves_trials_undone(
    tmp_path: Path, market_template: Path, lose: Lose
) -> None:
    with installation(tmp_path, market_template, workers=(), republish_s=NEVER) as running:
        sweep_id = lose(running)
        running.assert_stays_undone(sweep_id, SPEC)
