"""Sizes of batches from chunk to chunk of a sweep."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from curving import free
from sweeping import stored_rows, submit, sweep_spec

from bot.clock import SimulatedClock
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.queue.leases import LeaseOutcome, claim_chunk
from sweeps.storage.tables import replay_rate
from sweeps.watch import TimeLimitError, Unwatched
from sweeps.work import replay
from sweeps.work.chunk_buffer import ChunkLimits
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

SPEC = sweep_spec(grid={"perp_leverage": {"start": "1", "stop": "12", "step": "1"}}, curves="none")
"""12 trials."""


class Batches(Unwatched):
    """Notes how many trials go together, or alone."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def limited(self, seconds: float, numbers: Sequence[int] = ()) -> AbstractContextManager[None]:
        self.sizes.append(len(numbers))
        return super().limited(seconds, numbers)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(1_000_000)


@pytest.fixture
def watch() -> Batches:
    return Batches()


@pytest.fixture
def runner(engine: sa.Engine, clock: SimulatedClock, watch: Batches) -> ChunkRunner:
    windows = WindowCache(HistoricalDataStore(engine))
    return ChunkRunner(engine, windows, clock, limits=ChunkLimits(max_batch=1_000), watch=watch)


def run_chunk(runner: ChunkRunner, watch: Batches, sweep_id: int, chunk_id: int) -> list[int]:
    """Run a chunk to its end; returns how many trials went together each time."""
    watch.sizes.clear()
    while runner.run(sweep_id, chunk_id, "me") is not LeaseOutcome.DONE:
        pass
    return watch.sizes[:]


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch, clock: SimulatedClock) -> Callable[[Callable[[], int]], None]:
    """Return a function that says how many milliseconds the trials take that are asked for next."""

    def take(elapsed_ms: Callable[[], int]) -> None:
        def prepared(*arguments: Any) -> Any:
            clock.advance_to(clock.now_ms() + elapsed_ms())
            return groups(*arguments)

        monkeypatch.setattr(replay, "window_groups", prepared)

    groups = replay.window_groups
    return take


def test_trials_go_together_again_after_a_chunk_that_had_lost_its_process(
    engine: sa.Engine, runner: ChunkRunner, watch: Batches, slowly: Any
) -> None:
    sweep_id = submit(engine, SPEC, size=6)
    with write_transaction(engine) as connection:
        assert claim_chunk(connection, sweep_id, 0, "killed")
    free(engine, sweep_id, 0)
    slowly(lambda: 700)  # replayed plainly; the kernel would take a fraction of that
    assert run_chunk(runner, watch, sweep_id, 0) == [1] * 6
    assert run_chunk(runner, watch, sweep_id, 1) == [6]


def test_batch_that_took_too_long_makes_the_next_an_eighth_of_it_and_not_one_by_one_for_ever(
    engine: sa.Engine, runner: ChunkRunner, watch: Batches, slowly: Any, clock: SimulatedClock
) -> None:
    spec = sweep_spec(grid={"perp_leverage": {"start": "1", "stop": "20", "step": "1"}}, curves="none")
    sweep_id = submit(engine, spec, size=16)
    calls = count()

    def halted_once() -> int:
        if next(calls) == 0:
            clock.advance_to(clock.now_ms() + 20_000)
            raise TimeLimitError
        return 700

    slowly(halted_once)
    assert run_chunk(runner, watch, sweep_id, 0) == [16] + [1] * 8 + [2] * 4
    assert run_chunk(runner, watch, sweep_id, 1) == [2, 2]


def test_batch_that_was_halted_for_an_hour_makes_the_next_an_eighth_of_it(
    engine: sa.Engine, runner: ChunkRunner, watch: Batches, slowly: Any
) -> None:
    spec = sweep_spec(grid={"perp_leverage": {"start": "1", "stop": "20", "step": "1"}}, curves="none")
    sweep_id = submit(engine, spec, size=16)
    slowly(lambda: 3_600_000)
    assert run_chunk(runner, watch, sweep_id, 0) == [16]
    slowly(lambda: 1)
    assert run_chunk(runner, watch, sweep_id, 1) == [2, 2]


def test_few_trials_that_were_halted_make_the_next_go_by_twos(
    engine: sa.Engine, runner: ChunkRunner, watch: Batches, slowly: Any
) -> None:
    sweep_id = submit(engine, SPEC, size=6)
    slowly(lambda: 19_000)
    assert run_chunk(runner, watch, sweep_id, 0) == [6]
    slowly(lambda: 700)
    assert run_chunk(runner, watch, sweep_id, 1) == [2, 2, 2]


def test_chunks_of_one_trial_measure_what_the_kernel_takes(
    engine: sa.Engine, runner: ChunkRunner, watch: Batches, slowly: Any
) -> None:
    sweep_id = submit(engine, SPEC, size=1)
    slowly(lambda: 5)
    for chunk_id in (0, 1):  # the first one reads the window
        assert run_chunk(runner, watch, sweep_id, chunk_id) == [1]
    with engine.connect() as connection:
        measured = [
            tuple(row) for row in connection.execute(sa.select(replay_rate.c.strategy, replay_rate.c.busy_ms))
        ]
    assert measured == [("simple by kernel", 5)]


def test_trial_that_is_alone_in_its_chunk_has_its_limit_once(
    engine: sa.Engine, runner: ChunkRunner, watch: Batches, slowly: Any
) -> None:
    def hang() -> int:
        raise TimeLimitError

    sweep_id = submit(engine, SPEC, size=1)
    slowly(hang)
    assert run_chunk(runner, watch, sweep_id, 0) == [1]
    assert [row["error_code"] for row in stored_rows(engine, sweep_id)] == ["timeout"]
