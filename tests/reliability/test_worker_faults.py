"""Workers that are killed, halted and told to stop in the middle of their work, on one running service."""

import pytest
from harness import Installation
from servers import eventually
from service import is_alive
from sweeping import chunks_of, sweep_spec

pytestmark = pytest.mark.broker

SPEC = sweep_spec(
    grid={
        "min_funding_rate": {"start": "0.00001", "stop": "0.0004", "step": "0.00001"},
        "exit_funding_rate": {"start": "0", "stop": "0.0001", "step": "0.00001"},
        "perp_leverage": [1, 3, 5],
    },
    curves="none",
)


def test_sweep_over_http_without_faults_keeps_the_promise(running: Installation) -> None:
    sweep_id = running.submit(SPEC)
    running.wait_until_done(sweep_id)
    running.assert_promise_kept(sweep_id, SPEC)
    assert {found.token for found in chunks_of(running.engine, sweep_id)} == {1}


def test_all_workers_killed_and_only_later_started_again(running: Installation) -> None:
    sweep_id = running.submit(SPEC, size=60)
    running.wait_for_rows(sweep_id, 100)
    with running.without_workers() as pools:
        eventually(lambda: not any(map(is_alive, pools)), 5, "the pools die with their main processes")
        eventually(lambda: not running.chunks(sweep_id, "running"), 10, "every lease runs out")
        assert running.state(sweep_id) == "running"
    running.wait_until_done(sweep_id)
    running.assert_promise_kept(sweep_id, SPEC)
