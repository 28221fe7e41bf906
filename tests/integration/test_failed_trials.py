"""Failure reasons of trials, and sweeps by outcome, on every database."""

from typing import Any

import pytest
import sqlalchemy as sa
from sweeping import BASE, submit, sweep_spec

from bot.clock import SystemClock
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.analysis.failures import failure_report
from sweeps.analysis.progress import get_sweep, list_sweeps
from sweeps.errors import UnknownSweepError
from sweeps.storage.states import SweepOutcome, SweepState
from sweeps.storage.tables import failed_trial
from sweeps.work.dispatch import Dispatcher
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner
from sweeps.work.telemetry import telemetry

BEFORE_START = ["2024-01-05", "2024-01-06"]


class NoQueue:
    def publish(self, _ref: Any) -> None:
        """Take no message."""


def ended(engine: sa.Engine, ends: list[str]) -> int:
    base = {name: value for name, value in BASE.items() if name != "end"}
    sweep_id = submit(engine, sweep_spec(base=base, grid={"end": ends, "perp_leverage": [1, 2]}))
    dispatcher = Dispatcher(engine, NoQueue(), "test")
    dispatcher.step()
    ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock()).run(sweep_id, 0, "me")
    dispatcher.step()
    return sweep_id


def test_reasons_that_differ_in_figures_are_one_with_count_and_example(engine: sa.Engine) -> None:
    sweep_id = ended(engine, ["2024-03-30", *BEFORE_START])
    with engine.connect() as connection:
        report = failure_report(connection, sweep_id)
    assert report.document() == {
        "failed": 4,
        "examined": 4,
        "reasons": [
            {
                "code": "invalid_input",
                "message": "end: 2024-01-05T00:00:00Z is before start 2024-01-10T00:00:00Z",
                "trials": 4,
                "example": 2,
            }
        ],
    }


def test_reasons_of_other_kinds_come_by_frequency(engine: sa.Engine) -> None:
    sweep_id = ended(engine, ["2024-03-30", *BEFORE_START])
    with write_transaction(engine) as connection:
        first = sa.and_(failed_trial.c.sweep_id == sweep_id, failed_trial.c.number == 2)
        connection.execute(
            failed_trial.update().where(first).values(error_code="timeout", error="took 600 s")
        )
        report = failure_report(connection, sweep_id)
    assert [(one.code, one.trials, one.example) for one in report.reasons] == [
        ("invalid_input", 3, 3),
        ("timeout", 1, 2),
    ]


def test_no_more_failed_trials_are_read_than_the_bound(engine: sa.Engine) -> None:
    sweep_id = ended(engine, ["2024-03-30", *BEFORE_START])
    with engine.connect() as connection:
        report = failure_report(connection, sweep_id, most=3)
    assert (report.failed, report.examined, report.reasons[0].trials) == (4, 3, 3)


def test_sweep_without_failures_has_no_reasons(engine: sa.Engine) -> None:
    sweep_id = ended(engine, ["2024-03-30"])
    with engine.connect() as connection:
        assert failure_report(connection, sweep_id).reasons == ()
        with pytest.raises(UnknownSweepError):
            failure_report(connection, sweep_id + 1)


def test_sweeps_are_listed_and_counted_by_how_they_ended(engine: sa.Engine) -> None:
    clean = ended(engine, ["2024-03-30"])
    partly = ended(engine, ["2024-03-30", *BEFORE_START])
    with engine.connect() as connection:
        views = {sweep_id: get_sweep(connection, sweep_id) for sweep_id in (clean, partly)}
        listed = {
            outcome: [one.id for one in list_sweeps(connection, outcome=outcome).sweeps]
            for outcome in SweepOutcome
        }
        counts = telemetry(connection)
    assert {view.state for view in views.values()} == {SweepState.COMPLETED}
    assert views[clean].outcome is SweepOutcome.COMPLETED
    assert views[partly].outcome is SweepOutcome.COMPLETED_WITH_FAILURES
    assert listed == {
        SweepOutcome.COMPLETED: [clean],
        SweepOutcome.COMPLETED_WITH_FAILURES: [partly],
        SweepOutcome.FAILED: [],
        SweepOutcome.CANCELLED: [],
    }
    assert (counts.sweeps[SweepState.COMPLETED], counts.completed_with_failures) == (2, 1)
