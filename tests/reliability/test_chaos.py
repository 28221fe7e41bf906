"""Faults of every kind in random order while sweeps are submitted; and what they cost without repetition."""

from functools import partial
from itertools import count
from pathlib import Path
from random import Random

import httpx2
import pytest
from chaos import Chaos
from harms import harmful
from harness import NEVER, Installation, installation, pause
from servers import eventually
from sweeping import sweep_spec

from sweeps.spec import SweepSpec

pytestmark = pytest.mark.broker

LARGE = sweep_spec(
    name=harmful(trial_ms=25, t777="exit"),
    grid={
        "min_funding_rate": {"start": "0.00001", "stop": "0.0004", "step": "0.00001"},
        "exit_funding_rate": {"start": "0", "stop": "0.0001", "step": "0.00001"},
        "perp_leverage": [1, 3, 5],
    },
    curves="none",
)
SMALL = sweep_spec(name=harmful(trial_ms=5), grid={"perp_leverage": [1, 2, 3, 4]}, curves="none")


def submitted(running: Installation, spec: SweepSpec, key: str) -> int | None:
    """Return the sweep that the API took under this key, or None if it gave no answer."""
    try:
        return running.submit(spec, key=key)
    except httpx2.TransportError:
        return None


@pytest.mark.parametrize(
    ("seed", "faults"),
    [
        (20261122, 8),
        pytest.param(1, 60, marks=[pytest.mark.slow, pytest.mark.timeout(400)]),
        pytest.param(7, 60, marks=[pytest.mark.slow, pytest.mark.timeout(400)]),
    ],
)
def test_random_faults_lose_nothing_and_do_nothing_twice(
    tmp_path: Path, market_template: Path, seed: int, faults: int
) -> None:
    keys = map(str, count(1))
    with installation(tmp_path, market_template) as running:
        chaos = Chaos(running, Random(seed))
        large = running.submit(LARGE, size=15)
        accepted: list[int] = []
        for _ in range(faults):
            chaos.strike()
            pause(chaos.random.uniform(0.5, 2.0))
            answered = partial(submitted, running, SMALL, next(keys))
            accepted.append(eventually(answered, 30, "the API takes a sweep"))
        chaos.settle()
        assert len(set(accepted)) == faults
        running.wait_until_done(large, seconds=100)
        for sweep_id in accepted:
            running.wait_until_done(sweep_id)
            running.assert_promise_kept(sweep_id, SMALL)
        running.assert_promise_kept(large, LARGE, given_up={777: "quarantined"})
        assert chaos.injected.total() >= faults


def test_without_sending_again_random_faults_leave_trials_undone(
    tmp_path: Path, market_template: Path
) -> None:
    with installation(tmp_path, market_template, republish_s=NEVER) as running:
        chaos = Chaos(running, Random(5))
        sweep_id = running.submit(LARGE, size=15)
        running.wait_for_rows(sweep_id, 15)
        eventually(running.broker.waiting, 20, "messages wait")
        for name in ("empty the broker", "kill a pool process", "kill a worker", "kill the dispatcher"):
            chaos.strike(name)
            pause(chaos.random.uniform(0.5, 1.0))
        eventually(lambda: running.is_stuck(sweep_id), 50, "nothing moves any more")
        undone = running.published(sweep_id)
        running.wait_for_turns_of_the_dispatcher(ms=4_000)
        assert running.is_stuck(sweep_id)
        assert running.published(sweep_id) == undone
        assert running.state(sweep_id) == "running"
        assert running.rows(sweep_id) < LARGE.trial_count
