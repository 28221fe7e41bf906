"""Misbehaving trials in a worker, by exceptions of every kind."""

import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from sweeping import BASE, assert_every_trial_once, chunks_of, stored_rows, submit, sweep_spec

from bot.backtest import RunResult
from bot.clock import SimulatedClock
from bot.errors import InsufficientDataError
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.errors import ResultRangeError
from sweeps.queue.leases import LeaseOutcome, claim_chunk
from sweeps.queue.reconcile import expire_leases
from sweeps.storage.tables import chunk, trial_curve
from sweeps.watch import TimeLimitError, Unwatched
from sweeps.work import replay as replay_module
from sweeps.work.chunk_buffer import ChunkBuffer, ChunkLimits
from sweeps.work.replay import WindowCache, window_groups
from sweeps.work.runner import ChunkRunner

SPEC = sweep_spec(grid={"perp_leverage": [1, 2, 3, 4, 5, 6]}, curves="none")


class TooLongError(Exception):
    """Stands for the task queue's soft time limit."""


class OddError(BaseException):
    """Nothing that anybody expects."""


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(1_000_000)


@pytest.fixture
def runner(engine: sa.Engine, clock: SimulatedClock) -> ChunkRunner:
    windows = WindowCache(HistoricalDataStore(engine))
    return ChunkRunner(engine, windows, clock, interrupts=(TooLongError,), limits=ChunkLimits(max_batch=1))


@pytest.fixture
def misbehave(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], Any]], None]:
    """Return a function that makes one trial do something else."""
    acts: dict[int, Callable[[], Any]] = {}

    def act_or_group(spec: Any, numbers: Sequence[int]) -> Any:
        for number in numbers:
            if number in acts:
                acts[number]()
        return window_groups(spec, numbers)

    monkeypatch.setattr(replay_module, "window_groups", act_or_group)
    return acts.__setitem__


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "memory"),
        (RecursionError("deep"), "internal_error"),
        (ZeroDivisionError("oops \ud800 \x00"), "internal_error"),
    ],
)
def test_broken_trial_fails_alone_and_keeps_its_message(
    engine: sa.Engine, runner: ChunkRunner, misbehave: Any, error: BaseException, code: str
) -> None:
    sweep_id = submit(engine, SPEC)
    misbehave(2, raising(error))
    assert runner.run(sweep_id, 0, "me") is LeaseOutcome.DONE
    rows = stored_rows(engine, sweep_id)
    assert [row["error_code"] for row in rows] == [None, None, code, None, None, None]
    assert rows[2]["error"]


def test_trial_whose_curve_cannot_be_kept_has_one_row_that_says_so(
    engine: sa.Engine, runner: ChunkRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = ChunkBuffer.keep_curve

    def keep_or_fail(buffer: ChunkBuffer, numbers: Sequence[int], run: RunResult) -> None:
        if 2 in numbers:
            raise ResultRangeError("equity 1E+12 is too large")
        keep(buffer, numbers, run)

    monkeypatch.setattr(ChunkBuffer, "keep_curve", keep_or_fail)
    sweep_id = submit(engine, sweep_spec(grid={"perp_leverage": [1, 2, 3, 4, 5, 6]}, curves="all"))
    assert runner.run(sweep_id, 0, "me") is LeaseOutcome.DONE
    rows = stored_rows(engine, sweep_id)
    assert [row["error_code"] for row in rows] == [None, None, "out_of_range", None, None, None]
    (found,) = chunks_of(engine, sweep_id)
    assert (found.trials_done, found.trials_failed) == (6, 1)


def test_trial_at_its_limit_is_recorded_and_the_rest_given_back(
    engine: sa.Engine, runner: ChunkRunner, misbehave: Any, clock: SimulatedClock
) -> None:
    def hang() -> None:
        clock.advance_to(clock.now_ms() + 600_000)
        raise TimeLimitError

    sweep_id = submit(engine, SPEC)
    misbehave(2, hang)
    runner.run(sweep_id, 0, "me")
    rows = stored_rows(engine, sweep_id)
    assert [row["error_code"] for row in rows] == [None, None, "timeout"]
    assert rows[2]["error"] == "took longer than 600 s, the limit of a trial (trial_timeout_s)"
    assert chunks_of(engine, sweep_id)[0].state == "pending"
    assert runner.run(sweep_id, 0, "me") is LeaseOutcome.DONE


class Limits(Unwatched):
    """Notes how long what may take."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, int]] = []
        self.claims: list[tuple[int, int, int]] = []

    def claimed(self, sweep_id: int, chunk_id: int, token: int) -> None:
        self.claims.append((sweep_id, chunk_id, token))

    def limited(self, seconds: float, numbers: Sequence[int] = ()) -> AbstractContextManager[None]:
        self.seen.append((seconds, len(numbers)))
        return super().limited(seconds, numbers)


@pytest.mark.parametrize(("timeout_s", "alone", "turn"), [(None, 600, 20), (3600, 3600, 20), (5, 5, 5)])
def test_limit_of_the_sweep_judges_each_trial_and_a_short_one_the_trials_that_go_together(
    engine: sa.Engine, clock: SimulatedClock, timeout_s: int | None, alone: float, turn: float
) -> None:
    spec = sweep_spec(grid={"perp_leverage": [1, 2, 3, 4, 5, 6]}, curves="none", trial_timeout_s=timeout_s)
    for together, expected in ((1, [(alone, 1)] * 6), (1_000, [(turn, 6)])):
        watch = Limits()
        windows = WindowCache(HistoricalDataStore(engine))
        runner = ChunkRunner(engine, windows, clock, limits=ChunkLimits(max_batch=together), watch=watch)
        sweep_id = submit(engine, spec)
        assert runner.run(sweep_id, 0, "me") is LeaseOutcome.DONE
        assert watch.seen == expected
        assert watch.claims == [(sweep_id, 0, 1)]


def test_result_that_comes_after_the_lease_ran_out_counts_until_another_takes_the_chunk(
    engine: sa.Engine, runner: ChunkRunner, misbehave: Any
) -> None:
    def lose_the_lease() -> None:
        with write_transaction(engine) as connection:
            connection.execute(chunk.update().values(lease_until_ms=1))
        with write_transaction(engine) as connection:
            assert expire_leases(connection) == 1

    sweep_id = submit(engine, SPEC)
    misbehave(5, lose_the_lease)
    assert runner.run(sweep_id, 0, "me") is LeaseOutcome.DONE
    misbehave(5, lambda: None)
    assert_every_trial_once(engine, sweep_id, SPEC)


def test_result_that_comes_after_another_took_the_chunk_is_not_stored(
    engine: sa.Engine, runner: ChunkRunner, misbehave: Any
) -> None:
    def lose_the_chunk() -> None:
        with write_transaction(engine) as connection:
            connection.execute(chunk.update().values(lease_until_ms=1))
        with write_transaction(engine) as connection:
            assert expire_leases(connection) == 1
            assert claim_chunk(connection, sweep_id, 0, "another")

    sweep_id = submit(engine, SPEC)
    misbehave(5, lose_the_chunk)
    assert runner.run(sweep_id, 0, "me") is LeaseOutcome.LOST
    assert stored_rows(engine, sweep_id) == []
    assert [found.owner for found in chunks_of(engine, sweep_id)] == ["another"]


def test_chunk_and_its_failed_trials_are_told_in_the_log_with_their_numbers(
    engine: sa.Engine, runner: ChunkRunner, misbehave: Any
) -> None:
    sweep_id = submit(engine, SPEC)
    misbehave(2, raising(MemoryError()))
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        runner.run(sweep_id, 0, "me")
    start, failure, finished, end = lines
    assert all((line["sweep"], line["chunk"]) == (sweep_id, 0) for line in lines)
    assert (start["event"], start["trials"], start["attempt"]) == ("chunk started", 6, 1)
    assert (failure["event"], failure["trial"], failure["code"]) == ("trial failed", 2, "memory")
    assert finished["event"] == "sweep finished"
    assert (end["event"], end["outcome"], end["completed"], end["failed"]) == ("chunk ended", "done", 5, 1)


def test_many_failed_trials_of_a_chunk_do_not_flood_the_log(engine: sa.Engine, runner: ChunkRunner) -> None:
    base = {"exchange": "synthetic", "symbols": ["BTC/USDT:USDT"], "start": "2019-01-01", "end": "2019-02-01"}
    grid = {"perp_leverage": {"start": "1", "stop": "25", "step": "1"}}
    sweep_id = submit(engine, sweep_spec(base=base, grid=grid), size=25)
    with structlog.testing.capture_logs() as lines:
        runner.run(sweep_id, 0, "me")
    assert [line["event"] for line in lines].count("trial failed") == 10
    assert lines[-1]["failed"] == 25


@pytest.mark.parametrize("error", [TooLongError(), SystemExit(3), KeyboardInterrupt(), OddError("odd")])
def test_interrupted_chunk_keeps_its_results_and_is_given_back_with_the_reason(
    engine: sa.Engine, runner: ChunkRunner, misbehave: Any, error: BaseException
) -> None:
    sweep_id = submit(engine, SPEC)
    misbehave(3, raising(error))
    with pytest.raises(type(error)):
        runner.run(sweep_id, 0, "me")
    (found,) = chunks_of(engine, sweep_id)
    assert (found.state, found.attempts, found.trials_done) == ("pending", 0, 3)
    assert type(error).__name__ in found.last_error
    with pytest.raises(type(error)):
        runner.run(sweep_id, 0, "me")
    assert chunks_of(engine, sweep_id)[0].attempts == 1


def test_long_chunk_is_saved_on_the_way_and_given_back_when_its_time_is_up(
    engine: sa.Engine, runner: ChunkRunner, misbehave: Any, clock: SimulatedClock
) -> None:
    done: list[int] = []
    sweep_id = submit(engine, SPEC)
    for number in range(6):
        misbehave(number, lambda: clock.advance_to(clock.now_ms() + 2_000))
    while runner.run(sweep_id, 0, "me") is not LeaseOutcome.DONE:
        done.append(len(stored_rows(engine, sweep_id)))
    assert done == [3]
    assert len(stored_rows(engine, sweep_id)) == 6


def test_database_error_inside_a_trial_is_no_result_of_it(
    engine: sa.Engine, runner: ChunkRunner, misbehave: Any
) -> None:
    sweep_id = submit(engine, SPEC)
    misbehave(0, raising(sa.exc.OperationalError("SELECT", {}, Exception("gone"))))
    with pytest.raises(sa.exc.OperationalError):
        runner.run(sweep_id, 0, "me")
    assert stored_rows(engine, sweep_id) == []


def test_window_without_data_fails_every_trial_with_the_reason(
    engine: sa.Engine, runner: ChunkRunner
) -> None:
    base = {"exchange": "synthetic", "symbols": ["BTC/USDT:USDT"], "start": "2019-01-01", "end": "2019-02-01"}
    sweep_id = submit(engine, sweep_spec(base=base, grid={"perp_leverage": [1, 2]}))
    runner.run(sweep_id, 0, "me")
    rows = stored_rows(engine, sweep_id)
    assert [row["error_code"] for row in rows] == ["insufficient_data"] * 2
    assert "BTC/USDT:USDT" in rows[0]["error"]


def test_refused_window_keeps_nothing_of_the_trials_that_asked_for_it(engine: sa.Engine) -> None:
    base = {"exchange": "synthetic", "symbols": ["BTC/USDT:USDT"], "start": "2019-01-01", "end": "2019-02-01"}
    config = sweep_spec(base=base, grid={"perp_leverage": [1]}).config(0)
    windows = WindowCache(HistoricalDataStore(engine))
    depths = []
    for _ in range(3):
        with pytest.raises(InsufficientDataError) as refused:
            windows.window(config)
        depths.append(len(list(traceback.walk_tb(refused.tb))))
    assert depths[0] == depths[1] == depths[2]
    assert windows.built == 1


@pytest.fixture
def together(engine: sa.Engine, clock: SimulatedClock) -> ChunkRunner:
    windows = WindowCache(HistoricalDataStore(engine))
    return ChunkRunner(engine, windows, clock, interrupts=(TooLongError,), limits=ChunkLimits())


def test_trials_replayed_together_store_the_rows_they_store_alone(
    engine: sa.Engine, runner: ChunkRunner, together: ChunkRunner
) -> None:
    one, all_at_once = submit(engine, SPEC), submit(engine, SPEC)
    assert runner.run(one, 0, "me") is LeaseOutcome.DONE
    assert together.run(all_at_once, 0, "me") is LeaseOutcome.DONE
    alone = [{**row, "sweep_id": all_at_once} for row in stored_rows(engine, one)]
    assert stored_rows(engine, all_at_once) == alone


@pytest.mark.parametrize("curves", [{"top": 2}, "all"])
@pytest.mark.parametrize("sizing", [["initial"], ["initial", "equity"]])
def test_curves_of_trials_replayed_together_are_those_they_have_alone(
    engine: sa.Engine, runner: ChunkRunner, together: ChunkRunner, curves: Any, sizing: list[str]
) -> None:
    spec = sweep_spec(grid={"perp_leverage": [1, 20, 50], "sizing_base": sizing}, curves=curves)
    one, all_at_once = submit(engine, spec), submit(engine, spec)
    assert runner.run(one, 0, "me") is LeaseOutcome.DONE
    assert together.run(all_at_once, 0, "me") is LeaseOutcome.DONE
    kept = stored_curves(engine, all_at_once)
    assert kept == stored_curves(engine, one)
    assert len(kept) == (2 if curves != "all" else 3 * len(sizing))


def stored_curves(engine: sa.Engine, sweep_id: int) -> list[tuple[int, bytes, bytes]]:
    columns = trial_curve.c.number, trial_curve.c.equity, trial_curve.c.trades
    query = sa.select(*columns).where(trial_curve.c.sweep_id == sweep_id)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(trial_curve.c.number))]


@pytest.mark.parametrize(
    ("error", "code"), [(MemoryError(), "memory"), (RecursionError("deep"), "internal_error")]
)
def test_a_trial_that_breaks_among_others_fails_alone(
    engine: sa.Engine, together: ChunkRunner, misbehave: Any, error: BaseException, code: str
) -> None:
    sweep_id = submit(engine, SPEC)
    misbehave(2, raising(error))
    assert together.run(sweep_id, 0, "me") is LeaseOutcome.DONE
    assert [row["error_code"] for row in stored_rows(engine, sweep_id)] == [
        None,
        None,
        code,
        None,
        None,
        None,
    ]


def test_a_hang_among_others_is_found_alone_and_the_chunk_given_back(
    engine: sa.Engine, together: ChunkRunner, misbehave: Any, clock: SimulatedClock
) -> None:
    def hang() -> None:
        clock.advance_to(clock.now_ms() + 20_000)
        raise TimeLimitError

    sweep_id = submit(engine, SPEC)
    misbehave(2, hang)
    together.run(sweep_id, 0, "me")
    assert [row["error_code"] for row in stored_rows(engine, sweep_id)] == [None, None, "timeout"]


def test_results_that_outgrow_their_columns_fail_their_trial_alone(
    engine: sa.Engine, runner: ChunkRunner, together: ChunkRunner
) -> None:
    base = BASE | {"initial_capital": "92233720368.5477", "perp_taker": "0", "spot_taker": "0"}
    grid = {"slippage_bps": [0], "min_funding_rate": ["0.00001", "0.5"], "exit_funding_rate": ["-1"]}
    for one in (runner, together):
        sweep_id = submit(engine, sweep_spec(base=base, grid=grid))
        assert one.run(sweep_id, 0, "me") is LeaseOutcome.DONE
        traded, idle = stored_rows(engine, sweep_id)
        assert (traded["state"], traded["error_code"]) == ("failed", "out_of_range")
        assert traded["error"].startswith("final_equity 9")
        assert idle["final_equity"] == Decimal("92233720368.5477")
