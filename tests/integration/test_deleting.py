"""Deletion of large sweeps: gone at once for everybody, their rows in small transactions."""

import pytest
import sqlalchemy as sa
from sweeping import recomputed_rows, stored_rows, submit, sweep_spec

from bot.clock import SystemClock
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.analysis.progress import get_spec, get_sweep, get_sweeps, list_sweeps
from sweeps.analysis.queries import stored_curve, trial_page
from sweeps.errors import UnknownSweepError
from sweeps.jobs.retention import Expired, OldSweep, prune
from sweeps.lifecycle import deleting
from sweeps.lifecycle.deleting import delete_rows, delete_sweep, finish_deletions, is_deleting
from sweeps.lifecycle.repository import cancel_sweep, resume_sweep
from sweeps.queue.leases import LeaseOutcome, claim_chunk, save_trials
from sweeps.queue.reconcile import ChunkRef
from sweeps.storage.results import Results
from sweeps.storage.tables import (
    chunk,
    compiled_sweep,
    failed_trial,
    sweep,
    sweep_fingerprint,
    sweep_window,
    trial_block,
    trial_curve,
)
from sweeps.work.dispatch import Dispatcher
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner
from sweeps.work.telemetry import telemetry

SPEC = sweep_spec(
    grid={"perp_leverage": [1, 2, 3, 4, 5], "exit_funding_rate": ["0", "0.00005"]}, curves="all"
)
ROWS = (failed_trial, trial_block, trial_curve, chunk, sweep_window, sweep_fingerprint, compiled_sweep)


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a sweep of ten trials be a large one."""
    monkeypatch.setattr(deleting, "TRIALS_AT_ONCE", 3)


@pytest.fixture
def worked(engine: sa.Engine) -> int:
    """Return a sweep of ten completed trials."""
    sweep_id = submit(engine, SPEC, size=5)
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())
    for chunk_id in range(2):
        runner.run(sweep_id, chunk_id, "me")
    return sweep_id


class Silent:
    """A queue whose messages nobody hears."""

    def publish(self, ref: ChunkRef) -> None:
        """Take a message."""


def delete(engine: sa.Engine, sweep_id: int) -> None:
    with write_transaction(engine) as connection:
        delete_sweep(connection, sweep_id)


def rows_left(engine: sa.Engine, sweep_id: int) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table.name: connection.execute(
                sa.select(sa.func.count()).select_from(table).where(table.c.sweep_id == sweep_id)
            ).scalar_one()
            for table in ROWS
        }


def test_deleted_sweep_is_gone_for_everybody_while_its_rows_are_still_there(
    engine: sa.Engine, worked: int
) -> None:
    delete(engine, worked)
    assert rows_left(engine, worked)["trial_curve"] == 10
    with engine.connect() as connection:
        assert list_sweeps(connection).sweeps == []
        assert get_sweeps(connection, [worked]) == {}
        assert sum(telemetry(connection).sweeps.values()) == 0
        assert stored_curve(connection, worked, 0) is None
        for ask in (get_sweep, get_spec, trial_page):
            with pytest.raises(UnknownSweepError):
                ask(connection, worked)
    with write_transaction(engine) as connection:
        for command in (cancel_sweep, resume_sweep, delete_sweep):
            with pytest.raises(UnknownSweepError):
                command(connection, worked)


def test_rows_go_in_small_transactions_between_which_others_write(engine: sa.Engine, worked: int) -> None:
    delete(engine, worked)
    left = []
    while is_open(engine):
        with write_transaction(engine) as connection:
            delete_rows(connection)
        left.append(rows_left(engine, worked)["trial_curve"])
        submit(engine, sweep_spec(name="between"))
    assert left == [7, 4, 1, 0, 0]
    assert set(rows_left(engine, worked).values()) == {0}
    with engine.connect() as connection:
        assert len(list_sweeps(connection).sweeps) == len(left)


def is_open(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        return is_deleting(connection)


def test_deletion_cut_short_is_finished_by_the_dispatcher_and_leaves_others_alone(
    engine: sa.Engine, worked: int
) -> None:
    other = submit(engine, SPEC, size=10)
    ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock()).run(other, 0, "me")
    delete(engine, worked)
    with engine.connect() as connection:
        connection.execution_options(carrygrid_write=True)
        with connection.begin() as transaction:
            delete_rows(connection)
            transaction.rollback()  # as when the process dies here
    assert rows_left(engine, worked)["trial_curve"] == 10
    dispatcher = Dispatcher(engine, Silent(), "test")
    for _ in range(6):
        dispatcher.step()
    assert set(rows_left(engine, worked).values()) == {0}
    with engine.connect() as connection:
        assert connection.execute(sa.select(sweep.c.id)).scalars().all() == [other]
    assert stored_rows(engine, other) == recomputed_rows(engine, other, SPEC)


def test_pruning_finishes_what_it_and_others_have_begun_with_pauses_for_writers(
    engine: sa.Engine, worked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = submit(engine, SPEC, size=10)
    with write_transaction(engine) as connection:
        connection.execute(
            sweep.update().where(sweep.c.id == old).values(state="completed", finished_ms=1_000)
        )
    delete(engine, worked)
    pauses: list[float] = []
    monkeypatch.setattr(
        "sweeps.jobs.retention.finish_deletions", lambda on: finish_deletions(on, pauses.append)
    )
    prune(engine, Expired(2_000, (OldSweep(old, "old", 10, 1_000),), 0))
    with engine.connect() as connection:
        assert connection.execute(sa.select(sweep.c.id)).scalars().all() == []
    assert len(pauses) == 6
    assert min(pauses) > 0


def test_worker_that_holds_a_chunk_of_a_deleted_sweep_stores_nothing(engine: sa.Engine) -> None:
    sweep_id = submit(engine, SPEC, size=5)
    with write_transaction(engine) as connection:
        claim = claim_chunk(connection, sweep_id, 0, "me")
    assert claim is not None
    delete(engine, sweep_id)
    with write_transaction(engine) as connection:
        assert save_trials(connection, claim, Results.of(claim.sweep_id), last=True) is LeaseOutcome.LOST
        assert claim_chunk(connection, sweep_id, 1, "me") is None


def test_idempotency_key_of_a_deleted_sweep_makes_a_new_one(engine: sa.Engine) -> None:
    first = submit(engine, SPEC, key="once")
    delete(engine, first)
    assert submit(engine, SPEC, key="once") > first
