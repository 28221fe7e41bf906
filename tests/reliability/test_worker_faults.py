"""Workers that are killed, halted and told to stop in the middle of their work, on one running service."""

import signal
from functools import partial
from itertools import cycle

import pytest
import sqlalchemy as sa
from harms import harmful
from harness import Installation, kill
from servers import eventually
from service import is_alive
from sweeping import chunks_of, stored_rows, sweep_spec

from bot.market_store.database import open_engine, write_transaction
from sweeps.spec.spec import SweepSpec
from sweeps.storage.tables import job, selection_report

pytestmark = pytest.mark.broker

LARGE = {
    "min_funding_rate": {"start": "0.00001", "stop": "0.0004", "step": "0.00001"},
    "exit_funding_rate": {"start": "0", "stop": "0.0001", "step": "0.00001"},
    "perp_leverage": [1, 3, 5],
}


def slow_spec(trial_ms: float) -> SweepSpec:
    """Return a sweep of 1,320 trials that take so long each."""
    return sweep_spec(name=harmful(trial_ms=trial_ms), grid=LARGE, curves="none")


@pytest.mark.slow
def test_sweep_over_http_without_faults_keeps_the_promise(running: Installation) -> None:
    spec = slow_spec(1)
    sweep_id = running.submit(spec)
    running.wait_until_done(sweep_id)
    running.assert_promise_kept(sweep_id, spec)
    assert {found.token for found in chunks_of(running.engine, sweep_id)} == {1}


def test_pool_process_killed_in_mid_chunk_is_replaced_and_its_neighbour_goes_on(
    running: Installation,
) -> None:
    spec = slow_spec(5)
    sweep_id = running.submit(spec, size=60)
    running.wait_for_rows(sweep_id, 100)
    victim, neighbour = running.working("one")
    kill(victim)
    running.wait_until_done(sweep_id)
    running.assert_promise_kept(sweep_id, spec)
    eventually(lambda: victim not in running.pool("one"), 20, "the process is replaced")
    assert neighbour in running.pool("one")


@pytest.mark.slow
def test_all_workers_killed_and_only_later_started_again(running: Installation) -> None:
    spec = slow_spec(5)
    sweep_id = running.submit(spec, size=60)
    running.wait_for_rows(sweep_id, 100)
    with running.without_workers() as pools:
        eventually(lambda: not any(map(is_alive, pools)), 5, "the pools die with their main processes")
        eventually(lambda: not running.chunks(sweep_id, "running"), 10, "every lease runs out")
        assert running.state(sweep_id) == "running"
    running.wait_until_done(sweep_id)
    running.assert_promise_kept(sweep_id, spec)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_worker_ended_eight_times_under_steady_work_loses_nothing(
    running: Installation, number: signal.Signals
) -> None:
    spec = slow_spec(70)
    sweep_id = running.submit(spec, size=12)
    begun = dict.fromkeys(("one", "two"), 0)
    for _, name in zip(range(8), cycle(("one", "two")), strict=False):
        worker = running.keeper.processes[f"worker-{name}"]
        eventually(partial(has_worked, running, name, begun[name]), 30, f"worker {name} works")
        begun[name] = len(running.service.log_of(f"worker-{name}"))
        kill(worker.pid, number)
        eventually(partial(running.keeper.has_replaced, worker), 45, f"worker {name} has ended")
    assert running.state(sweep_id) == "running"
    running.wait_until_done(sweep_id)
    running.assert_promise_kept(sweep_id, spec)


def has_worked(running: Installation, name: str, since: int) -> bool:
    return " succeeded in " in running.service.log_of(f"worker-{name}")[since:]


def is_halted_in_mid_chunk(running: Installation, sweep_id: int, pids: list[int]) -> bool:
    """Halt worker one, unless none of its processes holds a chunk, or one of them the lock of the file."""
    for pid in pids:
        kill(pid, signal.SIGSTOP)
    engine = open_engine(running.database_url, busy_timeout_ms=500)
    try:
        with write_transaction(engine):
            free = True
    except sa.exc.OperationalError:
        free = False
    finally:
        engine.dispose()
    taken = running.service.log_of("worker-one")
    if free and any(found.owner in taken for found in running.chunks(sweep_id, "running")):
        return True
    for pid in pids:
        kill(pid, signal.SIGCONT)
    return False


def test_halted_worker_that_wakes_after_its_lease_finds_its_chunks_done_and_changes_nothing(
    running: Installation,
) -> None:
    spec = slow_spec(5)
    sweep_id = running.submit(spec, size=60)
    running.wait_for_rows(sweep_id, 100)
    halted = [running.keeper.processes["worker-one"].pid, *running.pool("one")]
    eventually(lambda: is_halted_in_mid_chunk(running, sweep_id, halted), 20, "the worker is halted")
    running.wait_until_done(sweep_id)
    rows = stored_rows(running.engine, sweep_id)
    begun = len(running.service.log_of("worker-one"))
    for pid in halted:
        kill(pid, signal.SIGCONT)
    eventually(lambda: "'lost'" in running.service.log_of("worker-one")[begun:], 60, "the hold is found lost")
    running.assert_promise_kept(sweep_id, spec)
    assert stored_rows(running.engine, sweep_id) == rows
    assert any(found.token > 1 for found in chunks_of(running.engine, sweep_id))


def test_processes_killed_while_a_report_is_made_leave_it_to_others(running: Installation) -> None:
    first = running.submit(sweep_spec(curves="none", validation=False), size=120)
    running.wait_until_done(first)
    # Results that are taken over leave no sums: the report replays the trials, and takes its time for it.
    spec = sweep_spec(name=harmful(trial_ms=25), curves="none", reuse=True)
    sweep_id = running.submit(spec, size=120)
    eventually(lambda: job_of_report(running, sweep_id, "running"), 45, "a process makes the report")
    assert running.state(sweep_id) == "completed"
    killed = [pid for name in ("one", "two") for pid in running.pool(name)]
    for pid in killed:
        kill(pid)
    assert not made(running, sweep_id)
    eventually(lambda: made(running, sweep_id), 60, "the report is made")
    [attempts] = job_of_report(running, sweep_id, "completed")
    assert attempts == 2


def job_of_report(running: Installation, sweep_id: int, state: str) -> list[int]:
    """Return the attempts of the jobs in one state that make the report on a sweep."""
    making = selection_report.c.job_id == job.c.id
    query = sa.select(job.c.attempts).join(selection_report, making)
    with running.engine.connect() as connection:
        mine = query.where(selection_report.c.sweep_id == sweep_id, job.c.state == state)
        return list(connection.execute(mine).scalars())


def made(running: Installation, sweep_id: int) -> bool:
    return "verdict" in running.client.get(f"{running.api}/sweeps/{sweep_id}/selection").json()
