"""A half-finished sweep survives its schema going back and forth, in both databases."""

import zlib
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sweeping import BASE, assert_every_trial_once, chunks_of, stored_rows, submit, sweep_spec, worked

from bot.backtest import Metrics
from bot.clock import SystemClock
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps import migrations
from sweeps.analysis.queries import trial_page
from sweeps.migrations import migrate
from sweeps.spec.metrics import LATER, METRICS
from sweeps.storage.blocks import RESULT, Measured, measured
from sweeps.storage.tables import trial_block
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

OLD, WITH_ROWS, COMPRESSED, UNSHARED, WHOLE = "0003", "0017", "0019", "0029", "0030"
OF_RUNS = tuple(name for name in Metrics.__dataclass_fields__ if name not in LATER)
SPEC = sweep_spec(
    base={name: value for name, value in BASE.items() if name != "end"},
    grid={
        "end": ["2024-03-30", "2024-01-05", "2024-03-01"],
        "perp_leverage": [1, 5],
        "min_funding_rate": ["0.9", "0.00002"],
    },
    curves="all",
)


def half_finished(engine: sa.Engine) -> int:
    sweep_id = submit(engine, SPEC, size=5)
    run_chunks(engine, sweep_id, 2)
    return sweep_id


def run_chunks(engine: sa.Engine, sweep_id: int, most: int) -> None:
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())
    waiting = [found.id for found in chunks_of(engine, sweep_id) if found.state != "done"]
    for chunk_id in waiting[:most]:
        runner.run(sweep_id, chunk_id, "test")


def downgrade(engine: sa.Engine, schema: str = OLD) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with write_transaction(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, schema)


def columns(engine: sa.Engine, sweep_id: int) -> Measured:
    with engine.connect() as connection:
        return measured(connection, sweep_id, tuple(METRICS))


def test_results_and_open_work_come_through_the_old_schema(engine: sa.Engine) -> None:
    sweep_id = half_finished(engine)
    before, packed = stored_rows(engine, sweep_id), columns(engine, sweep_id)
    assert {row["state"] for row in before} == {"completed", "failed"}
    downgrade(engine)
    migrate(engine)
    after, repacked = stored_rows(engine, sweep_id), columns(engine, sweep_id)
    for name in ("number", "state", "error", "run_key", *OF_RUNS):
        assert [row[name] for row in after] == [row[name] for row in before], name
    assert np.array_equal(repacked.numbers, packed.numbers)
    for name in OF_RUNS:
        real = repacked.values[name].dtype == np.float64
        assert np.array_equal(repacked.values[name], packed.values[name], equal_nan=real), name
    for name in ("hold_net_pnl", *LATER):
        assert len(repacked.values[name]) == len(repacked.numbers)
        assert not repacked.defined(name).any(), name
    with engine.connect() as connection:
        page = trial_page(connection, sweep_id, sort="-captured_share")
    # None has the metric; the trials that moved are eligible, and so come first.
    order = sorted(after, key=lambda row: (not row["volatility"], row["number"]))
    assert [view.number for view in page.trials] == [row["number"] for row in order]
    assert [view.number for view in page.trials if view.eligible] == [1, 3, 9]


def test_metrics_of_later_stay_where_only_the_rows_come_back(engine: sa.Engine) -> None:
    sweep_id = half_finished(engine)
    before = stored_rows(engine, sweep_id)
    assert any(row["sharpe_over_hold"] is not None for row in before)
    downgrade(engine, WITH_ROWS)
    migrate(engine)
    assert stored_rows(engine, sweep_id) == before


def test_columns_are_compressed_as_before_on_the_way_down_and_read_so_after_it(engine: sa.Engine) -> None:
    sweep_id = half_finished(engine)
    before = stored_rows(engine, sweep_id)
    assert 1 in first_bytes(engine)
    downgrade(engine, COMPRESSED)
    assert first_bytes(engine) == {ord("x")}
    with engine.connect() as connection:
        blobs = connection.execute(sa.select(trial_block.c.data).where(trial_block.c.name == "sharpe"))
        assert all(len(zlib.decompress(data)) % 8 == 0 for data in blobs.scalars())
    assert stored_rows(engine, sweep_id) == before
    migrate(engine)
    run_chunks(engine, sweep_id, 10)
    assert_every_trial_once(engine, sweep_id, SPEC)


def test_results_that_trials_share_are_written_out_on_the_way_down(engine: sa.Engine) -> None:
    grid = {"min_funding_rate": ["0.9", "0.8", "0.7", "0.00002"], "perp_leverage": [1, 5]}
    sweep_id = worked(engine, sweep_spec(grid=grid))
    before, whole = stored_rows(engine, sweep_id), columns(engine, sweep_id)
    assert names_of_columns(engine) >= {RESULT}
    downgrade(engine, UNSHARED)
    assert RESULT not in names_of_columns(engine)
    assert stored_rows(engine, sweep_id) == before
    found = columns(engine, sweep_id)
    assert [found.values[name].tobytes() for name in METRICS] == [
        whole.values[name].tobytes() for name in METRICS
    ]
    migrate(engine)
    assert stored_rows(engine, sweep_id) == before


def test_columns_that_follow_from_others_are_written_out_on_the_way_down(engine: sa.Engine) -> None:
    grid = {"min_funding_rate": ["0.9", "0.8", "0.7", "0.00002"], "perp_leverage": [1, 5]}
    sweep_id = worked(engine, sweep_spec(grid=grid))
    before = stored_rows(engine, sweep_id)
    assert first_bytes(engine) == {1, 2}
    downgrade(engine, WHOLE)
    assert first_bytes(engine) == {1, ord("x")}
    assert RESULT in names_of_columns(engine)
    assert stored_rows(engine, sweep_id) == before
    migrate(engine)
    assert stored_rows(engine, sweep_id) == before


def names_of_columns(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(sa.select(trial_block.c.name)).scalars())


def first_bytes(engine: sa.Engine) -> set[int]:
    """Return the first byte of each column of metrics."""
    with engine.connect() as connection:
        blobs = connection.execute(sa.select(trial_block.c.data).where(trial_block.c.name.in_(METRICS)))
        return {bytes(data)[0] for data in blobs.scalars()}


def test_sweep_is_finished_under_the_new_schema(engine: sa.Engine) -> None:
    sweep_id = submit(engine, SPEC, size=5)
    downgrade(engine)
    migrate(engine)
    run_chunks(engine, sweep_id, 10)
    assert_every_trial_once(engine, sweep_id, SPEC)
