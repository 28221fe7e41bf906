"""Trials that end, hang, starve or confuse their process: each fails alone, and the workers serve others."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from harms import CHILD_MEMORY, harmful
from harness import Installation, installation
from servers import eventually
from service import children, is_alive
from sweeping import chunks_of, stored_rows, sweep_spec

from bot.kernel.loading import usable
from sweeps.queue.leases import ATTEMPT_LIMIT

pytestmark = pytest.mark.broker

GRID = {
    "min_funding_rate": {"start": "0.00001", "stop": "0.0002", "step": "0.00001"},
    "perp_leverage": [1, 3, 5, 10],
}
OUTCOMES = {
    "kill": ("quarantined", "its worker process was killed with SIGKILL: by the system, as it does when"),
    "segfault": ("quarantined", "its worker process crashed with SIGSEGV, as native code does"),
    "exit": ("quarantined", "its worker process ended itself with status 11"),
    "system_exit": ("quarantined", "SystemExit: 3"),
    "interrupt": ("quarantined", "KeyboardInterrupt"),
    "odd": ("quarantined", "OddError"),
    "memory": ("memory", "needs more memory"),
    "memory_error": ("memory", "needs more memory"),
    "recursion": ("internal_error", "RecursionError"),
}
ENDLESS = {
    "hang": ("timeout", "took longer than 3 s, the limit of a trial (trial_timeout_s)"),
    "deaf": ("timeout", "took longer than 3 s, the limit of a trial (trial_timeout_s)"),
    "stone": ("timeout", "hung: it did not stop at its limit of 3 s (trial_timeout_s)"),
    "wedge": ("timeout", "hung: it did not stop at its limit of 3 s (trial_timeout_s)"),
}
SIZE = 5


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, market_template: Path) -> Iterator[Installation]:
    """Return a service with one worker, whose trials may take 3 s."""
    folder = tmp_path_factory.mktemp("poison")
    limits = {"trial_timeout_s": "3", "lease_s": "10"}
    with installation(folder, market_template, workers=["one"], processes=3, **limits) as one:
        yield one


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("outcomes", "size"), [(OUTCOMES, SIZE), (ENDLESS, 1)], ids=["harmful", "endless"])
def test_trials_that_do_harm_fail_alone_and_no_worker_dies_of_them(
    running: Installation, outcomes: dict[str, tuple[str, str]], size: int
) -> None:
    harms = {at * size + at % size: harm for at, harm in enumerate(outcomes)}
    spec = sweep_spec(
        name=harmful(**{f"t{number}": harm for number, harm in harms.items()}), grid=GRID, curves="none"
    )
    worker = running.keeper.processes["worker-one"]
    sweep_id, other = running.submit(spec, size=size), running.submit(sweep_spec(grid=GRID), size=SIZE)
    running.wait_until_done(other, seconds=90)
    running.wait_until_done(sweep_id, seconds=240)
    given_up = {number: outcomes[harm][0] for number, harm in harms.items()}
    running.assert_promise_kept(sweep_id, spec, given_up=given_up)
    errors = {row["number"]: row["error"] for row in stored_rows(running.engine, sweep_id)}
    assert [harm for number, harm in harms.items() if outcomes[harm][1] not in errors[number]] == []
    assert running.keeper.processes["worker-one"] is worker
    assert running.keeper.deaths == []
    claims = sum(found.token for found in chunks_of(running.engine, sweep_id))
    assert claims <= spec.trial_count // size + len(harms) * (2 * ATTEMPT_LIMIT + 2)


def test_trials_that_crash_the_kernel_are_replayed_plainly(running: Installation) -> None:
    """Each costs one process; the next takes the trials of that chunk one by one, by the plain replay."""
    spec = sweep_spec(name=harmful(t2="kernel", t41="kernel"), grid=GRID, curves="none")
    worker = running.keeper.processes["worker-one"]
    sweep_id = running.submit(spec, size=20)
    running.wait_until_done(sweep_id, seconds=90)
    running.assert_promise_kept(sweep_id, spec)
    chunks, attempts = chunks_of(running.engine, sweep_id), 1 if usable() is None else 2
    assert [found.token for found in chunks] == [attempts, 1, attempts, 1]
    assert usable() is None or "SIGSEGV" in chunks[0].last_error
    assert running.keeper.processes["worker-one"] is worker
    assert running.keeper.deaths == []


def test_memory_error_around_the_trials_ends_no_worker(running: Installation) -> None:
    spec = sweep_spec(name=harmful(outside="memory_error"), grid={"perp_leverage": [1]}, curves="none")
    worker = running.keeper.processes["worker-one"]
    sweep_id, other = running.submit(spec, size=1), running.submit(sweep_spec(grid=GRID), size=SIZE)
    running.wait_until_done(other, seconds=90)
    eventually(lambda: running.state(sweep_id) == "failed", 20, "the sweep is given up")
    (row,) = stored_rows(running.engine, sweep_id)
    assert row["error_code"] == "quarantined"
    assert "MemoryError" in row["error"]
    assert running.keeper.processes["worker-one"] is worker
    assert running.keeper.deaths == []


def test_process_whose_trials_leak_is_replaced_between_tasks(running: Installation) -> None:
    limit_kib = 150_000
    spec = sweep_spec(name=harmful(all="leak"), grid=GRID, curves="none")
    with running.without_workers(["one"]):
        worker = running.start_worker("leaking", **{CHILD_MEMORY: str(limit_kib)})
        first = set(children(worker.pid))
        sweep_id = running.submit(spec, size=4)
        seen: dict[int, int] = {}

        def is_done() -> bool:
            for pid in filter(is_alive, children(worker.pid)):
                seen[pid] = max(seen.get(pid, 0), resident_kib(pid))
            return running.state(sweep_id) == "completed"

        eventually(is_done, 60, "the sweep completes")
        assert worker.poll() is None
        replaced = first - set(children(worker.pid))
        worker.kill()
    running.assert_promise_kept(sweep_id, spec)
    assert replaced
    one_chunk_kib = 4 * 5 * 1024
    assert max(seen.values()) < limit_kib + 2 * one_chunk_kib


def resident_kib(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
