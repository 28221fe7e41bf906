"""Trials that take longer than a lease, with the settings that are shipped."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from harms import BUSY_S, harmful
from harness import Installation, installation
from servers import eventually
from sweeping import BASE, chunks_of, stored_rows, sweep_spec

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(400)]

GRID = {"perp_leverage": [1, 3, 5]}
SHIPPED = {"lease_s": "30", "republish_s": "30"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, market_template: Path) -> Iterator[Installation]:
    """Return a service with one worker of one process, as shipped."""
    folder = tmp_path_factory.mktemp("slow")
    with installation(folder, market_template, workers=["one"], processes=1, **SHIPPED) as one:
        yield one


def test_trial_longer_than_a_lease_is_completed_at_once_and_a_backtest_does_not_wait_for_it(
    running: Installation,
) -> None:
    spec = sweep_spec(name=harmful(t1="busy"), grid=GRID, curves="none")
    sweep_id = running.submit(spec, size=3)
    eventually(lambda: running.chunks(sweep_id, "running"), 30, "the chunk is in work")
    job = running.client.post(f"{running.api}/backtests", json=BASE)
    assert job.status_code == 202, job.text
    url = f"{running.api}{job.headers['Location']}"
    eventually(lambda: running.client.get(url).json()["state"] == "completed", BUSY_S, "the backtest is done")
    assert running.state(sweep_id) == "running"
    running.wait_until_done(sweep_id, seconds=240)
    running.assert_promise_kept(sweep_id, spec)
    assert "lease ran out" not in "".join(
        found.last_error or "" for found in chunks_of(running.engine, sweep_id)
    )
    assert running.keeper.deaths == []


def test_trial_that_hangs_in_native_code_costs_its_own_limit_once(running: Installation) -> None:
    spec = sweep_spec(name=harmful(t1="wedge"), grid=GRID, curves="none", trial_timeout_s=35)
    sweep_id = running.submit(spec, size=1)
    running.wait_until_done(sweep_id, seconds=240)
    running.assert_promise_kept(sweep_id, spec, given_up={1: "timeout"})
    assert "hung: it did not stop at its limit of 35 s" in stored_rows(running.engine, sweep_id)[1]["error"]
    assert [found.token for found in chunks_of(running.engine, sweep_id)] == [1, 2, 1]
