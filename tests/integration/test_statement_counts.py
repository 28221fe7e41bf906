"""Statements of a chunk and of a request, counted: each is a round trip to the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sweeping import submit, sweep_spec

from bot.clock import SystemClock
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.analysis.progress import get_sweep, get_sweeps, list_sweeps
from sweeps.jobs.job_dispatcher import JobDispatcher
from sweeps.lifecycle.repository import create_sweep
from sweeps.queue.leases import LeaseOutcome
from sweeps.queue.reconcile import ChunkRef
from sweeps.work.chunk_buffer import ChunkLimits
from sweeps.work.dispatch import Dispatcher
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

GRID = {"min_funding_rate": ["0.00001"], "perp_leverage": [1, 2]}
LIST, ROWS_OF_BEST, SUBMIT, IDLE_TURN = 6, 1, 12, 6
"""Statements of a list, for best trials that were not read before, of a submission, of an idle turn."""
CHUNK, CURVES, CLOSING = 15, 10, 4
"""Statements of a chunk from its claim to its last result, of the curves that the last chunk works out for
those before it, and of the end of a sweep with it."""
_NO_ROUND_TRIP = ("BEGIN", "PRAGMA")


class Silent:
    """A queue whose messages nobody hears."""

    def publish(self, ref: ChunkRef) -> None:
        """Take a message."""

    def publish_job(self, job_id: int, *, behind: bool = False) -> None:
        """Take a message about a job."""


@contextmanager
def counted(engine: sa.Engine) -> Iterator[list[str]]:
    """Give the statements that are sent meanwhile."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(_NO_ROUND_TRIP):
            found.append(" ".join(statement.split())[:90])

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def runner(engine: sa.Engine) -> ChunkRunner:
    return ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock(), host="here")


def test_chunk_costs_few_statements_however_many_trials_it_has(
    engine: sa.Engine, runner: ChunkRunner
) -> None:
    few = submit(engine, sweep_spec(grid={"perp_leverage": [1, 2, 3, 4, 5, 6]}), size=2)
    many = submit(engine, sweep_spec(), size=40)
    found = {}
    for sweep_id in (few, many):
        runner.run(sweep_id, 0, "me")  # which reads the window, and lets the sweep run
        for chunk in (1, 2):
            with counted(engine) as statements:
                runner.run(sweep_id, chunk, "me")
            found[sweep_id, chunk] = statements
    assert found[few, 1] == found[many, 1]
    assert len(found[few, 1]) == CHUNK, found[few, 1]
    assert len(found[few, 2]) == CHUNK + CURVES + CLOSING, found[few, 2]


def test_chunk_that_saves_often_adds_its_rate_once_and_looks_for_no_stored_trials(engine: sa.Engine) -> None:
    windows, limits = WindowCache(HistoricalDataStore(engine)), ChunkLimits(rows=10, max_batch=10)
    runner = ChunkRunner(engine, windows, SystemClock(), host="here", limits=limits)
    sweep_id = submit(engine, sweep_spec(), size=40)
    runner.run(sweep_id, 0, "me")
    with counted(engine) as statements:
        assert runner.run(sweep_id, 1, "me") is LeaseOutcome.DONE
    assert sum("SET state=" in one and "lease_until_ms" in one for one in statements) > 3
    assert sum("INTO replay_rate" in one for one in statements) == 1
    assert not [one for one in statements if one.startswith("SELECT trial_block.first, trial_block.last")]


def test_list_of_sweeps_costs_the_same_however_many_there_are(engine: sa.Engine, runner: ChunkRunner) -> None:
    counts = []
    for times in (1, 9):
        for _ in range(times):
            runner.run(submit(engine, sweep_spec(grid=GRID)), 0, "me")
        with counted(engine) as statements, engine.connect() as connection:
            sweeps = list_sweeps(connection).sweeps
            assert all(view.best for view in sweeps), [view.summary.objective for view in sweeps]
        counts.append((len(sweeps), len([one for one in statements if "compiled_sweep.feasible" not in one])))
    assert counts == [(1, LIST + ROWS_OF_BEST), (10, LIST + ROWS_OF_BEST)]
    with counted(engine) as statements, engine.connect() as connection:
        list_sweeps(connection)
    assert len(statements) == LIST


def test_state_of_one_sweep_and_of_all_that_are_followed_cost_as_much(
    engine: sa.Engine, runner: ChunkRunner
) -> None:
    ids = [submit(engine, sweep_spec()) for _ in range(3)]
    with counted(engine) as one, engine.connect() as connection:
        get_sweep(connection, ids[0])
    with counted(engine) as several, engine.connect() as connection:
        assert len(get_sweeps(connection, ids)) == 3
    # Nobody looks for a page, nor for the best of no results.
    assert (len(one), len(several)) == (LIST - 2, LIST - 2)


def test_submission_costs_the_same_whatever_its_size(engine: sa.Engine) -> None:
    counts = []
    for grid in ({"perp_leverage": [1, 2]}, None):
        spec = sweep_spec(grid=grid) if grid else sweep_spec()
        with counted(engine) as statements, write_transaction(engine) as connection:
            create_sweep(connection, spec)
        counts.append(len(statements))
    assert counts == [SUBMIT, SUBMIT]


def test_turn_of_the_dispatcher_costs_the_same_however_many_sweeps_have_ended(
    engine: sa.Engine, runner: ChunkRunner
) -> None:
    dispatcher = Dispatcher(engine, Silent(), "test")
    counts = []
    for _ in range(2):
        for _ in range(3):
            runner.run(submit(engine, sweep_spec(grid=GRID)), 0, "me")
        for _ in range(2):
            dispatcher.step()
        with counted(engine) as statements:
            dispatcher.step()
        counts.append(len(statements))
    assert counts == [IDLE_TURN, IDLE_TURN]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_turn_of_the_dispatcher_reads_nothing_of_reports_and_notifications_that_are_done(
    engine: sa.Engine,
) -> None:
    sent: list[tuple[str, Any]] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: sent.append(call[2:4]))
    JobDispatcher(engine, Silent()).step()
    with engine.connect() as connection:
        plans = [
            [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
            for statement, values in list(sent)
            if "selection_report" in statement
        ]
    # Sweeps that have ended are found by the few rows of which something is to be done, and not the reverse.
    assert [plan[0] for plan in plans] == [
        "SEARCH selection_report USING INDEX ix_selection_report_unmade (job_id=?)",
        "SEARCH sweep_notification USING COVERING INDEX ix_sweep_notification_job_id (job_id=?)",
    ]
