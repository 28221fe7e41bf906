"""Sweeps that are deleted while the report on their selection is made: the job ends with that, quietly."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from selecting import replayed_sweep

from bot.market_store.database import write_transaction
from sweeps.jobs.job_runner import JobRunner
from sweeps.lifecycle.deleting import delete_sweep
from sweeps.storage.tables import job, sweep


@pytest.mark.parametrize(
    ("moment", "times"),
    [
        ("sweeps.work.verifying.get_spec", 1),
        ("sweeps.work.judging.HeldSums", 1),
        ("sweeps.work.judging.HeldSums", 2),
        ("sweeps.jobs.selection_jobs.judged_selection", 1),
    ],
)
def test_report_on_a_sweep_that_is_deleted_meanwhile_ends_with_that_whenever_it_happens(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, moment: str, times: int
) -> None:
    assert_deletion_ends_the_report(engine, monkeypatch, moment, times)


@pytest.mark.parametrize(  # SQLite has one writer at a time
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_sweep_may_be_deleted_in_the_transaction_that_stores_its_report(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_deletion_ends_the_report(engine, monkeypatch, "sweeps.jobs.selection_jobs.get_spec", 1)


def assert_deletion_ends_the_report(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, moment: str, times: int
) -> None:
    sweep_id = replayed_sweep(engine)
    monkeypatch.setattr(moment, _then_deleting(engine, sweep_id, _named(moment), times))
    assert JobRunner(engine).report(sweep_id)
    with engine.connect() as connection:
        assert connection.execute(sa.select(sweep.c.id)).all() == []
        [ended] = connection.execute(sa.select(job.c.state, job.c.error_code, job.c.error)).all()
    assert ended[:2] == ("failed", "not_found")
    assert ended.error in {f"there is no sweep {sweep_id}", f"sweep {sweep_id} has been deleted"}


def _named(path: str) -> Callable[..., Any]:
    module, _, name = path.rpartition(".")
    found: Callable[..., Any] = getattr(__import__(module, fromlist=[name]), name)
    return found


def _then_deleting(
    engine: sa.Engine, sweep_id: int, what: Callable[..., Any], times: int
) -> Callable[..., Any]:
    """Return `what`, after whose call number `times` the sweep is deleted by somebody else."""
    calls: list[int] = []

    def called(*arguments: Any, **named: Any) -> Any:
        found = what(*arguments, **named)
        calls.append(1)
        if len(calls) == times:
            with write_transaction(engine) as connection:
                delete_sweep(connection, sweep_id)
        return found

    return called
