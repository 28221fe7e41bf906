"""Curves of a sweep's best trials that are given up, come late or are those of another run."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from curving import SPEC, assert_best_have_curves, curves_of, free, runner, states_of
from sweeping import chunks_of, state_of, stored_rows, submit

from bot.hedges.runs import AnyRun
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.queue.leases import Claim, LeaseOutcome, claim_chunk
from sweeps.queue.reconcile import ChunkRef, close_finished, isolate
from sweeps.spec.spec import SweepSpec
from sweeps.storage.curves import encode_curve, encode_trades
from sweeps.storage.tables import chunk, sweep, trial_curve
from sweeps.watch import TimeLimitError
from sweeps.work import best_curves
from sweeps.work.best_curves import BestCurves
from sweeps.work.kernel_samples import KernelSamples
from sweeps.work.replay import WindowCache, replay_trial
from sweeps.work.run_records import RunRecord
from sweeps.work.runner import ChunkRunner


@pytest.fixture
def unsampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no run be known from a sample."""
    monkeypatch.setattr(KernelSamples, "compared", lambda *_: [])


def test_sweep_whose_last_trial_is_quarantined_has_its_last_chunk_opened_for_the_curves(
    engine: sa.Engine,
) -> None:
    sweep_id = submit(engine, SPEC, size=23)
    assert runner(engine).run(sweep_id, 0, "me") is LeaseOutcome.DONE
    exhaust(engine, sweep_id, 1)
    with write_transaction(engine) as connection:
        isolate(connection, ChunkRef(sweep_id, 1))
        assert close_finished(connection) == []
    assert states_of(engine, sweep_id) == ["done", "pending"]
    assert runner(engine).run(sweep_id, 1, "me") is LeaseOutcome.DONE
    assert stored_rows(engine, sweep_id)[23]["error_code"] == "quarantined"
    assert_best_have_curves(engine, sweep_id)


@pytest.mark.usefixtures("unsampled")
@pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_chunk_that_another_dispatcher_has_opened_stays_with_the_worker_that_took_it(
    engine: sa.Engine,
) -> None:
    sweep_id = submit(engine, SPEC, size=23)
    assert runner(engine).run(sweep_id, 0, "me") is LeaseOutcome.DONE
    exhaust(engine, sweep_id, 1)
    with write_transaction(engine) as connection:
        isolate(connection, ChunkRef(sweep_id, 1))
    took: list[Claim | None] = []

    def open_and_take(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not took and statement.startswith("UPDATE chunk SET"):
            took.append(None)
            with write_transaction(engine) as other:
                assert close_finished(other) == []
                took[0] = claim_chunk(other, sweep_id, 1, "worker")

    with write_transaction(engine) as connection:
        sa.event.listen(connection, "before_cursor_execute", open_and_take)
        assert close_finished(connection) == []
    assert [claim and claim.owner for claim in took] == ["worker"]
    assert states_of(engine, sweep_id) == ["done", "running"]


def exhaust(engine: sa.Engine, sweep_id: int, chunk_id: int) -> None:
    mine = chunk.c.sweep_id == sweep_id, chunk.c.id == chunk_id
    with write_transaction(engine) as connection:
        connection.execute(chunk.update().where(*mine).values(state="pending", attempts=3))


class Killed(BaseException):
    """Stands for the end of a process."""


@pytest.mark.usefixtures("unsampled")
def test_curves_that_kill_every_process_are_given_up_with_the_attempts_of_their_chunk(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise Killed

    sweep_id = submit(engine, SPEC, size=12)
    assert runner(engine).run(sweep_id, 0, "me") is LeaseOutcome.DONE
    monkeypatch.setattr(BestCurves, "work_out_some", die)
    monkeypatch.setattr(ChunkRunner, "_give_back", lambda *_: None)
    for attempt in (1, 2, 3):
        with pytest.raises(Killed):
            runner(engine).run(sweep_id, 1, "me")
        assert [found.attempts for found in chunks_of(engine, sweep_id)] == [1, attempt]
        free(engine, sweep_id, 1)
    with write_transaction(engine) as connection:
        isolate(connection, ChunkRef(sweep_id, 1))
        assert close_finished(connection) == [sweep_id]
    assert state_of(engine, sweep_id) == "completed"
    assert [row["error_code"] for row in stored_rows(engine, sweep_id)] == [None] * 24
    assert curves_of(engine, sweep_id) == {}


@pytest.mark.parametrize("error", [TimeLimitError(), RuntimeError("a fault of the plug-in")])
@pytest.mark.parametrize("in_time", [0, 1, 2])
@pytest.mark.usefixtures("unsampled")
def test_curves_that_take_too_long_together_or_fail_are_worked_out_as_far_as_each_alone_does_not(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, error: Exception, in_time: int
) -> None:
    real = best_curves.runs_of

    def runs_of(
        spec: SweepSpec, numbers: Sequence[int], windows: WindowCache
    ) -> Iterator[tuple[int, AnyRun]]:
        for place, found in enumerate(real(spec, numbers, windows)):
            if place >= in_time and len(numbers) > 1:
                raise error
            yield found

    monkeypatch.setattr(best_curves, "runs_of", runs_of)
    sweep_id = submit(engine, SPEC, size=12)
    for chunk_id in (0, 1):
        assert runner(engine).run(sweep_id, chunk_id, "me") is LeaseOutcome.DONE
    assert_best_have_curves(engine, sweep_id)


def test_sweep_of_another_engine_version_is_closed_without_curves_that_nobody_here_works_out(
    engine: sa.Engine,
) -> None:
    sweep_id = submit(engine, SPEC, size=12)
    assert runner(engine).run(sweep_id, 0, "me") is LeaseOutcome.DONE
    with write_transaction(engine) as connection:
        connection.execute(chunk.update().values(state="done"))
        connection.execute(sweep.update().values(engine_version="0.0.1"))
        assert close_finished(connection) == [sweep_id]


@pytest.mark.usefixtures("unsampled")
def test_curve_of_another_run_than_the_kernels_ends_the_sweep(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = RunRecord.of.__func__  # type: ignore[attr-defined]

    def another(cls: type[RunRecord], run: AnyRun) -> RunRecord:
        return replace(of(cls, run), ledger=b"another")

    sweep_id = submit(engine, SPEC, size=12)
    assert runner(engine).run(sweep_id, 0, "me") is LeaseOutcome.DONE
    monkeypatch.setattr(best_curves.RunRecord, "of", classmethod(another))
    assert runner(engine).run(sweep_id, 1, "me") is LeaseOutcome.STOPPED
    with engine.connect() as connection:
        found = connection.execute(sa.select(sweep.c.state, sweep.c.reason)).one()
    assert found.state == "cancelled"
    assert "ledger" in found.reason


def test_curves_stored_before_the_end_of_a_sweep_stay_as_they_are(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, half = submit(engine, SPEC), submit(engine, SPEC, size=12)
    assert runner(engine).run(whole, 0, "me") is LeaseOutcome.DONE
    assert runner(engine).run(half, 0, "me") is LeaseOutcome.DONE
    known = curves_of(engine, whole)
    with write_transaction(engine) as connection:  # as versions stored them that kept curves with every chunk
        windows = WindowCache(HistoricalDataStore(engine))
        for number in curves_of(engine, half):
            run = replay_trial(SPEC, number, windows)
            mine = trial_curve.c.sweep_id == half, trial_curve.c.number == number
            record = {"equity": encode_curve(run.curve), "trades": encode_trades(run.trades)}
            connection.execute(trial_curve.update().where(*mine).values(record))
    asked: list[int] = []
    real = best_curves.runs_of

    def noted(spec: SweepSpec, numbers: Sequence[int], windows: WindowCache) -> Iterator[tuple[int, AnyRun]]:
        asked.extend(numbers)
        return real(spec, numbers, windows)

    monkeypatch.setattr(best_curves, "runs_of", noted)
    assert runner(engine).run(half, 1, "me") is LeaseOutcome.DONE
    assert curves_of(engine, half) == known
    assert all(number >= 12 for number in asked)
