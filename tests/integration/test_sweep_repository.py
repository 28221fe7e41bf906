"""Sweeps, chunks and leases in both databases."""

import threading

import pytest
import sqlalchemy as sa
from sweeping import assert_every_trial_once, chunks_of, state_of, stored_rows, submit, sweep_spec

from bot.clock import SystemClock
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.analysis.progress import get_sweep, list_sweeps
from sweeps.errors import IdempotencyConflictError, SweepStateError, UnknownSweepError
from sweeps.lifecycle.deleting import delete_sweep
from sweeps.lifecycle.repository import cancel_sweep, create_sweep, resume_sweep
from sweeps.lifecycle.tags import label_sweep
from sweeps.queue import reconcile
from sweeps.queue.heartbeats import Component, beat, live_beats, live_slots, retire
from sweeps.queue.leases import Claim, LeaseOutcome, claim_chunk, release_chunk, release_lost, save_trials
from sweeps.queue.reconcile import ChunkRef
from sweeps.storage.results import Results, failed_row
from sweeps.storage.tables import chunk, failed_trial, sweep, trial_block, trial_curve
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

SMALL = {"grid": {"perp_leverage": [1, 2, 3, 4]}}


def runner(engine: sa.Engine) -> ChunkRunner:
    return ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())


def claim(engine: sa.Engine, sweep_id: int, chunk_id: int = 0, owner: str = "me") -> Claim | None:
    with write_transaction(engine) as connection:
        return claim_chunk(connection, sweep_id, chunk_id, owner)


def claimed(engine: sa.Engine, sweep_id: int, chunk_id: int = 0, owner: str = "me") -> Claim:
    taken = claim(engine, sweep_id, chunk_id, owner)
    assert taken is not None
    return taken


def failures(found: Claim, numbers: tuple[int, ...]) -> Results:
    rows = [failed_row(found.sweep_id, number, "test", "made to fail") for number in numbers]
    return Results.of(found.sweep_id, failed=rows)


def expire(engine: sa.Engine, sweep_id: int) -> None:
    with write_transaction(engine) as connection:
        connection.execute(chunk.update().where(chunk.c.sweep_id == sweep_id).values(lease_until_ms=1))
        reconcile.expire_leases(connection)


def test_created_sweep_is_queued_and_its_chunks_cover_every_trial(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(), size=50)
    ranges = [(found.lo, found.hi, found.state) for found in chunks_of(engine, sweep_id)]
    assert ranges == [(0, 50, "pending"), (50, 100, "pending"), (100, 120, "pending")]
    with engine.connect() as connection:
        view = get_sweep(connection, sweep_id)
    assert (view.state, view.trials_total, view.trials_done, view.best) == ("queued", 120, 0, None)


def test_same_idempotency_key_gives_the_same_sweep_and_another_body_is_a_conflict(engine: sa.Engine) -> None:
    first = submit(engine, sweep_spec(), key="k")
    with write_transaction(engine) as connection:
        again = create_sweep(connection, sweep_spec(), idempotency_key="k")
    assert (again.sweep_id, again.new) == (first, False)
    with write_transaction(engine) as connection, pytest.raises(IdempotencyConflictError):
        create_sweep(connection, sweep_spec(name="other"), idempotency_key="k")


def test_same_key_submitted_by_many_at_once_makes_one_sweep(engine: sa.Engine) -> None:
    ids: list[int] = []
    threads = [
        threading.Thread(target=lambda: ids.append(submit(engine, sweep_spec(), key="k"))) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 5
    assert len(set(ids)) == 1


def test_claim_is_refused_while_another_worker_holds_the_chunk(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL))
    assert claimed(engine, sweep_id).missing == (0, 1, 2, 3)
    assert claim(engine, sweep_id) is None
    assert state_of(engine, sweep_id) == "running"


def test_claims_of_many_workers_at_once_give_each_chunk_to_one(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL), size=1)
    won: list[int] = []

    def take_all(owner: str) -> None:
        won.extend(n for n in range(4) if claim(engine, sweep_id, n, owner) is not None)

    threads = [threading.Thread(target=take_all, args=(f"w{index}",)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [0, 1, 2, 3]


def test_claim_of_unknown_chunk_or_cancelled_sweep_or_other_engine_is_refused(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL))
    assert claim(engine, sweep_id, 99) is None
    assert claim(engine, sweep_id + 1) is None
    other = submit(engine, sweep_spec(**SMALL))
    with write_transaction(engine) as connection:
        cancel_sweep(connection, sweep_id)
        connection.execute(sweep.update().where(sweep.c.id == other).values(engine_version="0.0.1"))
    assert claim(engine, sweep_id) is None
    assert claim(engine, other) is None


def test_late_owner_stores_nothing_after_its_lease_ran_out(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL))
    late = claimed(engine, sweep_id, owner="late")
    expire(engine, sweep_id)
    assert runner(engine).run(sweep_id, 0, "second") is LeaseOutcome.DONE
    before = stored_rows(engine, sweep_id)
    with write_transaction(engine) as connection:
        assert save_trials(connection, late, failures(late, (0, 1, 2, 3)), last=True) is LeaseOutcome.LOST
        release_chunk(connection, late, "late")
    assert stored_rows(engine, sweep_id) == before
    assert_every_trial_once(engine, sweep_id, sweep_spec(**SMALL))


def test_partial_save_keeps_what_is_done_and_the_next_attempt_replays_the_rest(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL))
    first = claimed(engine, sweep_id)
    with write_transaction(engine) as connection:
        assert save_trials(connection, first, failures(first, (0, 1)), last=False) is LeaseOutcome.KEPT
    expire(engine, sweep_id)
    assert claimed(engine, sweep_id).missing == (2, 3)


def test_save_tells_the_worker_when_its_sweep_was_cancelled(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL))
    found = claimed(engine, sweep_id)
    with write_transaction(engine) as connection:
        cancel_sweep(connection, sweep_id)
    with write_transaction(engine) as connection:
        assert save_trials(connection, found, failures(found, (0,)), last=False) is LeaseOutcome.STOPPED
    assert len(stored_rows(engine, sweep_id)) == 1


def test_runner_replays_a_chunk_once_and_a_second_message_is_not_to_be_had(engine: sa.Engine) -> None:
    spec = sweep_spec(curves={"top": 5})
    sweep_id = submit(engine, spec, size=200)
    assert runner(engine).run(sweep_id, 0, "a") is LeaseOutcome.DONE
    assert runner(engine).run(sweep_id, 0, "b") is None
    assert_every_trial_once(engine, sweep_id, spec)


def test_curves_of_the_best_trials_only_are_kept_whatever_the_chunks(engine: sa.Engine) -> None:
    spec = sweep_spec(curves={"top": 5})
    kept = []
    for size in (120, 7):
        sweep_id = submit(engine, spec, size=size)
        for found in reversed(chunks_of(engine, sweep_id)):
            runner(engine).run(sweep_id, found.id, "a")
        with engine.connect() as connection:
            query = sa.select(trial_curve.c.number).where(trial_curve.c.sweep_id == sweep_id)
            kept.append(sorted(connection.execute(query).scalars()))
    rows = stored_rows(engine, sweep_id)
    ranked = sorted(rows, key=lambda row: (row["sharpe"] is None, -(row["sharpe"] or 0), row["number"]))
    assert kept == [sorted(row["number"] for row in ranked[:5])] * 2


def test_expired_lease_frees_the_chunk_and_a_live_one_does_not(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL))
    claimed(engine, sweep_id)
    with write_transaction(engine) as connection:
        assert reconcile.expire_leases(connection) == 0
    expire(engine, sweep_id)
    (found,) = chunks_of(engine, sweep_id)
    assert (found.state, found.attempts, found.owner) == ("pending", 1, None)
    assert "lease ran out" in found.last_error


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_chunk_that_is_being_written_to_does_not_hold_up_the_expiry_of_others(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL), size=1)
    held, *_ = (claimed(engine, sweep_id, number) for number in range(4))
    with write_transaction(engine) as connection:
        connection.execute(chunk.update().where(chunk.c.sweep_id == sweep_id).values(lease_until_ms=1))
    with write_transaction(engine) as owner, write_transaction(engine) as dispatcher:
        assert save_trials(owner, held, failures(held, (0,)), last=True) is LeaseOutcome.DONE
        dispatcher.execute(sa.text("SET LOCAL lock_timeout = 1"))
        assert reconcile.expire_leases(dispatcher) == 3
    assert [found.state for found in chunks_of(engine, sweep_id)] == ["done"] + ["pending"] * 3


def test_dead_owner_frees_its_own_chunk_only(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL))
    claimed(engine, sweep_id, owner="task-1")
    with write_transaction(engine) as connection:
        assert not release_lost(connection, sweep_id, 0, "task-2", "died")
        assert release_lost(connection, sweep_id, 0, "task-1", "WorkerLostError: signal 9")
    assert chunks_of(engine, sweep_id)[0].state == "pending"


def test_poison_trial_is_isolated_by_splitting_and_quarantined_with_the_reason(engine: sa.Engine) -> None:
    spec = sweep_spec(grid={"perp_leverage": [1, 2, 3, 4, 5, 6, 7]})
    sweep_id = submit(engine, spec, size=7)
    deaths = 0
    for _ in range(60):
        for found in chunks_of(engine, sweep_id):
            taken = claim(engine, sweep_id, found.id)
            if taken is None:
                continue
            with write_transaction(engine) as connection:
                if 5 in taken.missing:
                    deaths += 1
                    release_chunk(connection, taken, "WorkerLostError: signal 11")
                else:
                    save_trials(connection, taken, failures(taken, taken.missing), last=True)
        with write_transaction(engine) as connection:
            for ref in reconcile.exhausted_chunks(connection):
                reconcile.isolate(connection, ref)
    rows = stored_rows(engine, sweep_id)
    assert [row["number"] for row in rows] == list(range(7))
    assert rows[5]["error_code"] == "quarantined"
    assert "signal 11" in rows[5]["error"]
    assert deaths == 3 * 3
    assert {found.state for found in chunks_of(engine, sweep_id)} == {"done"}


def test_progress_resets_the_attempts_of_a_chunk(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL))
    found = claimed(engine, sweep_id)
    with write_transaction(engine) as connection:
        release_chunk(connection, found, progressed=True)
    assert chunks_of(engine, sweep_id)[0].attempts == 0


def test_finished_sweep_is_closed_once_and_failed_only_if_every_trial_failed(engine: sa.Engine) -> None:
    good, bad = submit(engine, sweep_spec(**SMALL)), submit(engine, sweep_spec(**SMALL))
    found = claimed(engine, bad)
    with write_transaction(engine) as connection:
        save_trials(connection, found, failures(found, found.missing), last=True)
    runner(engine).run(good, 0, "a")  # which closes its own
    assert (state_of(engine, good), state_of(engine, bad)) == ("completed", "running")
    with write_transaction(engine) as connection:
        assert reconcile.close_finished(connection) == [bad]
        assert reconcile.close_finished(connection) == []
    assert (state_of(engine, good), state_of(engine, bad)) == ("completed", "failed")


def test_cancel_is_final_and_idempotent_and_resume_finishes_the_rest(engine: sa.Engine) -> None:
    spec = sweep_spec()
    sweep_id = submit(engine, spec, size=40)
    runner(engine).run(sweep_id, 1, "a")
    for _ in range(2):
        with write_transaction(engine) as connection:
            cancel_sweep(connection, sweep_id)
    assert state_of(engine, sweep_id) == "cancelled"
    assert len(stored_rows(engine, sweep_id)) == 40
    with write_transaction(engine) as connection:
        resume_sweep(connection, sweep_id)
    for chunk_id in range(3):
        runner(engine).run(sweep_id, chunk_id, "b")
    with write_transaction(engine) as connection:
        reconcile.close_finished(connection)
    assert state_of(engine, sweep_id) == "completed"
    assert_every_trial_once(engine, sweep_id, spec)


def test_resume_revokes_the_chunk_of_a_worker_that_missed_the_cancel(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL))
    unaware = claimed(engine, sweep_id)
    with write_transaction(engine) as connection:
        cancel_sweep(connection, sweep_id)
        resume_sweep(connection, sweep_id)
        assert save_trials(connection, unaware, failures(unaware, (0,)), last=False) is LeaseOutcome.LOST
    assert claimed(engine, sweep_id).missing == (0, 1, 2, 3)


def test_resume_retries_failed_trials_and_refuses_when_there_are_none(engine: sa.Engine) -> None:
    spec = sweep_spec(**SMALL)
    sweep_id = submit(engine, spec)
    found = claimed(engine, sweep_id)
    with write_transaction(engine) as connection:
        save_trials(connection, found, failures(found, (1, 2)), last=False)
        release_chunk(connection, found)
    runner(engine).run(sweep_id, 0, "a")
    with write_transaction(engine) as connection:
        reconcile.close_finished(connection)
        resume_sweep(connection, sweep_id)
    assert [row["number"] for row in stored_rows(engine, sweep_id)] == [0, 3]
    runner(engine).run(sweep_id, 0, "a")
    assert_every_trial_once(engine, sweep_id, spec)
    with write_transaction(engine) as connection:
        reconcile.close_finished(connection)
        with pytest.raises(SweepStateError):
            resume_sweep(connection, sweep_id)
        with pytest.raises(SweepStateError):
            cancel_sweep(connection, sweep_id)


def test_delete_leaves_no_row_behind_and_a_running_worker_stores_nothing(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL, curves="all"), size=2)
    runner(engine).run(sweep_id, 0, "a")
    found = claimed(engine, sweep_id, 1)
    with write_transaction(engine) as connection:
        delete_sweep(connection, sweep_id)
    with write_transaction(engine) as connection:
        assert save_trials(connection, found, failures(found, (2,)), last=True) is LeaseOutcome.LOST
        for table in (sweep, chunk, failed_trial, trial_block, trial_curve):
            assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0
        with pytest.raises(UnknownSweepError):
            delete_sweep(connection, sweep_id)
    assert submit(engine, sweep_spec(**SMALL)) > sweep_id


def test_publishable_takes_turns_and_leaves_recent_messages_alone(engine: sa.Engine) -> None:
    big = submit(engine, sweep_spec(), size=10)
    small = submit(engine, sweep_spec(**SMALL), size=4)
    with write_transaction(engine) as connection:
        refs = reconcile.publishable(connection, {big: 4, small: 4}, 4)
        assert refs == [ChunkRef(big, 0), ChunkRef(small, 0), ChunkRef(big, 1), ChunkRef(big, 2)]
        reconcile.mark_published(connection, refs)
        assert reconcile.outstanding(connection) == 4
        assert reconcile.in_flight(connection) == {big: 3, small: 1}
        assert reconcile.publishable(connection, {big: 2, small: 2}, 2) == [
            ChunkRef(big, 3),
            ChunkRef(big, 4),
        ]
        assert reconcile.publishable(connection, {small: 2}, 2, republish_ms=-1) == [ChunkRef(small, 0)]


def test_heartbeats_count_live_slots_until_they_retire(engine: sa.Engine) -> None:
    with write_transaction(engine) as connection:
        beat(connection, Component.WORKER, "a", slots=2)
        beat(connection, Component.WORKER, "b", slots=3)
        beat(connection, Component.WORKER, "b", slots=4)
        beat(connection, Component.DISPATCHER, "d")
        assert live_slots(connection) == 6
        retire(connection, Component.WORKER, "a")
        assert live_slots(connection) == 4
        assert len(live_beats(connection)) == 2
        assert live_beats(connection, fresh_ms=-1) == []


def test_sweeps_are_listed_newest_first_in_pages(engine: sa.Engine) -> None:
    ids = [submit(engine, sweep_spec(name=f"n{index}", **SMALL)) for index in range(5)]
    with engine.connect() as connection:
        first = list_sweeps(connection, limit=2)
        second = list_sweeps(connection, limit=2, cursor=first.next_cursor)
        third = list_sweeps(connection, limit=2, cursor=second.next_cursor)
    seen = [view.id for page in (first, second, third) for view in page.sweeps]
    assert seen == ids[::-1]
    assert third.next_cursor is None


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("funding", ["Funding 100%", "funding_floor"]),
        ("100%", ["Funding 100%"]),
        ("G_F", ["funding_floor"]),
        ("carry", ["basis"]),
        ("CARRY", ["basis"]),
        ("carr", []),
    ],
)
def test_sweeps_are_found_by_part_of_a_name_or_a_whole_tag(
    engine: sa.Engine, search: str, found: list[str]
) -> None:
    for name in ("basis", "funding_floor", "Funding 100%"):
        sweep_id = submit(engine, sweep_spec(name=name, **SMALL))
        if name == "basis":
            with write_transaction(engine) as connection:
                label_sweep(connection, sweep_id, tags=["Carry", "other"])
    with engine.connect() as connection:
        page = list_sweeps(connection, search=search)
    assert [view.summary.name for view in page.sweeps] == found


def test_progress_equals_the_rows_and_names_the_best_trial(engine: sa.Engine) -> None:
    spec = sweep_spec()
    sweep_id = submit(engine, spec, size=40)
    runner(engine).run(sweep_id, 0, "a")
    runner(engine).run(sweep_id, 2, "a")
    with engine.connect() as connection:
        view = get_sweep(connection, sweep_id)
    rows = [row for row in stored_rows(engine, sweep_id) if row["sharpe"] is not None]
    best = max(rows, key=lambda row: (row["sharpe"], -row["number"]))
    assert view.best
    assert (view.trials_done, view.best.number) == (80, best["number"])
    assert view.best.metrics["net_pnl"] == best["net_pnl"]
    assert view.rate
    assert view.eta_s
