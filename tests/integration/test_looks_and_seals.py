"""Looks and seals keep their promises in both databases."""

from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from sweeping import BASE, chunks_of, stored_rows, submit, sweep_spec

from bot.clock import SystemClock
from bot.config.run_config import RunConfig
from bot.errors import SealedError
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.errors import AlreadyReadError, SealStateError
from sweeps.lifecycle.deleting import delete_sweep
from sweeps.lifecycle.looks import all_looks
from sweeps.lifecycle.run_looks import LookKind, note_run
from sweeps.lifecycle.seals import list_seals, open_seal, set_seal
from sweeps.queue.leases import LeaseOutcome
from sweeps.work.chunk_buffer import ChunkBuffer
from sweeps.work.holdout import look_at_holdout
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

BEFORE = {**BASE, "end": "2024-03-09"}


def worked(engine: sa.Engine) -> int:
    """Return the id of a completed sweep of two trials."""
    sweep_id = submit(engine, sweep_spec(base=BEFORE, grid={"perp_leverage": [1, 3]}))
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())
    for found in chunks_of(engine, sweep_id):
        runner.run(sweep_id, found.id, "test")
    return sweep_id


def test_run_seen_twice_is_one_look_of_two_runs_and_a_deleted_sweep_keeps_its_own(engine: sa.Engine) -> None:
    sweep_id = worked(engine)
    config = RunConfig.parse(BEFORE)
    for _ in range(2):
        with write_transaction(engine) as connection:
            note_run(connection, LookKind.BACKTEST, config, "f" * 64, "d" * 64)
    with engine.connect() as connection:
        before = all_looks(connection)
    assert sorted((view.kind.value, view.seen.runs, view.seen.new) for view in before) == [
        ("backtest", 2, 1),
        ("sweep", 2, 2),
    ]
    with write_transaction(engine) as connection:
        delete_sweep(connection, sweep_id)
    with engine.connect() as connection:
        assert all_looks(connection) == before


def test_seal_closes_what_is_read_until_it_is_opened_once(engine: sa.Engine) -> None:
    sweep_id, store = worked(engine), HistoricalDataStore(engine)
    with pytest.raises(AlreadyReadError), write_transaction(engine) as connection:
        set_seal(connection, "synthetic", "2024-03-09")
    with write_transaction(engine) as connection:
        held = set_seal(connection, "synthetic", "2024-03-10")
    with pytest.raises(SealedError):
        store.load("synthetic", BASE["symbols"], held.from_ms)
    assert store.load("synthetic", BASE["symbols"], held.from_ms - 1).symbols
    first, again = (look_at_holdout(store, held.id, sweep_id, 0) for _ in range(2))
    assert first == again
    assert [look_at_holdout(store, held.id, sweep_id, 1).label, first.label] == ["look 2", "first"]
    with write_transaction(engine) as connection:
        open_seal(connection, held.id)
    with pytest.raises(SealStateError), write_transaction(engine) as connection:
        open_seal(connection, held.id)
    assert store.load("synthetic", BASE["symbols"], held.from_ms).symbols
    with engine.connect() as connection:
        assert [one.state for one in list_seals(connection)] == ["opened"]


def tainted(engine: sa.Engine) -> None:
    """Seal days that a running sweep reads."""
    with write_transaction(engine) as connection:
        set_seal(connection, "synthetic", "2024-03-10", insist=True)


def error_codes(engine: sa.Engine, sweep_id: int) -> list[str | None]:
    return [row["error_code"] for row in stored_rows(engine, sweep_id)]


def test_seal_over_days_of_a_running_sweep_closes_the_windows_that_its_worker_holds(
    engine: sa.Engine,
) -> None:
    sweep_id = submit(engine, sweep_spec(grid={"perp_leverage": [1, 2, 3]}), size=1)
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())
    first, second, third = [found.id for found in chunks_of(engine, sweep_id)]
    runner.run(sweep_id, first, "test")
    tainted(engine)
    runner.run(sweep_id, second, "test")
    with write_transaction(engine) as connection:
        open_seal(connection, 1)
    runner.run(sweep_id, third, "test")
    assert error_codes(engine, sweep_id) == [None, "sealed", None]


def test_nothing_is_stored_of_a_chunk_whose_days_are_sealed_while_it_is_replayed(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(grid={"perp_leverage": [1, 2]}))
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())
    results = ChunkBuffer.results

    def sealed_before(buffer: Any) -> Any:
        if not list_of_seals(engine):
            tainted(engine)
        return results(buffer)

    with patch.object(ChunkBuffer, "results", sealed_before):
        assert runner.run(sweep_id, 0, "test") is LeaseOutcome.STOPPED
        assert stored_rows(engine, sweep_id) == []
        runner.run(sweep_id, 0, "test")
    assert error_codes(engine, sweep_id) == ["sealed", "sealed"]


def list_of_seals(engine: sa.Engine) -> list[Any]:
    with engine.connect() as connection:
        return list_seals(connection)
