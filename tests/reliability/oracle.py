"""Invariants of a sweep after every fault: each trial once and right, nothing open, nothing damaged."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sweeping import assert_packed_as_stored, chunks_of, recomputed_rows, stored_rows

from sweeps.queue.leases import ATTEMPT_LIMIT
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import NUMBER
from sweeps.storage.stored_trials import blocks_within, failed_within
from sweeps.storage.tables import chunk, sweep


def assert_promise_kept(
    engine: sa.Engine, sweep_id: int, spec: SweepSpec, given_up: Mapping[int, str]
) -> None:
    """Check a completed sweep; `given_up` are the numbers and error codes of trials that do harm."""
    rows = stored_rows(engine, sweep_id)
    right = [row for row in recomputed_rows(engine, sweep_id, spec) if row["number"] not in given_up]
    assert [row["number"] for row in rows] == list(range(spec.trial_count))
    assert [row for row in rows if row["number"] not in given_up] == right
    assert {row["number"]: row["error_code"] for row in rows if row["number"] in given_up} == dict(given_up)
    assert_no_trial_twice(engine, sweep_id, spec.trial_count)
    assert_packed_as_stored(engine, sweep_id, rows)
    assert_nothing_is_open(engine, sweep_id, rows)
    assert_ended_once(engine, sweep_id)
    assert_undamaged(engine)


def assert_no_trial_twice(engine: sa.Engine, sweep_id: int, total: int) -> None:
    """Check that no trial is in two blocks, nor failed and in a block."""
    with engine.connect() as connection:
        blocks = list(blocks_within(connection, sweep_id, 0, total, (NUMBER,)))
        failed = failed_within(connection, sweep_id, 0, total)
    numbers = [row["number"] for row in failed]
    for block in blocks:
        numbers += block.numbers.tolist()
    assert len(numbers) == len(set(numbers))


def assert_nothing_is_open(engine: sa.Engine, sweep_id: int, rows: list[dict[str, Any]]) -> None:
    """Check that every chunk is done within its attempts, and that the chunks count what the rows say."""
    chunks = chunks_of(engine, sweep_id)
    assert {found.state for found in chunks} == {"done"}
    assert {(found.owner, found.lease_until_ms) for found in chunks} == {(None, None)}
    assert max(found.attempts for found in chunks) <= ATTEMPT_LIMIT
    assert [(found.lo, found.hi) for found in chunks] == _adjoining(chunks, len(rows))
    assert sum(found.trials_done for found in chunks) == len(rows)
    assert sum(found.trials_failed for found in chunks) == sum(row["state"] == "failed" for row in rows)


def _adjoining(chunks: list[Any], trials: int) -> list[tuple[int, int]]:
    """Return the ranges that begin where these chunks begin, and end where the next one begins."""
    begins = [found.lo for found in chunks]
    return list(zip(begins, [*begins[1:], trials], strict=True))


def assert_ended_once(engine: sa.Engine, sweep_id: int) -> None:
    """Check that the sweep is complete since its last chunk."""
    last = sa.select(sa.func.max(chunk.c.finished_ms)).where(chunk.c.sweep_id == sweep_id)
    with engine.connect() as connection:
        found = connection.execute(sa.select(sweep).where(sweep.c.id == sweep_id)).one()
        assert found.state == "completed"
        assert found.reason is None
        assert found.created_ms <= found.started_ms <= connection.execute(last).scalar_one()
        assert found.finished_ms >= connection.execute(last).scalar_one()


def assert_undamaged(engine: sa.Engine) -> None:
    """Check what the database can check of itself."""
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA integrity_check")).scalars().all() == ["ok"]
        assert connection.execute(sa.text("PRAGMA foreign_key_check")).all() == []
