"""Sweeps take the replay kernel where there is one, and samples of its work are replayed plainly."""

from collections import Counter
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sweeping import stored_rows, submit, sweep_spec

from bot.clock import SimulatedClock
from bot.config.parameter_columns import ParameterColumns
from bot.kernel.replayer import KernelReplayer, Replays
from bot.kernel.unfit import Reason
from bot.market_store.store import HistoricalDataStore
from sweeps.queue.leases import LeaseOutcome
from sweeps.storage.tables import sweep
from sweeps.work import kernel_replay, replay
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner
from sweeps.work.telemetry import Telemetry, telemetry

pytestmark = pytest.mark.usefixtures("kernel")

SPEC = sweep_spec(
    grid={"perp_leverage": [1, 2, 3], "min_funding_rate": ["0.00005", "0.0001", "0.0002"]}, curves="none"
)
TRIALS = 9


def run(engine: sa.Engine) -> tuple[int, LeaseOutcome | None]:
    sweep_id = submit(engine, SPEC)
    windows = WindowCache(HistoricalDataStore(engine))
    return sweep_id, ChunkRunner(engine, windows, SimulatedClock(1_000_000)).run(sweep_id, 0, "me")


def counted(engine: sa.Engine) -> Telemetry:
    with engine.connect() as connection:
        return telemetry(connection)


def test_a_sweep_is_replayed_by_the_kernel_and_counted(engine: sa.Engine) -> None:
    _, outcome = run(engine)
    found = counted(engine)
    assert outcome is LeaseOutcome.DONE
    assert (found.trials_by_kernel, set(found.trials_left.values()), found.kernel_differences) == (
        TRIALS,
        {0},
        0,
    )


def test_without_the_kernel_a_sweep_has_the_same_rows_and_says_why(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast, _ = run(engine)
    monkeypatch.setattr(kernel_replay, "usable", lambda: None)
    plain, outcome = run(engine)
    assert outcome is LeaseOutcome.DONE
    rows = [
        [
            {name: value for name, value in row.items() if name != "sweep_id"}
            for row in stored_rows(engine, one)
        ]
        for one in (fast, plain)
    ]
    assert rows[0] == rows[1]
    assert counted(engine).trials_left[Reason.NO_LIBRARY] == TRIALS


@pytest.mark.parametrize("harm", ["total_fees", "sharpe", "ledger", "days", "run_key"])
def test_a_kernel_that_is_wrong_ends_the_sweep_names_the_trial_and_stores_nothing(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    right, right_keys = KernelReplayer.replay, replay.fastest_run_keys()

    def wrong(self: KernelReplayer, parameters: ParameterColumns) -> Replays:
        done = right(self, parameters)
        if harm == "ledger":
            done.columns.ledgers[:, 0] ^= 1
            return done
        if harm == "days":
            done.days.rows[:, -1] += 1
            return done
        if harm == "run_key":
            return done
        metrics = {**done.columns.metrics, harm: done.columns.metrics[harm] + 1}
        return replace(done, columns=replace(done.columns, metrics=metrics), refused=Counter())

    monkeypatch.setattr(KernelReplayer, "replay", wrong)
    if harm == "run_key":
        monkeypatch.setattr(replay, "fastest_run_keys", lambda: lambda *asked: right_keys(*asked) ^ 1)
    sweep_id, outcome = run(engine)
    assert outcome is LeaseOutcome.STOPPED
    assert stored_rows(engine, sweep_id) == []
    with engine.connect() as connection:
        reason = connection.execute(sa.select(sweep.c.reason).where(sweep.c.id == sweep_id)).scalar_one()
    assert reason.startswith("the replay kernel is wrong: trial 0 gives another ")
    assert harm in reason
    assert counted(engine).kernel_differences == 1
