"""Deletion of sweeps: hidden at once, their rows deleted in small transactions so that others can write."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, NoResultFound

from bot.market_store.database import write_transaction
from sweeps.errors import UnknownSweepError
from sweeps.lifecycle.looks import keep_looks
from sweeps.lifecycle.repository import sweep_state
from sweeps.storage.blocks import NUMBER
from sweeps.storage.stored_trials import ALL_COLUMNS
from sweeps.storage.tables import (
    DELETING,
    chunk,
    compiled_sweep,
    failed_trial,
    is_shown,
    selection_report,
    selection_sums,
    sweep,
    sweep_fingerprint,
    sweep_tag,
    sweep_window,
    trial_block,
    trial_curve,
    trial_mark,
)

TRIALS_AT_ONCE = 2_000
_LEAST_PAUSE_S = 0.005
_ANY_DELETED = sa.select(sweep.c.id).where(sweep.c.state == DELETING).limit(1)


def delete_sweep(connection: sa.Connection, sweep_id: int) -> None:
    """Let a sweep be gone: no list, page or worker finds it any more, and its idempotency key is free.

    Its looks stay.

    One of up to `TRIALS_AT_ONCE` trials goes with all its rows, the rows of a larger one by `delete_rows`.
    Raises: UnknownSweepError.
    """
    # The chunks go first: a worker that stores results holds its chunk's row, so the two wait for each other.
    mine = sa.select(chunk.c.id).where(chunk.c.sweep_id == sweep_id)
    connection.execute(mine.with_for_update()).all()
    keep_looks(connection, sweep_id)
    connection.execute(chunk.delete().where(chunk.c.sweep_id == sweep_id))
    marked = connection.execute(
        sweep.update()
        .where(sweep.c.id == sweep_id, is_shown())
        .values(state=DELETING, idempotency_key=None)
        .returning(sweep.c.trials_total)
    ).scalar_one_or_none()
    if marked is None:
        raise UnknownSweepError(f"there is no sweep {sweep_id}")
    for table in (sweep_tag, sweep_window, sweep_fingerprint, compiled_sweep, selection_report, trial_mark):
        connection.execute(table.delete().where(table.c.sweep_id == sweep_id))
    if marked <= TRIALS_AT_ONCE:
        _delete_some(connection, sweep_id)
        connection.execute(sweep.delete().where(sweep.c.id == sweep_id))


@contextmanager
def unless_deleted(engine: sa.Engine, sweep_id: int) -> Iterator[None]:
    """Let work on a sweep that misses rows end with UnknownSweepError where a deletion has taken them away.

    On PostgreSQL each statement sees what was committed before it, also by others.
    """
    try:
        yield
    except (NoResultFound, IntegrityError):
        with engine.connect() as connection:
            sweep_state(connection, sweep_id)
        raise


def is_deleting(connection: sa.Connection) -> bool:
    """Return whether rows of a deleted sweep are still there."""
    return connection.execute(_ANY_DELETED).first() is not None


def delete_rows(connection: sa.Connection) -> bool:
    """Delete some rows of the oldest sweep that is being deleted; return whether there was anything to do."""
    oldest = sa.select(sweep.c.id).where(sweep.c.state == DELETING).order_by(sweep.c.id).limit(1)
    sweep_id = connection.execute(oldest).scalar_one_or_none()
    if sweep_id is None:
        return False
    if not _delete_some(connection, sweep_id):
        connection.execute(sweep.delete().where(sweep.c.id == sweep_id))
    return True


def finish_deletions(engine: sa.Engine, sleep: Callable[[float], None] = time.sleep) -> None:
    """Delete all rows of sweeps that are being deleted, with pauses as long as the transactions."""
    more = True
    while more:
        began = time.perf_counter()
        with write_transaction(engine) as connection:
            more = delete_rows(connection)
        if more:
            sleep(max(time.perf_counter() - began, _LEAST_PAUSE_S))


def _delete_some(connection: sa.Connection, sweep_id: int) -> int:
    """Delete what is stored of a sweep's first trials that are there, and return how many rows that were."""
    lowest = [
        sa.select(sa.func.min(number)).where(*mine).scalar_subquery()
        for number, mine in _numbered(sweep_id, [NUMBER])
    ]
    found = [number for number in connection.execute(sa.select(*lowest)).one() if number is not None]
    if not found:
        return 0
    some = min(found) + TRIALS_AT_ONCE
    rows = [
        sa.delete(number.table).where(*mine, number < some)
        for number, mine in _numbered(sweep_id, ALL_COLUMNS)
    ]
    return sum(connection.execute(deletion).rowcount for deletion in rows)


def _numbered(sweep_id: int, names: Sequence[str]) -> list[tuple[sa.Column[int], list[Any]]]:
    """Return what trials of a sweep are found by: a column of their numbers, and the condition of its rows.

    Of blocks only the columns `names`; what else there may be goes with the row of the sweep.
    """
    of_trials = [(table.c.number, [table.c.sweep_id == sweep_id]) for table in (trial_curve, failed_trial)]
    block, sums = trial_block.c, selection_sums.c
    return [
        *of_trials,
        (sums.first, [sums.sweep_id == sweep_id]),
        (block.first, [block.sweep_id == sweep_id, block.name.in_(names)]),
    ]
