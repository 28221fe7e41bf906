"""Faults of every kind in random order while sweeps are submitted; and what they cost without repetition."""

from functools import partial
from itertools import count
from pathlib import Path
from random import Random

import httpx2
import pytest
from chaos import FAULTS, Chaos
from harms import harmful
from harness import NEVER, Installation, installation, pause
from servers import eventually
from sweeping import sweep_spec

from sweeps.spec.spec import SweepSpec

pytestmark = pytest.mark.broker

GRID = {
    "min_funding_rate": {"start": "0.00001", "stop": "0.0004", "step": "0.00001"},
    "exit_funding_rate": {"start": "0", "stop": "0.0001", "step": "0.00001"},
}
HEALTHY = sweep_spec(name=harmful(trial_ms=60), grid=GRID, curves="none")
POISONED = sweep_spec(name=harmful(trial_ms=60, t177="exit"), grid=GRID, curves="none")
SMALL = sweep_spec(name=harmful(trial_ms=5), grid={"perp_leverage": [1, 2, 3, 4]}, curves="none")


def submitted(running: Installation, spec: SweepSpec, key: str) -> int | None:
    """Return the sweep that the API took under this key, or None if it gave no answer."""
    try:
        return running.submit(spec, key=key)
    except httpx2.TransportError:
        return None


def assert_survived(folder: Path, market: Path, random: Random, faults: list[str]) -> None:
    """Inject the faults while sweeps are submitted, and check that every sweep taken is done in the end."""
    keys = map(str, count(1))
    with installation(folder, market) as running:
        chaos = Chaos(running, random)
        large = running.submit(POISONED, size=2)
        accepted: list[int] = []
        for fault in faults:
            chaos.strike(fault)
            pause(random.uniform(0.3, 1.0))
            answered = partial(submitted, running, SMALL, next(keys))
            accepted.append(eventually(answered, 30, "the API takes a sweep"))
        chaos.settle()
        assert len(set(accepted)) == len(faults)
        running.wait_until_done(large, seconds=100)
        for sweep_id in accepted:
            running.wait_until_done(sweep_id)
        for sweep_id in accepted:
            running.assert_promise_kept(sweep_id, SMALL)
        running.assert_promise_kept(large, POISONED, given_up={177: "quarantined"})


def test_every_fault_after_another_loses_nothing_and_does_nothing_twice(
    tmp_path: Path, market_template: Path
) -> None:
    random = Random(20261122)
    quick = sorted(FAULTS.keys() - {"silence the connections to the broker"})
    random.shuffle(quick)
    assert_survived(tmp_path, market_template, random, quick)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1, 7])
def test_ninety_seconds_of_random_faults_lose_nothing_and_do_nothing_twice(
    tmp_path: Path, market_template: Path, seed: int
) -> None:
    random = Random(seed)
    faults = random.choices(sorted(FAULTS), k=60)
    assert_survived(tmp_path, market_template, random, faults)


@pytest.mark.slow
def test_without_sending_again_random_faults_leave_trials_undone(
    tmp_path: Path, market_template: Path
) -> None:
    with installation(tmp_path, market_template, republish_s=NEVER) as running:
        chaos = Chaos(running, Random(5))
        sweep_id = running.submit(HEALTHY, size=4)
        running.wait_for_rows(sweep_id, 8)
        eventually(running.broker.waiting, 20, "messages wait")
        for name in ("empty the broker", "kill a pool process", "kill a worker", "kill the dispatcher"):
            chaos.strike(name)
            pause(chaos.random.uniform(0.5, 1.0))
        running.assert_stays_undone(sweep_id, HEALTHY)
