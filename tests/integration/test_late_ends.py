"""Sweeps cancelled, paused and resumed at the very moment their last chunk is stored, on both databases."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa
from sweeping import assert_every_trial_once, chunks_of, state_of, stored_rows, submit, sweep_spec

from bot.clock import SystemClock
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.analysis.progress import get_sweep
from sweeps.errors import SweepStateError
from sweeps.jobs.job_runner import JobRunner
from sweeps.jobs.selection_jobs import selection_view
from sweeps.lifecycle.repository import cancel_sweep, pause_sweep, resume_sweep
from sweeps.queue import reconcile
from sweeps.queue.leases import Claim, LeaseOutcome, claim_chunk, save_trials
from sweeps.queue.reconcile import ChunkRef, close_finished
from sweeps.storage.results import Results, failed_row
from sweeps.storage.selection import open_reports
from sweeps.storage.states import SweepState
from sweeps.work.dispatch import Dispatcher
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

SPEC = sweep_spec(grid={"perp_leverage": [1, 2, 3, 4]})
Command = Callable[[sa.Connection, int], Any]


class NoQueue:
    """Loses every message: work is found in the database here."""

    def publish(self, ref: ChunkRef) -> None:
        """Lose it."""


def runner(engine: sa.Engine) -> ChunkRunner:
    return ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())


def dispatch(engine: sa.Engine) -> None:
    Dispatcher(engine, NoQueue(), "d").step()


def act(engine: sa.Engine, command: Command, sweep_id: int) -> Any:
    with write_transaction(engine) as connection:
        return command(connection, sweep_id)


def claimed(engine: sa.Engine, sweep_id: int) -> Claim:
    with write_transaction(engine) as connection:
        claim = claim_chunk(connection, sweep_id, 0, "w")
    assert claim is not None
    return claim


def ended_within_its_last_save(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, end: Command) -> int:
    """Return a sweep whose only chunk was stored just after `end` had been asked for."""
    real = ChunkRunner._save

    def end_and_save(self: ChunkRunner, *arguments: Any, **named: Any) -> LeaseOutcome:
        act(engine, end, sweep_id)
        return real(self, *arguments, **named)

    monkeypatch.setattr(ChunkRunner, "_save", end_and_save)
    sweep_id = submit(engine, SPEC)
    assert runner(engine).run(sweep_id, 0, "w") is LeaseOutcome.DONE
    return sweep_id


def test_sweep_cancelled_while_its_last_chunk_ends_stays_so_and_is_completed_when_resumed(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep_id = ended_within_its_last_save(engine, monkeypatch, cancel_sweep)
    dispatch(engine)
    assert state_of(engine, sweep_id) == "cancelled"
    assert not JobRunner(engine).report(sweep_id)
    act(engine, resume_sweep, sweep_id)
    dispatch(engine)
    assert state_of(engine, sweep_id) == "completed"
    assert_every_trial_once(engine, sweep_id, SPEC)
    assert JobRunner(engine).report(sweep_id)
    with engine.connect() as connection:
        assert selection_view(connection, sweep_id).complete
    with pytest.raises(SweepStateError, match="nothing to resume"):
        act(engine, resume_sweep, sweep_id)


@pytest.mark.parametrize("end", [cancel_sweep, pause_sweep])
def test_sweep_that_is_resumed_with_nothing_left_has_started_when_it_did(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, end: Command
) -> None:
    sweep_id = ended_within_its_last_save(engine, monkeypatch, end)
    with engine.connect() as connection:
        started_ms = get_sweep(connection, sweep_id).started_ms
    act(engine, resume_sweep, sweep_id)
    dispatch(engine)
    with engine.connect() as connection:
        found = get_sweep(connection, sweep_id)
    assert (found.state, found.started_ms) == ("completed", started_ms)
    assert started_ms is not None


def test_cancel_within_the_end_of_the_last_chunk_leaves_a_sweep_that_is_completed_or_can_be(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, ending = ChunkRunner._save, threading.Event()

    def tell_and_save(self: ChunkRunner, *arguments: Any, **named: Any) -> LeaseOutcome:
        ending.set()
        return real(self, *arguments, **named)

    monkeypatch.setattr(ChunkRunner, "_save", tell_and_save)
    worker = runner(engine)
    for turn in range(8):
        sweep_id = submit(engine, SPEC)
        ending.clear()
        thread = threading.Thread(target=worker.run, args=(sweep_id, 0, "w"))
        thread.start()
        assert ending.wait(60)
        time.sleep(turn / 1_000)
        with suppress(SweepStateError):  # it is completed by then
            act(engine, cancel_sweep, sweep_id)
        thread.join()
        assert [found.state for found in chunks_of(engine, sweep_id)] == ["done"]
        if state_of(engine, sweep_id) == "cancelled":
            act(engine, resume_sweep, sweep_id)
            dispatch(engine)
        assert state_of(engine, sweep_id) == "completed"
        assert_every_trial_once(engine, sweep_id, SPEC)


@pytest.mark.parametrize(  # a SQLite file has one writer at a time
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
@pytest.mark.parametrize("end", [cancel_sweep, pause_sweep])
def test_end_that_comes_while_the_sweep_is_closed_holds(
    engine: sa.Engine, end: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = reconcile._ending

    def end_first(state: SweepState) -> sa.Update:
        act(engine, end, sweep_id)
        return real(state)

    sweep_id = submit(engine, SPEC)
    claim = claimed(engine, sweep_id)
    with write_transaction(engine) as connection:
        save_trials(connection, claim, Results.of(sweep_id), last=True)
    monkeypatch.setattr(reconcile, "_ending", end_first)
    assert act(engine, close_finished, sweep_id) == []
    assert state_of(engine, sweep_id) == ("cancelled" if end is cancel_sweep else "paused")
    with engine.connect() as connection:
        assert open_reports(connection, sweep_id) == []


def test_resume_while_a_worker_stores_failed_trials_has_them_run_again_once(engine: sa.Engine) -> None:
    sweep_id = submit(engine, SPEC)
    claim = claimed(engine, sweep_id)
    act(engine, cancel_sweep, sweep_id)
    results = Results.of(sweep_id, failed=[failed_row(sweep_id, 2, "test", "made to fail")])
    resuming = threading.Thread(target=act, args=(engine, resume_sweep, sweep_id))
    with write_transaction(engine) as connection:
        assert save_trials(connection, claim, results, last=True) is LeaseOutcome.DONE
        resuming.start()
        time.sleep(0.3)  # by then it waits for this transaction, whose rows it has to see
    resuming.join()
    assert stored_rows(engine, sweep_id) == []
    assert runner(engine).run(sweep_id, 0, "w") is LeaseOutcome.DONE
    assert_every_trial_once(engine, sweep_id, SPEC)
