"""Workers that are unlike the others: another version of the engine, a clock that is wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from altered import CLOCK_AHEAD, ENGINE_VERSION
from harms import harmful
from harness import Installation, installation
from servers import eventually
from sweeping import chunks_of, sweep_spec

pytestmark = pytest.mark.broker

GRID = {"min_funding_rate": {"start": "0.00001", "stop": "0.0002", "step": "0.00001"}}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, market_template: Path) -> Iterator[Installation]:
    """Return a service without workers, that gives messages up only when a clock is wrong."""
    folder = tmp_path_factory.mktemp("unlike")
    with installation(folder, market_template, workers=(), processes=1, lease_s="60") as one:
        yield one


@pytest.fixture(autouse=True)
def _no_worker_left(running: Installation) -> Iterator[None]:
    yield
    running.end_unkept_workers()


def test_worker_of_another_engine_version_leaves_the_sweep_to_those_of_its_own(
    running: Installation,
) -> None:
    spec = sweep_spec(grid=GRID, curves="none")
    running.start_worker("stranger", **{ENGINE_VERSION: "0.9.0"})
    sweep_id = running.submit(spec, size=5)
    eventually(
        lambda: running.service.log_of("worker-stranger").count(": 'unavailable'") >= 4,
        20,
        "every message has been refused",
    )
    assert (running.state(sweep_id), running.rows(sweep_id)) == ("queued", 0)
    assert {(found.state, found.attempts) for found in chunks_of(running.engine, sweep_id)} == {
        ("pending", 0)
    }
    running.start_worker("own")
    running.wait_until_done(sweep_id)
    running.assert_promise_kept(sweep_id, spec)


@pytest.mark.slow
def test_worker_whose_clock_is_an_hour_ahead_takes_the_work_of_nobody(running: Installation) -> None:
    spec = sweep_spec(name=harmful(trial_ms=800), grid=GRID, curves="none")
    sweep_id = running.submit(spec, size=20)
    running.start_worker("punctual")
    eventually(lambda: running.chunks(sweep_id, "running"), 20, "the chunk is in work")
    running.start_worker("early", **{CLOCK_AHEAD: "3600"})
    eventually(
        lambda: ": 'unavailable'" in running.service.log_of("worker-early"),
        15,
        "the message is handed out again",
    )
    assert running.chunks(sweep_id, "running")
    running.wait_until_done(sweep_id)
    running.assert_promise_kept(sweep_id, spec)
    assert [found.token for found in chunks_of(running.engine, sweep_id)] == [1]
