"""Sweeps whose best trials keep their curves, and those curves as plain replays give them."""

from typing import Any

import sqlalchemy as sa
from sweeping import chunks_of, state_of, stored_rows, sweep_spec

from bot.clock import SystemClock
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.spec.spec import SweepSpec
from sweeps.storage.curves import encode_curve, encode_trades
from sweeps.storage.tables import chunk, trial_curve
from sweeps.watch import Watch
from sweeps.work.replay import WindowCache, replay_trial
from sweeps.work.runner import ChunkRunner

TOP = 6
SPEC = sweep_spec(
    curves={"top": TOP}, grid={"slippage_bps": [0, 1, 2, 3, 4, 5, 6, 7], "perp_leverage": [1, 2, 5]}
)
"""24 trials, all of which differ."""


def runner(engine: sa.Engine, clock: Any = None, watch: Watch | None = None) -> ChunkRunner:
    return ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), clock or SystemClock(), watch=watch)


def curves_of(engine: sa.Engine, sweep_id: int) -> dict[int, tuple[bytes, bytes]]:
    columns = trial_curve.c.number, trial_curve.c.equity, trial_curve.c.trades
    with engine.connect() as connection:
        rows = connection.execute(sa.select(*columns).where(trial_curve.c.sweep_id == sweep_id)).all()
    return {number: (equity, trades) for number, equity, trades in rows}


def best_of(engine: sa.Engine, sweep_id: int, top: int = TOP) -> list[int]:
    """Return the best trials as their stored metrics rank them, best first."""
    rows = stored_rows(engine, sweep_id)
    rows.sort(key=lambda row: (row["sharpe"] is None, -(row["sharpe"] or 0), row["number"]))
    return [row["number"] for row in rows[:top]]


def assert_best_have_curves(engine: sa.Engine, sweep_id: int, spec: SweepSpec = SPEC, top: int = TOP) -> None:
    """Check that the sweep is completed, with the curves of plain replays for its best trials alone."""
    windows = WindowCache(HistoricalDataStore(engine))
    runs = {number: replay_trial(spec, number, windows) for number in best_of(engine, sweep_id, top)}
    expected = {number: (encode_curve(run.curve), encode_trades(run.trades)) for number, run in runs.items()}
    assert curves_of(engine, sweep_id) == expected
    assert state_of(engine, sweep_id) == "completed"


def states_of(engine: sa.Engine, sweep_id: int) -> list[str]:
    return [found.state for found in chunks_of(engine, sweep_id)]


def free(engine: sa.Engine, sweep_id: int, chunk_id: int) -> None:
    with write_transaction(engine) as connection:
        mine = chunk.c.sweep_id == sweep_id, chunk.c.id == chunk_id
        connection.execute(chunk.update().where(*mine).values(state="pending", lease_until_ms=None))
