"""Counts of what happened, kept in SQL beside what they count: right for any number of processes."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from sweeps.storage.tables import counter

TRIALS_COMPLETED = "trials_completed"
TRIALS_FAILED = "trials_failed"
LEASES_EXPIRED = "leases_expired"
CHUNKS_ISOLATED = "chunks_isolated"
TRIALS_BY_KERNEL = "trials_by_kernel"
TRIALS_LEFT = "trials_left_by_kernel"
KERNEL_DIFFERENCES = "kernel_differences"
CHUNK_SECONDS = "chunk_seconds"
CHUNK_SECONDS_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_SHARDS = 16


def count(connection: sa.Connection, amounts: Mapping[str, int], *, writer: int = 0) -> None:
    """Add to the counts, in the caller's transaction; those with another `writer` rarely wait for it."""
    rows = [
        {"name": name, "shard": writer % _SHARDS, "amount": amount}
        for name, amount in sorted(amounts.items())
        if amount
    ]
    if not rows:
        return
    connection.execute(_adding(connection.dialect.name), rows)


@cache
def _adding(dialect: str) -> sa.Insert:
    """Return the statement that adds to counts; putting it together takes as long as it does."""
    upsert: Any = (postgresql if dialect == "postgresql" else sqlite).insert(counter)
    added: sa.Insert = upsert.on_conflict_do_update(
        index_elements=[counter.c.name, counter.c.shard],
        set_={"amount": counter.c.amount + upsert.excluded.amount},
    )
    return added


def chunk_took(elapsed_ms: int) -> dict[str, int]:
    """Return the counts of one chunk that took so long: its bucket of the histogram and the time itself."""
    bound = next((bound for bound in CHUNK_SECONDS_BOUNDS if elapsed_ms <= bound * 1000), None)
    return {bucket_name(bound): 1, f"{CHUNK_SECONDS}_ms": elapsed_ms}


def finished_trials(*, completed: int = 0, failed: int = 0) -> dict[str, int]:
    """Return the counts of trials that have finished."""
    return {TRIALS_COMPLETED: completed, TRIALS_FAILED: failed}


def replay_paths(by_kernel: int, left: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of trials that the compiled kernel replayed, and of those it left, by reason."""
    return {TRIALS_BY_KERNEL: by_kernel, **{left_name(reason): number for reason, number in left.items()}}


def left_name(reason: str) -> str:
    """Return the name for trials that the kernel left for a reason."""
    return f"{TRIALS_LEFT}_{reason}"


def bucket_name(bound: float | None) -> str:
    """Return the name for chunks up to `bound` seconds and over the bound before it, None for the longest."""
    return f"{CHUNK_SECONDS}_le_{'inf' if bound is None else f'{bound:g}'}"


def counted(connection: sa.Connection) -> dict[str, int]:
    """Return every count by name."""
    rows = connection.execute(
        sa.select(counter.c.name, sa.func.sum(counter.c.amount)).group_by(counter.c.name)
    )
    return {name: int(amount) for name, amount in rows}
