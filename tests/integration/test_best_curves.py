"""Curves of a sweep's best trials: worked out once, when no trials wait any more, whatever ends or breaks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from curving import SPEC, TOP, assert_best_have_curves, best_of, curves_of, free, runner, states_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sweeping import chunks_of, state_of, stored_rows, submit, sweep_spec

from bot.clock import SimulatedClock, SystemClock
from bot.hedges.runs import AnyRun
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.analysis.queries import stored_record, trial_head
from sweeps.lifecycle.deleting import delete_sweep
from sweeps.lifecycle.extend_clone import extend_sweep, extended_spec
from sweeps.lifecycle.repository import cancel_sweep, pause_sweep, resume_sweep
from sweeps.queue.leases import LeaseOutcome, claim_chunk
from sweeps.queue.reconcile import expire_leases
from sweeps.spec.spec import SweepSpec
from sweeps.storage.tables import chunk
from sweeps.watch import TimeLimitError, Unwatched
from sweeps.work import best_curves
from sweeps.work.best_curves import BestCurves
from sweeps.work.chunk_buffer import ChunkBuffer, ChunkLimits
from sweeps.work.kernel_samples import KernelSamples
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner
from sweeps.work.verifying import row_compatibility, verify_trials


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the trials that are replayed for their curves from now on, one run in a slice."""
    found: list[int] = []
    real = best_curves.runs_of

    def noted(spec: SweepSpec, numbers: Sequence[int], windows: WindowCache) -> Iterator[tuple[int, AnyRun]]:
        found.extend(numbers)
        return real(spec, numbers, windows)

    monkeypatch.setattr(best_curves, "runs_of", noted)
    monkeypatch.setattr(best_curves, "PRICES_AT_ONCE", 1)
    return found


@pytest.fixture
def before_slice(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], object]], None]:
    """Return a function that has something done before one slice of curves, by its count from 0."""
    acts: dict[int, Callable[[], object]] = {}
    count = iter(range(1_000))
    real = BestCurves.work_out_some

    def work_out_some(self: BestCurves, buffer: ChunkBuffer, numbers: Sequence[int], limit_s: float) -> bool:
        acts.pop(next(count), lambda: None)()
        return real(self, buffer, numbers, limit_s)

    monkeypatch.setattr(BestCurves, "work_out_some", work_out_some)
    return acts.__setitem__


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Return a function that has replays for curves fail."""

    def fail(error: BaseException) -> None:
        def runs_of(*_: Any) -> Any:
            raise error

        monkeypatch.setattr(best_curves, "runs_of", runs_of)

    return fail


@pytest.fixture
def unsampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no run be known from a sample."""
    monkeypatch.setattr(KernelSamples, "compared", lambda *_: [])


def test_curves_are_worked_out_by_the_chunk_that_ends_last_each_once(
    engine: sa.Engine, replayed: list[int]
) -> None:
    sweep_id = submit(engine, SPEC, size=5)
    for chunk_id in (4, 1, 3, 0):
        assert runner(engine).run(sweep_id, chunk_id, "me") is LeaseOutcome.DONE
        assert replayed == []
    assert runner(engine).run(sweep_id, 2, "me") is LeaseOutcome.DONE
    assert_best_have_curves(engine, sweep_id)
    assert len(replayed) == len(set(replayed)) <= TOP
    assert set(replayed) <= set(best_of(engine, sweep_id))


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(size=st.integers(1, 24), order=st.randoms(use_true_random=False), top=st.integers(1, 30))
def test_curves_are_those_of_the_best_whatever_chunks_end_in_whatever_order(
    shared_engine: sa.Engine, size: int, order: Any, top: int
) -> None:
    spec = sweep_spec(curves={"top": top}, grid=SPEC.document()["grid"])
    sweep_id = submit(shared_engine, spec, size=size)
    ids = [found.id for found in chunks_of(shared_engine, sweep_id)]
    order.shuffle(ids)
    workers = [runner(shared_engine), runner(shared_engine)]
    for chunk_id in ids:
        assert order.choice(workers).run(sweep_id, chunk_id, "me") is LeaseOutcome.DONE
    assert_best_have_curves(shared_engine, sweep_id, spec, top)


def test_sweep_of_one_chunk_stores_trials_and_curves_in_one_transaction(engine: sa.Engine) -> None:
    stored: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("INSERT INTO trial_", "UPDATE trial_", "COMMIT")):
            stored.append(" ".join(statement.split()[:3]))

    sweep_id = submit(engine, SPEC)
    sa.event.listen(engine, "before_cursor_execute", note)
    assert runner(engine).run(sweep_id, 0, "me") is LeaseOutcome.DONE
    assert stored == ["INSERT INTO trial_block", "INSERT INTO trial_curve"]
    assert_best_have_curves(engine, sweep_id)


@pytest.mark.usefixtures("unsampled")
def test_trials_without_curve_yet_have_none_for_readers_and_are_no_difference(engine: sa.Engine) -> None:
    sweep_id = submit(engine, SPEC, size=12)
    assert runner(engine).run(sweep_id, 0, "me") is LeaseOutcome.DONE
    assert set(curves_of(engine, sweep_id).values()) == {(b"", b"")}
    with engine.connect() as connection:
        number = min(curves_of(engine, sweep_id))
        assert trial_head(connection, sweep_id, number).recorded is False
        assert stored_record(connection, sweep_id, number) is None
        found = row_compatibility(connection, sweep_id)
    windows = WindowCache(HistoricalDataStore(engine))
    numbers = sorted(curves_of(engine, sweep_id))
    assert [each for _, each in verify_trials(engine, found, numbers, windows)] == [[]] * TOP


@pytest.mark.usefixtures("unsampled")
def test_chunks_at_work_share_the_curves_and_none_is_worked_out_twice(
    engine: sa.Engine, replayed: list[int], before_slice: Callable[[int, Callable[[], object]], None]
) -> None:
    sweep_id = submit(engine, SPEC, size=12)
    late: list[LeaseOutcome | None] = []
    early: list[int] = []

    def end_another() -> None:
        early.extend(replayed)
        free(engine, sweep_id, 1)
        late.append(runner(engine).run(sweep_id, 1, "other"))
        late_ones = replayed[len(early) :]
        assert len(late_ones) == TOP // 2
        assert late_ones == best_of(engine, sweep_id)[TOP // 2 :]

    with write_transaction(engine) as connection:  # in work, so that the first ends without trials that wait
        connection.execute(chunk.update().where(chunk.c.id == 1).values(state="running"))
    before_slice(1, end_another)
    assert runner(engine).run(sweep_id, 0, "me") is LeaseOutcome.DONE
    assert late == [LeaseOutcome.DONE]
    assert_best_have_curves(engine, sweep_id)
    assert set(replayed) - set(early) <= set(best_of(engine, sweep_id))
    assert len(replayed) - len(early) <= TOP


@pytest.mark.usefixtures("unsampled")
def test_curves_of_trials_that_an_extension_added_are_left_to_who_knows_it(
    engine: sa.Engine, replayed: list[int], before_slice: Callable[[int, Callable[[], object]], None]
) -> None:
    spec = sweep_spec(curves={"top": 40}, grid=SPEC.document()["grid"])
    extended = extended_spec(spec, add_values={"perp_leverage": [3]})

    def extend() -> None:
        with write_transaction(engine) as connection:
            extend_sweep(connection, sweep_id, spec, extended)
        hurried = ChunkLimits(budget_ms=0)
        other = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock(), limits=hurried)
        while chunks_of(engine, sweep_id)[2].trials_done < 8:
            other.run(sweep_id, 2, "other")

    sweep_id = submit(engine, spec, size=12)
    runner(engine).run(sweep_id, 0, "me")
    before_slice(0, extend)
    assert runner(engine).run(sweep_id, 1, "me") is LeaseOutcome.KEPT
    assert max(replayed) < spec.trial_count
    while "pending" in (states := states_of(engine, sweep_id)):
        runner(engine).run(sweep_id, states.index("pending"), "me")
    assert_best_have_curves(engine, sweep_id, extended, 40)


@pytest.mark.usefixtures("unsampled")
def test_ranking_is_read_once_however_many_slices_its_curves_take(
    engine: sa.Engine, replayed: list[int]
) -> None:
    statements: list[str] = []
    sweep_id = submit(engine, SPEC, size=12)
    runner(engine).run(sweep_id, 0, "me")
    sa.event.listen(engine, "before_cursor_execute", lambda *sent: statements.append(sent[2]))
    assert runner(engine).run(sweep_id, 1, "me") is LeaseOutcome.DONE
    assert len(replayed) == TOP
    assert sum(one.startswith("SELECT trial_curve.objective_rank") for one in statements) == 2
    assert_best_have_curves(engine, sweep_id)


class Killed(BaseException):
    """Stands for the end of a process."""


@pytest.mark.usefixtures("unsampled")
def test_process_that_dies_among_curves_leaves_the_rest_to_whoever_takes_its_chunk(
    engine: sa.Engine,
    replayed: list[int],
    before_slice: Callable[[int, Callable[[], object]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def die() -> None:
        raise Killed

    sweep_id = submit(engine, SPEC)
    monkeypatch.setattr(ChunkRunner, "_give_back", lambda *_: None)
    before_slice(2, die)
    with pytest.raises(Killed):
        runner(engine).run(sweep_id, 0, "me")
    stored = [number for number, (equity, _) in curves_of(engine, sweep_id).items() if equity]
    assert sorted(replayed) == sorted(stored)
    assert (len(stored), state_of(engine, sweep_id)) == (2, "running")
    with write_transaction(engine) as connection:
        connection.execute(chunk.update().values(lease_until_ms=1))
    with write_transaction(engine) as connection:
        assert expire_leases(connection) == 1
    assert runner(engine).run(sweep_id, 0, "another") is LeaseOutcome.DONE
    assert sorted(replayed) == sorted(best_of(engine, sweep_id))
    assert_best_have_curves(engine, sweep_id)


def test_lost_chunk_stores_no_curves_and_its_new_owner_all(
    engine: sa.Engine, replayed: list[int], before_slice: Callable[[int, Callable[[], object]], None]
) -> None:
    def lose() -> None:
        free(engine, sweep_id, 0)
        with write_transaction(engine) as connection:
            assert claim_chunk(connection, sweep_id, 0, "another")

    sweep_id = submit(engine, SPEC)
    before_slice(1, lose)
    assert runner(engine).run(sweep_id, 0, "me") is LeaseOutcome.LOST
    assert sum(bool(equity) for equity, _ in curves_of(engine, sweep_id).values()) < TOP
    free(engine, sweep_id, 0)
    assert runner(engine).run(sweep_id, 0, "third") is LeaseOutcome.DONE
    assert_best_have_curves(engine, sweep_id)


@pytest.mark.usefixtures("unsampled")
@pytest.mark.parametrize("slices", [0, 1])
def test_sweep_that_is_deleted_among_its_curves_ends_quietly(
    engine: sa.Engine,
    replayed: list[int],
    before_slice: Callable[[int, Callable[[], object]], None],
    slices: int,
) -> None:
    def delete() -> None:
        with write_transaction(engine) as connection:
            delete_sweep(connection, sweep_id)

    sweep_id = submit(engine, SPEC, size=12)
    runner(engine).run(sweep_id, 0, "me")
    before_slice(slices, delete)
    with structlog.testing.capture_logs() as lines:
        assert runner(engine).run(sweep_id, 1, "me") is LeaseOutcome.LOST
    assert len(replayed) == slices
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("info", "chunk started"),
        ("info", "chunk ended"),
    ]
    assert curves_of(engine, sweep_id) == {}


@pytest.mark.usefixtures("unsampled")
def test_chunk_is_given_back_when_its_time_is_up_and_goes_on_with_the_curves_that_are_missing(
    engine: sa.Engine, replayed: list[int], before_slice: Callable[[int, Callable[[], object]], None]
) -> None:
    clock = SimulatedClock(1_000_000)
    sweep_id = submit(engine, SPEC)
    for count in range(TOP):
        before_slice(count, lambda: clock.advance_to(clock.now_ms() + 2_500))
    assert runner(engine, clock).run(sweep_id, 0, "me") is LeaseOutcome.KEPT
    (found,) = chunks_of(engine, sweep_id)
    assert (found.state, found.attempts, found.trials_done, len(replayed)) == ("pending", 0, 24, 2)
    assert state_of(engine, sweep_id) == "running"
    while runner(engine, clock).run(sweep_id, 0, "me") is not LeaseOutcome.DONE:
        pass
    assert sorted(replayed) == sorted(best_of(engine, sweep_id))
    assert_best_have_curves(engine, sweep_id)


@pytest.mark.parametrize("error", [TimeLimitError(), MemoryError(), RuntimeError("a fault of the plug-in")])
@pytest.mark.parametrize("size", [24, 12])
@pytest.mark.usefixtures("unsampled")
def test_sweep_whose_curves_cannot_be_worked_out_is_completed_without_them(
    engine: sa.Engine, failing: Callable[[BaseException], None], error: BaseException, size: int
) -> None:
    sweep_id = submit(engine, SPEC, size=size)
    failing(error)
    for found in chunks_of(engine, sweep_id):
        assert runner(engine).run(sweep_id, found.id, "me") is LeaseOutcome.DONE
    assert state_of(engine, sweep_id) == "completed"
    assert curves_of(engine, sweep_id) == {}
    assert [row["error_code"] for row in stored_rows(engine, sweep_id)] == [None] * 24


class Limits(Unwatched):
    """Notes how long what may take, and which trials are shown meanwhile."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, Sequence[int]]] = []

    def limited(self, seconds: float, numbers: Sequence[int] = ()) -> AbstractContextManager[None]:
        self.seen.append((seconds, numbers))
        return super().limited(seconds, numbers)


def test_limit_of_a_trial_judges_each_slice_of_curves_and_blames_none(
    engine: sa.Engine, replayed: list[int]
) -> None:
    watch = Limits()
    sweep_id = submit(engine, sweep_spec(**{**SPEC.document(), "trial_timeout_s": 7}), size=24)
    assert runner(engine, watch=watch).run(sweep_id, 0, "me") is LeaseOutcome.DONE
    (_, together), *slices = watch.seen
    assert len(together) == 24
    assert slices == [(7, ())] * TOP
    assert replayed


@pytest.mark.parametrize("end", [cancel_sweep, pause_sweep])
@pytest.mark.usefixtures("unsampled")
def test_ended_sweep_stops_among_its_curves_and_has_them_all_once_it_is_resumed(
    engine: sa.Engine,
    replayed: list[int],
    before_slice: Callable[[int, Callable[[], object]], None],
    end: Callable[[sa.Connection, int], None],
) -> None:
    def end_it() -> None:
        with write_transaction(engine) as connection:
            end(connection, sweep_id)

    sweep_id = submit(engine, SPEC)
    before_slice(1, end_it)
    assert runner(engine).run(sweep_id, 0, "me") is LeaseOutcome.STOPPED
    assert states_of(engine, sweep_id) == ["pending"]
    assert len(replayed) == 2
    with write_transaction(engine) as connection:
        resume_sweep(connection, sweep_id)
    assert runner(engine).run(sweep_id, 0, "me") is LeaseOutcome.DONE
    assert sorted(replayed) == sorted(best_of(engine, sweep_id))
    assert_best_have_curves(engine, sweep_id)


def test_sweep_that_is_extended_among_its_curves_keeps_those_of_the_best_of_all(
    engine: sa.Engine, replayed: list[int], before_slice: Callable[[int, Callable[[], object]], None]
) -> None:
    extended = extended_spec(SPEC, add_values={"perp_leverage": [3]})

    def extend() -> None:
        with write_transaction(engine) as connection:
            extend_sweep(connection, sweep_id, SPEC, extended)

    sweep_id = submit(engine, SPEC)
    before_slice(1, extend)
    assert runner(engine).run(sweep_id, 0, "me") is LeaseOutcome.DONE
    assert len(replayed) <= 2
    assert state_of(engine, sweep_id) == "running"
    for found in chunks_of(engine, sweep_id)[1:]:
        assert runner(engine).run(sweep_id, found.id, "me") is LeaseOutcome.DONE
    assert_best_have_curves(engine, sweep_id, extended)
