"""Runs that completed trials have made, found by their key among those over the same history."""

from typing import Any

import sqlalchemy as sa

from sweeps.storage.tables import (
    HEAD_BYTES,
    RUN_KEY_HEAD,
    RUN_KEY_TAIL,
    UNKNOWN_HISTORY,
    sweep_fingerprint,
    trial_block,
)

_HASH_DIGITS = 15


def blocks_over(data_fingerprint: str, *columns: sa.Column[Any]) -> sa.Select[Any]:
    """Return the query of blocks with trials over a history, and others perhaps, by the heads of run keys."""
    histories = (digest_number(data_fingerprint), UNKNOWN_HISTORY)
    return (
        sa.select(trial_block.c.sweep_id, trial_block.c.first, *columns)
        .join(sweep_fingerprint, sweep_fingerprint.c.sweep_id == trial_block.c.sweep_id)
        .where(sweep_fingerprint.c.fingerprint.in_(histories), trial_block.c.name == RUN_KEY_HEAD)
    )


def is_stored_run(connection: sa.Connection, run_key: str, data_fingerprint: str) -> bool:
    """Return whether a completed trial of any sweep has made this run."""
    head = bytes.fromhex(run_key[: 2 * HEAD_BYTES])
    rows = connection.execute(blocks_over(data_fingerprint, trial_block.c.data))
    places = [(sweep_id, first) for sweep_id, first, data in rows if head in data]
    if not places:
        return False
    from sweeps.storage.stored_trials import blocks_at  # noqa: PLC0415 - slow to load, and rarely needed

    return any(
        run_key in block.run_keys
        for sweep_id, first in places
        for block in blocks_at(connection, sweep_id, [first], (RUN_KEY_HEAD, RUN_KEY_TAIL))
    )


def digest_number(digest: str) -> int:
    """Return the first 60 bits of a hex digest: enough to find it by, small enough for an index."""
    return int(digest[:_HASH_DIGITS], 16)
