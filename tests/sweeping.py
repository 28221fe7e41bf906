"""Sweeps over the generated market of the integration tests, and their outcome computed in this process."""

import json
from collections.abc import Collection, Mapping
from operator import itemgetter
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.clock import SystemClock
from bot.config.run_key import key_array
from bot.errors import BotError
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from bot.market_store.tables import market_record, market_segment, market_series
from bot.statistics.trial_columns import TrialColumns
from bot.statistics.trial_metrics import OF_HEDGES
from sweeps.errors import ResultRangeError
from sweeps.lifecycle.repository import create_sweep
from sweeps.spec.metrics import METRICS, MetricKind
from sweeps.spec.spec import SweepSpec
from sweeps.storage import stored_trials
from sweeps.storage.blocks import measured
from sweeps.storage.columns import money_units
from sweeps.storage.packing import packed, packed_digests
from sweeps.storage.results import CompletedTrials, failed_row
from sweeps.storage.tables import chunk, sweep, trial_block
from sweeps.work.replay import WindowCache, prepare, replay_trial, replayed_alone
from sweeps.work.runner import ChunkRunner

BASE = {
    "exchange": "synthetic",
    "symbols": ["BTC/USDT:USDT"],
    "start": "2024-01-10",
    "end": "2024-03-30",
    "min_volume_24h": "0",
}
EVERYONE = {"min_trades": 0, "min_settlements": 0}
"""Guard for windows of a few weeks: all trials that moved are eligible."""
GRID: dict[str, Any] = {
    "min_funding_rate": {"start": "0.00002", "stop": "0.0002", "step": "0.00002"},
    "exit_funding_rate": ["0", "0.00005", "0.0001"],
    "perp_leverage": [1, 3, 5, 10],
}
OUTGROWN = (
    "final_equity 92264329311.0660426 does not fit the results, which hold up to 92233720368.54775807 "
    "with 8 decimal places; with less initial_capital it would"
)
"""Reason of the first trial that fails of a sweep of `partly_failing`, at a leverage of 1."""


def partly_failing(**axes: Any) -> dict[str, Any]:
    """Return base and grid of a sweep whose second half, with the larger capital, fails.

    It earns more than results can hold. Each half has a trial for each combination of the `axes`.
    """
    costless = {"perp_taker": "0", "spot_taker": "0", "slippage_bps": "0"}
    trading = {"min_funding_rate": "0.00001", "exit_funding_rate": "-1"}
    return {
        "base": BASE | costless | trading,
        "grid": {"initial_capital": ["1000", "92233720368.5477"], **axes},
    }


def sweep_spec(**changes: Any) -> SweepSpec:
    """Return a sweep of 120 trials over the generated market, all replayed, with `changes`."""
    body = {"name": "test", "base": BASE, "grid": GRID, "reuse": False, "validation": EVERYONE}
    return SweepSpec.parse(body | changes)


def copy_exchange(engine: sa.Engine, copy: str, *, with_records: bool = True) -> None:
    """Hold all markets of the generated exchange under another name as well, or their series alone."""
    with write_transaction(engine) as connection:
        if with_records:
            _copy(connection, market_record, market_record.c.exchange == "synthetic", exchange=copy)
        own = market_series.c.exchange == "synthetic"
        for old in connection.execute(sa.select(market_series).where(own)).all():
            values = {**dict(old._mapping), "exchange": copy}
            del values["id"]
            new = connection.execute(market_series.insert().values(values).returning(market_series.c.id))
            _copy(
                connection, market_segment, market_segment.c.series_id == old.id, series_id=new.scalar_one()
            )


def _copy(connection: sa.Connection, table: sa.Table, rows: sa.ColumnElement[bool], **changes: Any) -> None:
    columns = [sa.literal(changes[one.name], one.type) if one.name in changes else one for one in table.c]
    copied = sa.select(*columns).where(rows)
    connection.execute(table.insert().from_select([one.name for one in table.c], copied))


def metrics_of_trials(metrics: Mapping[str, Any], *, of_hedges: bool = False) -> dict[str, Any]:
    """Return the metrics of a run's document that its trial stores, of hedges only where it replays them."""
    left_out = () if of_hedges else OF_HEDGES
    return {name: value for name, value in metrics.items() if name not in left_out}


def submit(engine: sa.Engine, spec: SweepSpec, *, size: int | None = None, key: str | None = None) -> int:
    """Store the sweep in chunks of `size` and return its id."""
    with write_transaction(engine) as connection:
        return create_sweep(connection, spec, size=size, idempotency_key=key).sweep_id


def worked(engine: sa.Engine, spec: SweepSpec, *, size: int | None = None) -> int:
    """Store a sweep, replay its chunks in this process, the last one first, and return its id."""
    sweep_id = submit(engine, spec, size=size)
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())
    for found in reversed(chunks_of(engine, sweep_id)):
        runner.run(sweep_id, found.id, "test")
    return sweep_id


def stored_rows(engine: sa.Engine, sweep_id: int) -> list[dict[str, Any]]:
    """Return the finished trials of a sweep as rows by number."""
    with engine.connect() as connection:
        blocks = stored_trials.blocks_within(connection, sweep_id, 0, 2**31 - 1)
        rows = [row for block in blocks for row in block.rows(range(len(block)))]
        rows += stored_trials.failed_within(connection, sweep_id, 0, 2**31 - 1)
    return sorted(rows, key=itemgetter("number"))


def count_stored(engine: sa.Engine, sweep_id: int) -> int:
    """Return how many trials of a sweep have finished, as its chunks count them."""
    own = sa.select(sa.func.sum(chunk.c.trials_done)).where(chunk.c.sweep_id == sweep_id)
    with engine.connect() as connection:
        return int(connection.execute(own).scalar() or 0)


def alter_trial(engine: sa.Engine, sweep_id: int, number: int, **values: Any) -> None:
    """Overwrite metrics of a completed trial, given as the numbers that columns hold, or its run key."""
    with write_transaction(engine) as connection:
        for block in stored_trials.blocks_within(connection, sweep_id, number, number + 1):
            place = block.place(number)
            for name, value in values.items() if place is not None else ():
                _store_column(connection, block, *_altered(block, place, name, value))


def _altered(block: stored_trials.StoredBlock, place: Any, name: str, value: Any) -> tuple[str, bytes]:
    if name == "run_key":
        assert block.key_array is not None
        heads = block.key_array[:, : stored_trials.HEAD_BYTES].copy()
        heads[place] = list(bytes.fromhex(value))[: stored_trials.HEAD_BYTES]
        return stored_trials.RUN_KEY_HEAD, packed_digests(heads)
    column = block.metric(name).copy()
    column[place] = value
    return name, packed(column)


def _store_column(
    connection: sa.Connection, block: stored_trials.StoredBlock, name: str, data: bytes
) -> None:
    place = {"first": int(block.numbers[0]), "last": int(block.numbers[-1])}
    mine = sa.and_(trial_block.c.sweep_id == block.sweep_id, trial_block.c.first == place["first"])
    connection.execute(trial_block.delete().where(mine, trial_block.c.name == name))
    row = {"sweep_id": block.sweep_id, "name": name, **place, "data": data}
    connection.execute(trial_block.insert(), row)


def forget_columns(engine: sa.Engine, sweep_id: int, names: Collection[str]) -> None:
    """Leave a sweep as a program stored it that did not have these columns."""
    with write_transaction(engine) as connection:
        mine = sa.and_(trial_block.c.sweep_id == sweep_id, trial_block.c.name.in_(names))
        connection.execute(trial_block.delete().where(mine))


_recomputed: dict[tuple[str | bytes, ...], list[dict[str, Any]]] = {}


def recomputed_rows(engine: sa.Engine, sweep_id: int, spec: SweepSpec) -> list[dict[str, Any]]:
    """Return what the rows must be, replayed in this process: once for a specification and its run keys."""
    windows = WindowCache(HistoricalDataStore(engine))
    ready, refused = prepare(spec, range(spec.trial_count), windows)
    runs = [trials.run_keys.tobytes() for trials in ready]
    key = (json.dumps(spec.document() | {"name": ""}), *runs, *map(repr, refused))
    if key not in _recomputed:
        _recomputed[key] = _rows(sweep_id, spec, windows)
    return [row | {"sweep_id": sweep_id} for row in _recomputed[key]]


def _rows(sweep_id: int, spec: SweepSpec, windows: WindowCache) -> list[dict[str, Any]]:
    completed: list[CompletedTrials] = []
    rows: list[dict[str, Any]] = []
    for number in range(spec.trial_count):
        try:
            replayed = replayed_alone(number, replay_trial(spec, number, windows), windows)
            for refusal in replayed.refused:
                raise refusal.error
            completed.append(replayed.completed)
        except (BotError, ResultRangeError) as error:
            failed = failed_row(sweep_id, number, error.code, error.message)
            rows.append(stored_trials.whole_row(failed))
    if completed:
        blobs = {row["name"]: row["data"] for row in CompletedTrials.joined(completed).blocks(sweep_id)}
        rows += stored_trials.StoredBlock(sweep_id, blobs).rows(range(len(completed)))
    return sorted(rows, key=itemgetter("number"))


def completed_trials(rows: list[dict[str, Any]]) -> CompletedTrials:
    """Return stored rows of completed trials as the columns that they were made from."""
    return CompletedTrials(
        np.array([row["number"] for row in rows], dtype=np.int64),
        key_array([bytes.fromhex(row["run_key"]) for row in rows]),
        TrialColumns.of_values(rows, [row["ledger"] for row in rows]),
    )


def state_of(engine: sa.Engine, sweep_id: int) -> str:
    with engine.connect() as connection:
        return str(connection.execute(sa.select(sweep.c.state).where(sweep.c.id == sweep_id)).scalar_one())


def chunks_of(engine: sa.Engine, sweep_id: int) -> list[Any]:
    with engine.connect() as connection:
        return list(
            connection.execute(sa.select(chunk).where(chunk.c.sweep_id == sweep_id).order_by(chunk.c.lo))
        )


def assert_packed_as_stored(
    engine: sa.Engine, sweep_id: int, stored: list[dict[str, Any]] | None = None
) -> None:
    """Check that the packed metrics are those of the completed rows, each once; `stored` if read already."""
    rows = [row for row in stored or stored_rows(engine, sweep_id) if row["state"] == "completed"]
    with engine.connect() as connection:
        packed = measured(connection, sweep_id, tuple(METRICS))
    assert packed.numbers.tolist() == [row["number"] for row in rows]
    for name, kind in METRICS.items():
        known = packed.defined(name)
        values = [
            value if held else None for value, held in zip(packed.values[name].tolist(), known, strict=True)
        ]
        stored = [row[name] for row in rows]
        if kind is MetricKind.MONEY:
            stored = [None if value is None else money_units(value) for value in stored]
        assert values == stored, name


def assert_every_trial_once(engine: sa.Engine, sweep_id: int, spec: SweepSpec) -> None:
    """Check the promise: one right row a trial, nothing open, counters equal to the rows."""
    rows = stored_rows(engine, sweep_id)
    assert rows == recomputed_rows(engine, sweep_id, spec)
    assert_packed_as_stored(engine, sweep_id, rows)
    chunks = chunks_of(engine, sweep_id)
    assert {found.state for found in chunks} == {"done"}
    assert sum(found.trials_done for found in chunks) == spec.trial_count
    assert sum(found.trials_failed for found in chunks) == sum(row["state"] == "failed" for row in rows)
