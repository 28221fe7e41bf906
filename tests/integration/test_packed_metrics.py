"""Packed metrics stay those of the rows: reused, retried, interrupted, and for values at the edges."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from sweeping import assert_packed_as_stored, chunks_of, completed_trials, stored_rows, submit, sweep_spec

from bot.clock import SystemClock
from bot.config.run_config import RunConfig
from bot.errors import StoreError
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from bot.selection.distinct import TrialSet
from sweeps.lifecycle.deleting import delete_sweep
from sweeps.lifecycle.repository import resume_sweep
from sweeps.queue.leases import claim_chunk, save_trials
from sweeps.storage.blocks import NOTHING_KEPT, completed_numbers, measured
from sweeps.storage.derived_columns import DERIVED
from sweeps.storage.packing import packed, unpacked
from sweeps.storage.results import Results
from sweeps.storage.stored_trials import blocks_within
from sweeps.storage.tables import trial_block
from sweeps.work.replay import HeldWindow, WindowCache
from sweeps.work.runner import ChunkRunner

SPEC = sweep_spec(grid={"min_funding_rate": ["0.00002", "0.0001"], "max_price_age_hours": [2, 3, 4]})


class Fragile(WindowCache):
    """Windows that cannot be had with one age of prices."""

    def held(self, config: RunConfig) -> HeldWindow:
        if config.max_price_age_hours == 3:
            raise StoreError("made to fail")
        return super().held(config)


def run(engine: sa.Engine, sweep_id: int, windows: type[WindowCache] = WindowCache) -> None:
    runner = ChunkRunner(engine, windows(HistoricalDataStore(engine)), SystemClock())
    for found in chunks_of(engine, sweep_id):
        runner.run(sweep_id, found.id, "test")


def test_results_taken_over_from_another_sweep_are_packed(engine: sa.Engine) -> None:
    first = submit(engine, SPEC)
    second = submit(engine, sweep_spec(grid=SPEC.grid, reuse=True))
    run(engine, first)
    run(engine, second)
    rows = stored_rows(engine, second)
    assert [row["reused_sweep"] for row in rows] == [first] * SPEC.trial_count
    assert_packed_as_stored(engine, second)


def test_retried_trials_are_packed_once_they_complete(engine: sa.Engine) -> None:
    sweep_id = submit(engine, SPEC, size=4)
    run(engine, sweep_id, Fragile)
    assert sum(row["state"] == "failed" for row in stored_rows(engine, sweep_id)) == 2
    assert_packed_as_stored(engine, sweep_id)
    with write_transaction(engine) as connection:
        connection.execute(sa.text("UPDATE sweep SET state = 'completed'"))
        resume_sweep(connection, sweep_id)
    run(engine, sweep_id)
    assert {row["state"] for row in stored_rows(engine, sweep_id)} == {"completed"}
    assert_packed_as_stored(engine, sweep_id)
    known = TrialSet(np.arange(SPEC.trial_count))
    with engine.connect() as connection:
        found = measured(connection, sweep_id, ["sharpe"], kept=NOTHING_KEPT, known=known)
        assert found.numbers.tolist() == list(range(SPEC.trial_count))
        assert found.floats("sharpe").tolist() == [row["sharpe"] for row in stored_rows(engine, sweep_id)]


def test_numbers_of_trials_that_are_known_are_not_read_unless_others_were_completed_since(
    engine: sa.Engine,
) -> None:
    sweep_id = submit(engine, SPEC, size=4)
    run(engine, sweep_id)
    every, some = (TrialSet(np.arange(count)) for count in (SPEC.trial_count, 4))
    with engine.connect() as connection:
        numbers = list(completed_numbers(connection, sweep_id))
        assert np.concatenate(numbers).tolist() == list(range(SPEC.trial_count))
        assert measured(connection, sweep_id, ["sharpe"], known=every).trials is every
        assert isinstance(measured(connection, sweep_id, ["sharpe"], known=some).trials, np.ndarray)


def test_rows_saved_again_after_an_unknown_outcome_are_packed_once(engine: sa.Engine) -> None:
    template = submit(engine, SPEC)
    run(engine, template)
    sweep_id = submit(engine, SPEC)
    results = Results.of(sweep_id, [completed_trials(stored_rows(engine, template))])
    with write_transaction(engine) as connection:
        claim = claim_chunk(connection, sweep_id, 0, "test")
        assert claim
        for last in (False, True):
            save_trials(connection, claim, results, last=last)
    assert_packed_as_stored(engine, sweep_id)


def test_packed_metrics_go_with_their_sweep(engine: sa.Engine) -> None:
    sweep_id = submit(engine, SPEC)
    run(engine, sweep_id)
    with write_transaction(engine) as connection:
        delete_sweep(connection, sweep_id)
        assert connection.execute(sa.select(sa.func.count()).select_from(trial_block)).scalar() == 0
        assert len(measured(connection, sweep_id, ["sharpe"]).numbers) == 0


def test_columns_that_follow_from_others_are_stored_as_what_these_do_not_say(engine: sa.Engine) -> None:
    sweep_id = submit(engine, SPEC, size=6)
    run(engine, sweep_id)
    with engine.connect() as connection:
        query = sa.select(trial_block.c.name, trial_block.c.data).where(trial_block.c.sweep_id == sweep_id)
        blobs = {name: bytes(data) for name, data in connection.execute(query)}
    stored = {name: set(unpacked([blobs[name]], real=False).tolist()) for name in DERIVED}
    assert stored.pop("final_equity") == {10_000 * 10**8}
    assert stored.pop("extra_round_trips") == {-1}
    assert len(stored.pop("extra_fees")) < 6
    assert stored == {name: {0} for name in stored}


@pytest.mark.parametrize("size", [1, 2, 6])
def test_columns_of_few_blocks_and_of_many_are_those_of_the_rows(engine: sa.Engine, size: int) -> None:
    sweep_id = submit(engine, SPEC, size=size)
    run(engine, sweep_id)
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_context: object) -> None:
        statements.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        found = measured(connection, sweep_id, ["sharpe", "net_pnl"])
    sa.event.remove(engine, "before_cursor_execute", note)
    rows = stored_rows(engine, sweep_id)
    assert found.numbers.tolist() == [row["number"] for row in rows]
    assert found.floats("net_pnl").tolist() == [float(row["net_pnl"]) for row in rows]
    assert found.floats("sharpe").tolist() == [row["sharpe"] for row in rows]
    reads = sum("trial_block" in one for one in statements)
    assert reads == (9 if size == 1 else 2)  # six blocks of eight columns are read one by one


def test_places_of_trials_in_a_block_are_found_whatever_others_are_asked_for(engine: sa.Engine) -> None:
    sweep_id = submit(engine, SPEC, size=3)
    run(engine, sweep_id)
    with engine.connect() as connection:
        blocks = list(blocks_within(connection, sweep_id, 0, SPEC.trial_count))
    asked = [[0, 5], [1, 2, 3, 99], [-7], [4], list(range(-1, 9)), []]
    assert [[block.places(np.array(some, dtype=np.int64)) for block in blocks] for some in asked] == [
        [[0], [2]],
        [[1, 2], [0]],
        [[], []],
        [[], [1]],
        [[0, 1, 2], [0, 1, 2]],
        [[], []],
    ]


@pytest.mark.parametrize(
    "values",
    [
        np.array([], dtype=np.int64),
        np.array([-(2**63), 2**63 - 1, 0, -1], dtype=np.int64),
        np.array([np.nan, np.inf, -0.0, 5e-324, 1.7976931348623157e308]),
    ],
)
def test_packing_loses_no_bit(values: Any) -> None:
    real = values.dtype == np.float64
    found = unpacked([packed(values), packed(values[:1])], real=real)
    assert found.tobytes() == values.tobytes() + values[:1].tobytes()


def test_amounts_beyond_a_float_are_ordered_exactly(engine: sa.Engine) -> None:
    template = submit(engine, SPEC)
    run(engine, template)
    sweep_id = submit(engine, SPEC)
    big = Decimal("90000000000.00000001")
    rows = [
        {**row, "net_pnl": big + Decimal(row["number"]).scaleb(-8)} for row in stored_rows(engine, template)
    ]
    with write_transaction(engine) as connection:
        claim = claim_chunk(connection, sweep_id, 0, "test")
        assert claim
        save_trials(connection, claim, Results.of(sweep_id, [completed_trials(rows)]), last=True)
        found = measured(connection, sweep_id, ["net_pnl"]).values["net_pnl"].tolist()
    assert found == [9_000_000_000_000_000_001 + number for number in range(SPEC.trial_count)]
