"""Sweeps beside each other through real processes: fair turns, one history each, results taken over."""

import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from servers import eventually
from service import service
from sweeping import count_stored, recomputed_rows, state_of, stored_rows, submit, sweep_spec

from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from bot.models import Instrument
from sweeps.analysis.progress import get_sweep
from sweeps.lifecycle.extend_clone import cloned_spec
from sweeps.lifecycle.repository import pause_sweep, resume_sweep

pytestmark = pytest.mark.broker

HUGE: dict[str, Any] = {
    "grid": {
        "min_funding_rate": {"start": "0.00001", "stop": "0.0008", "step": "0.00001"},
        "exit_funding_rate": {"start": "0", "stop": "0.0001", "step": "0.00001"},
        "perp_leverage": [*range(1, 11)],
    },
    "curves": "none",
}
ALONE: dict[str, Any] = {
    "grid": {
        "min_funding_rate": {"start": "0.00001", "stop": "0.0002", "step": "0.00001"},
        "perp_leverage": [1, 3, 5],
    },
    "curves": "all",
}


def test_small_sweep_beside_a_huge_one_finishes_early(
    engine: sa.Engine, database_url: str, broker: str, tmp_path: Path
) -> None:
    huge_spec = sweep_spec(**HUGE)
    with service(database_url, broker, tmp_path) as running:
        running.start_dispatcher()
        running.start_worker()
        huge = submit(engine, huge_spec, size=10)
        eventually(lambda: count_stored(engine, huge) > 200, 40, "the huge sweep is under way")
        small = submit(engine, sweep_spec(curves="none"), size=20)
        before = count_stored(engine, huge)
        eventually(lambda: state_of(engine, small) == "completed", 40, "the small sweep completes")
        meanwhile = count_stored(engine, huge) - before
        assert state_of(engine, huge) == "running"
    assert meanwhile < huge_spec.trial_count / 4


def test_worker_that_meets_other_data_ends_the_sweep_and_a_clone_runs_on_them(
    engine: sa.Engine, database_url: str, broker: str, tmp_path: Path
) -> None:
    spec = sweep_spec(**ALONE)
    expected = recomputed_rows(engine, 1, spec)
    with service(database_url, broker, tmp_path, lease_s="3", republish_s="2") as running:
        running.start_dispatcher()
        first = running.start_worker()
        sweep_id = submit(engine, spec, size=4)
        eventually(lambda: count_stored(engine, sweep_id), 30, "rows arrive")
        first.send_signal(signal.SIGKILL)
        HistoricalDataStore(engine).put_instrument(
            "synthetic", "BTC/USDT:USDT", Instrument(mmr=Decimal("0.02"))
        )
        running.start_worker("two")
        eventually(lambda: state_of(engine, sweep_id) == "cancelled", 40, "the sweep ends")
        rows = stored_rows(engine, sweep_id)
        assert 0 < len(rows) < spec.trial_count
        assert rows == [expected[row["number"]] for row in rows]
        with engine.connect() as connection:
            assert "market data" in str(get_sweep(connection, sweep_id).reason)
        copy = submit(engine, cloned_spec(spec, {}))
        eventually(lambda: state_of(engine, copy) == "completed", 40, "the clone completes")
    assert stored_rows(engine, copy) == recomputed_rows(engine, copy, spec)


def test_paused_sweep_rests_and_then_ends_with_the_same_rows(
    engine: sa.Engine, database_url: str, broker: str, tmp_path: Path
) -> None:
    spec = sweep_spec(**ALONE)
    with service(database_url, broker, tmp_path, lease_s="1") as running:
        running.start_dispatcher()
        running.start_worker()
        sweep_id = submit(engine, spec, size=4)
        eventually(lambda: count_stored(engine, sweep_id), 30, "rows arrive")
        with write_transaction(engine) as connection:
            pause_sweep(connection, sweep_id)
        again = submit(engine, sweep_spec(**ALONE, reuse=True), size=4)
        eventually(lambda: state_of(engine, again) == "completed", 40, "another sweep has its turn")
        assert state_of(engine, sweep_id) == "paused"
        taken = [row for row in stored_rows(engine, again) if row["reused_sweep"] == sweep_id]
        assert taken
        with write_transaction(engine) as connection:
            resume_sweep(connection, sweep_id)
        eventually(lambda: state_of(engine, sweep_id) == "completed", 40, "the paused sweep completes")
    assert stored_rows(engine, sweep_id) == recomputed_rows(engine, sweep_id, spec)
