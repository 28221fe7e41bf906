"""Writes about whole sweeps: create, cancel, resume, delete. The caller owns the transaction."""

import json
from dataclasses import dataclass

import sqlalchemy as sa

from bot import ENGINE_VERSION
from bot.data.database import insert_or_skip
from sweeps.chunks import chunk_ranges, chunk_size, trial_seconds
from sweeps.columns import database_now_ms
from sweeps.errors import IdempotencyConflictError, SweepStateError, UnknownSweepError
from sweeps.heartbeats import live_slots
from sweeps.spec import SweepSpec
from sweeps.tables import chunk, sweep, trial, trial_curve
from sweeps.trial import ACTIVE, ChunkState, SweepState, TrialState, sweep_sources


@dataclass(frozen=True, slots=True)
class Created:
    """A sweep that now exists; `new` is false if its idempotency key had created it before."""

    sweep_id: int
    new: bool


def create_sweep(
    connection: sa.Connection, spec: SweepSpec, *, idempotency_key: str | None = None, size: int | None = None
) -> Created:
    """Store the sweep and its chunks of `size` trials (by default by time) and return its id.

    Raises: IdempotencyConflictError if the key created another sweep.
    """
    now_ms = connection.execute(sa.select(database_now_ms())).scalar_one()
    values = {
        "name": spec.name,
        "spec": json.dumps(spec.document(), separators=(",", ":")),
        "spec_digest": spec.digest,
        "engine_version": ENGINE_VERSION,
        "state": SweepState.QUEUED,
        "trials_total": spec.trial_count,
        "idempotency_key": idempotency_key,
        "created_ms": now_ms,
    }
    sweep_id = connection.execute(
        insert_or_skip(connection, sweep).values(values).returning(sweep.c.id)
    ).scalar_one_or_none()
    if sweep_id is None:
        return _created_before(connection, spec, idempotency_key)
    size = size or chunk_size(spec.trial_count, trial_seconds(spec), live_slots(connection))
    rows = [
        {"sweep_id": sweep_id, "id": index, "lo": lo, "hi": hi, "state": ChunkState.PENDING}
        for index, (lo, hi) in enumerate(chunk_ranges(spec.trial_count, size))
    ]
    connection.execute(chunk.insert(), rows)
    return Created(sweep_id, new=True)


def _created_before(connection: sa.Connection, spec: SweepSpec, key: str | None) -> Created:
    found = connection.execute(
        sa.select(sweep.c.id, sweep.c.spec_digest).where(sweep.c.idempotency_key == key)
    ).one()
    if found.spec_digest != spec.digest:
        raise IdempotencyConflictError(
            f"the idempotency key {key!r} belongs to sweep {found.id}, another body"
        )
    return Created(found.id, new=False)


def cancel_sweep(connection: sa.Connection, sweep_id: int) -> None:
    """End a sweep, keeping what is done; cancelling twice is fine.

    Raises: UnknownSweepError; SweepStateError if it ended otherwise.
    """
    moved = _move(connection, sweep_id, SweepState.CANCELLED, finished_ms=database_now_ms())
    if moved:
        return
    state = sweep_state(connection, sweep_id)
    if state is not SweepState.CANCELLED:
        raise SweepStateError(f"sweep {sweep_id} is {state} and cannot be cancelled")


def resume_sweep(connection: sa.Connection, sweep_id: int) -> None:
    """Queue the rest of an ended sweep again, and its failed trials; an active one is left alone.

    A worker that has not yet noticed the end loses its chunk.
    Raises: UnknownSweepError; SweepStateError if every trial has its result.
    """
    if sweep_state(connection, sweep_id) in ACTIVE:
        return
    mine = chunk.c.sweep_id == sweep_id
    failed = sa.and_(chunk.c.state == ChunkState.DONE, chunk.c.trials_failed > 0)
    unfinished = chunk.c.state != ChunkState.DONE
    reopened = connection.execute(
        chunk.update()
        .where(mine, sa.or_(failed, unfinished))
        .values(
            state=ChunkState.PENDING,
            attempts=0,
            token=chunk.c.token + 1,
            owner=None,
            lease_until_ms=None,
            trials_done=chunk.c.trials_done - chunk.c.trials_failed,
            trials_failed=0,
            published_ms=None,
        )
    ).rowcount
    if not reopened:
        raise SweepStateError(f"sweep {sweep_id} has the result of every trial; nothing to resume")
    connection.execute(trial.delete().where(trial.c.sweep_id == sweep_id, trial.c.state == TrialState.FAILED))
    _move(connection, sweep_id, SweepState.QUEUED, started_ms=None, finished_ms=None)


def delete_sweep(connection: sa.Connection, sweep_id: int) -> None:
    """Remove a sweep with all its rows; raises UnknownSweepError."""
    sweep_state(connection, sweep_id)
    # Chunks first: a worker that stores results holds its chunk's row, so the two wait for each other here.
    for table in (chunk, trial_curve, trial):
        connection.execute(table.delete().where(table.c.sweep_id == sweep_id))
    connection.execute(sweep.delete().where(sweep.c.id == sweep_id))


def sweep_state(connection: sa.Connection, sweep_id: int) -> SweepState:
    """Return the state of a sweep; raises UnknownSweepError."""
    state = connection.execute(sa.select(sweep.c.state).where(sweep.c.id == sweep_id)).scalar_one_or_none()
    if state is None:
        raise UnknownSweepError(f"there is no sweep {sweep_id}")
    return SweepState(state)


def _move(connection: sa.Connection, sweep_id: int, target: SweepState, **values: object) -> bool:
    moved = connection.execute(
        sweep.update()
        .where(sweep.c.id == sweep_id, sweep.c.state.in_(sweep_sources(target)))
        .values(state=target, **values)
    )
    return moved.rowcount == 1
