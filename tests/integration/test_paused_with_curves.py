"""Sweeps that keep the curve of every trial, paused in the middle of the first batch."""

import pytest
import sqlalchemy as sa
from sweeping import stored_rows, submit, sweep_spec

from bot.clock import SimulatedClock
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.lifecycle.repository import pause_sweep, resume_sweep
from sweeps.queue.leases import LeaseOutcome
from sweeps.work.best_curves import BestCurves
from sweeps.work.chunk_buffer import BatchSizer, ChunkBuffer, ChunkLimits
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

SECOND_MS = 1_000


def test_pause_waits_for_few_trials_whose_curves_take_long(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = {"perp_leverage": list(range(1, 11)), "exit_funding_rate": ["0", "0.00001", "0.00002"]}
    sweep_id = submit(engine, sweep_spec(grid=grid, curves="all", reuse=False), size=30)
    clock, work_out_all, batches = SimulatedClock(1_000_000), BestCurves.work_out_all, list[int]()

    def slowly(self: BestCurves, buffer: ChunkBuffer, limit_s: float) -> None:
        batches.append(len(buffer))
        clock.advance_to(clock.now_ms() + SECOND_MS * len(buffer))
        if len(batches) == 1:
            with write_transaction(engine) as connection:
                pause_sweep(connection, sweep_id)
        work_out_all(self, buffer, limit_s)

    monkeypatch.setattr(BestCurves, "work_out_all", slowly)
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), clock)
    assert runner.run(sweep_id, 0, "me") is LeaseOutcome.STOPPED
    assert (batches, len(stored_rows(engine, sweep_id))) == ([8], 8)
    with write_transaction(engine) as connection:
        resume_sweep(connection, sweep_id)
    while runner.run(sweep_id, 0, "me") is not LeaseOutcome.DONE:
        pass
    assert len(stored_rows(engine, sweep_id)) == 30


def test_first_batch_is_the_last_one_or_small_where_every_trial_is_replayed_for_its_curve() -> None:
    limits = ChunkLimits()
    assert BatchSizer(limits, alone=False).size == 128
    assert BatchSizer(limits, alone=False, all_curves=True).size == 8
    assert BatchSizer(limits, alone=False, all_curves=True, last=300).size == 300
    assert BatchSizer(limits, alone=True, all_curves=True, last=300).size == 1
