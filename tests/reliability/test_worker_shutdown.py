"""Workers that are told to stop: in time, too early, and while their results are being committed."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from harms import COMMITTING, SLOW_COMMIT, harmful
from harness import Installation, installation
from servers import eventually
from sweeping import chunks_of, stored_rows, sweep_spec

from carrygrid.local.programs import WORKER_ENVIRONMENT

pytestmark = pytest.mark.broker

GRID = {
    "min_funding_rate": {"start": "0.00001", "stop": "0.0002", "step": "0.00001"},
    "perp_leverage": [1, 3],
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, market_template: Path) -> Iterator[Installation]:
    """Return a service without workers."""
    with installation(tmp_path_factory.mktemp("shutdown"), market_template, workers=()) as one:
        yield one


@pytest.fixture(autouse=True)
def _no_worker_left(running: Installation) -> Iterator[None]:
    yield
    running.end_unkept_workers()


@pytest.mark.slow
def test_soft_shutdown_longer_than_a_chunk_lets_it_end_and_leaves_nothing_behind(
    running: Installation,
) -> None:
    spec = sweep_spec(name=harmful(trial_ms=50), grid=GRID, curves="none")
    worker = running.start_worker("patient", CARRYGRID_SOFT_SHUTDOWN_S="4", **WORKER_ENVIRONMENT)
    sweep_id = running.submit(spec, size=20)
    eventually(lambda: len(running.chunks(sweep_id, "running")) == 2, 20, "both chunks are in work")
    worker.terminate()
    assert worker.wait(20) == 0
    assert {found.token for found in chunks_of(running.engine, sweep_id)} == {1}
    assert running.broker.taken() == set()
    running.wait_until_done(sweep_id)
    running.assert_promise_kept(sweep_id, spec)


def test_soft_shutdown_shorter_than_a_chunk_gives_it_back_at_once(running: Installation) -> None:
    spec = sweep_spec(name=harmful(trial_ms=500), grid=GRID, curves="none")
    worker = running.start_worker("hasty", CARRYGRID_SOFT_SHUTDOWN_S="1", **WORKER_ENVIRONMENT)
    sweep_id = running.submit(spec, size=20)
    eventually(lambda: len(running.chunks(sweep_id, "running")) == 2, 20, "both chunks are in work")
    worker.terminate()
    assert worker.wait(30) == 0
    assert running.broker.taken() == set()
    assert len(running.chunks(sweep_id, "done")) == 0
    assert running.rows(sweep_id) < spec.trial_count
    running.start_worker("successor")
    running.wait_until_done(sweep_id)
    running.assert_promise_kept(sweep_id, spec)


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGKILL])
def test_results_of_a_commit_cut_off_are_there_completely_or_not_at_all(
    running: Installation, number: signal.Signals
) -> None:
    spec = sweep_spec(name=harmful(trial_ms=1), grid=GRID, curves="none")
    name = f"cut-{number}"
    worker = running.start_worker(name, **{SLOW_COMMIT: "1.5"})
    sweep_id = running.submit(spec, size=20)
    eventually(lambda: COMMITTING in running.service.log_of(f"worker-{name}"), 20, "results are committed")
    os.kill(worker.pid, number)
    worker.wait(20)
    rows = {row["number"] for row in stored_rows(running.engine, sweep_id)}
    for found in chunks_of(running.engine, sweep_id):
        stored = len(rows & set(range(found.lo, found.hi)))
        assert (found.state == "done", stored) in {(True, 20), (False, 0)}
    running.start_worker(f"after-{number}")
    running.wait_until_done(sweep_id)
    running.assert_promise_kept(sweep_id, spec)
