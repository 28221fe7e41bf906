"""A machine whose clock is set while it replays trials."""

import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sweeping import assert_every_trial_once, submit, sweep_spec
from webservice import DATABASE

from bot.market_store.database import open_engine
from sweeps.queue.leases import LeaseOutcome
from sweeps.storage.tables import replay_rate
from sweeps.work import replay
from workers import resources

SPEC = sweep_spec(grid={"perp_leverage": {"start": "1", "stop": "12", "step": "1"}}, curves="none")
HOUR_MS = 3_600_000


@pytest.mark.parametrize("hours", [-2, 24])
def test_clock_that_is_set_in_a_batch_leaves_results_and_measured_speed_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    monkeypatch.setattr(resources, "_opened", [])
    monkeypatch.setenv("CARRYGRID_HOME", str(home))
    monkeypatch.delenv("CARRYGRID_DATABASE_URL", raising=False)
    resources.worker_settings.cache_clear()
    engine = open_engine(f"sqlite:///{home / DATABASE}")
    sweep_id = submit(engine, SPEC, size=6)
    runner = resources.chunk_runner()
    assert runner.run(sweep_id, 0, "me") is LeaseOutcome.DONE  # reads the window, which is not measured
    groups, now_ns = replay.window_groups, time.time_ns

    def set_the_clock(*arguments: Any) -> Any:
        monkeypatch.setattr(time, "time_ns", lambda: now_ns() + hours * HOUR_MS * 10**6)
        return groups(*arguments)

    monkeypatch.setattr(replay, "window_groups", set_the_clock)
    assert runner.run(sweep_id, 1, "me") is LeaseOutcome.DONE
    monkeypatch.setattr(replay, "window_groups", groups)
    assert_every_trial_once(engine, sweep_id, SPEC)
    with engine.connect() as connection:
        measured = list(connection.execute(sa.select(replay_rate.c.busy_ms)).scalars())
    assert all(0 <= busy_ms < HOUR_MS for busy_ms in measured)
    assert measured
    runner._engine.dispose()
    engine.dispose()
