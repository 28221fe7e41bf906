"""Writes about whole sweeps: create, cancel, resume. The caller owns the transaction."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from bot import ENGINE_VERSION
from bot.market_store.database import database_now_ms
from bot.notation import quoted
from sweeps.errors import IdempotencyConflictError, SweepStateError, UnknownSweepError
from sweeps.lifecycle.data_pin import pinned, refuse_incompatible
from sweeps.queue.chunks import chunk_ranges, chunk_sizes
from sweeps.queue.heartbeats import live_slots
from sweeps.queue.rates import measured_rates
from sweeps.spec.spec import SweepSpec
from sweeps.storage.candidates import keep_candidate
from sweeps.storage.notifications import keep_address, notification_row, notify_again
from sweeps.storage.selection import forget_reports
from sweeps.storage.states import ACTIVE, ChunkState, SweepState, sweep_sources
from sweeps.storage.stored_specs import store_compiled
from sweeps.storage.tables import chunk, failed_trial, is_shown, sweep


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
    text = spec_text(spec)
    values = {
        "name": spec.name,
        "spec": text,
        "spec_digest": spec.digest,
        "engine_version": ENGINE_VERSION,
        "state": SweepState.QUEUED,
        "trials_total": spec.trial_count,
        "idempotency_key": idempotency_key,
        **pinned(connection, spec),
    }
    sweep_id = connection.execute(_creating(connection.dialect.name), values).scalar_one_or_none()
    if sweep_id is None:
        return _created_before(connection, spec, idempotency_key)
    store_compiled(connection, sweep_id, text, spec)
    if spec.notify_url is not None:
        keep_address(connection, sweep_id, spec.notify_url)
    add_chunks(connection, sweep_id, spec, first=0, size=size)
    return Created(sweep_id, new=True)


@cache
def _creating(dialect: str) -> ReturningInsert[int]:
    """Return the statement that stores a sweep, unless its idempotency key has created one before."""
    insert: Any = (postgresql if dialect == "postgresql" else sqlite).insert(sweep)
    created = insert.values(created_ms=database_now_ms()).on_conflict_do_nothing()
    found: ReturningInsert[int] = created.returning(sweep.c.id)
    return found


def spec_text(spec: SweepSpec) -> str:
    """Return a sweep as it is stored."""
    return json.dumps(spec.document(), separators=(",", ":"))


def add_chunks(
    connection: sa.Connection, sweep_id: int, spec: SweepSpec, *, first: int, size: int | None = None
) -> None:
    """Cut the trials from number `first` on into chunks of `size` trials, by default by time."""
    trials = spec.trial_count - first
    if size:
        sizes = [min(size, trials - lo) for lo in range(0, trials, size)]
    else:
        seconds = measured_rates(connection).trial_seconds(spec)
        sizes = chunk_sizes(trials, seconds, live_slots(connection))
    next_id = 0
    if first:
        highest = sa.select(sa.func.max(chunk.c.id)).where(chunk.c.sweep_id == sweep_id)
        next_id = (connection.execute(highest).scalar_one_or_none() or 0) + 1
    rows = [
        {
            "sweep_id": sweep_id,
            "id": next_id + index,
            "lo": first + lo,
            "hi": first + hi,
            "state": ChunkState.PENDING,
        }
        for index, (lo, hi) in enumerate(chunk_ranges(sizes))
    ]
    connection.execute(chunk.insert(), rows)


def _created_before(connection: sa.Connection, spec: SweepSpec, key: str | None) -> Created:
    found = connection.execute(
        sa.select(sweep.c.id, sweep.c.spec_digest).where(sweep.c.idempotency_key == key)
    ).one()
    told = notification_row(connection, found.id)
    if found.spec_digest != spec.digest or spec.notify_url != (told and told.url):
        raise IdempotencyConflictError(
            f"the idempotency key {quoted(key)} belongs to sweep {found.id}, another body"
        )
    return Created(found.id, new=False)


def cancel_sweep(connection: sa.Connection, sweep_id: int, reason: str | None = None) -> None:
    """End a sweep, keeping what is done; cancelling twice is fine.

    Raises: UnknownSweepError; SweepStateError if it ended otherwise.
    """
    moved = move_sweep(
        connection, sweep_id, SweepState.CANCELLED, finished_ms=database_now_ms(), reason=reason
    )
    if moved:
        return
    state = sweep_state(connection, sweep_id)
    if state is not SweepState.CANCELLED:
        raise SweepStateError(f"sweep {sweep_id} is {state} and cannot be cancelled")


def resume_sweep(connection: sa.Connection, sweep_id: int) -> None:
    """Queue the rest of a paused or ended sweep again, and its failed trials; an active one is left alone.

    A worker that has not yet noticed the end loses its chunk. One that was paused or cancelled while its last
    trials were stored has nothing left to replay: it is completed, with its report.
    Raises: UnknownSweepError; SweepStateError if it is completed without failed trials, or if its data were
    changed.
    """
    state = sweep_state(connection, sweep_id)
    if state in ACTIVE:
        return
    refuse_incompatible(connection, sweep_id)
    reopened = _reopen(connection, sweep_id, chunk.c.state != ChunkState.DONE)
    if not reopened and state is SweepState.COMPLETED:
        raise SweepStateError(f"sweep {sweep_id} has the result of every trial; nothing to resume")
    requeue(connection, sweep_id, has_work=bool(reopened))


def retry_failed(connection: sa.Connection, sweep_id: int) -> int:
    """Queue the failed trials of a sweep again, and nothing else; return how many there are.

    A completed sweep runs again for them, a paused one stays paused.
    Raises: UnknownSweepError; SweepStateError if it was cancelled or its data were changed.
    """
    state = sweep_state(connection, sweep_id)
    if state is SweepState.CANCELLED:
        raise SweepStateError(f"sweep {sweep_id} is cancelled; resume it to finish it and retry what failed")
    refuse_incompatible(connection, sweep_id)
    failed = connection.execute(
        sa.select(sa.func.sum(chunk.c.trials_failed)).where(chunk.c.sweep_id == sweep_id)
    ).scalar_one()
    if _reopen(connection, sweep_id) and state in {SweepState.COMPLETED, SweepState.FAILED}:
        requeue(connection, sweep_id)
    return int(failed or 0)


def pause_sweep(connection: sa.Connection, sweep_id: int) -> None:
    """Start no more trials of a sweep until it is resumed; pausing twice is fine.

    Raises: UnknownSweepError; SweepStateError if it has ended.
    """
    if move_sweep(connection, sweep_id, SweepState.PAUSED):
        return
    state = sweep_state(connection, sweep_id)
    if state is not SweepState.PAUSED:
        raise SweepStateError(f"sweep {sweep_id} is {state} and cannot be paused")


def requeue(connection: sa.Connection, sweep_id: int, *, has_work: bool = True) -> None:
    """Let a paused or ended sweep run again; what its selection was judged to be is no longer true.

    It starts with its first chunk, or, if it `has_work` for nobody, has started when it did.
    """
    forget_reports(connection, sweep_id)
    keep_candidate(connection, sweep_id, None)
    notify_again(connection, sweep_id)
    anew = {"started_ms": None} if has_work else {}
    move_sweep(connection, sweep_id, SweepState.QUEUED, finished_ms=None, reason=None, **anew)


def _reopen(connection: sa.Connection, sweep_id: int, besides: sa.ColumnElement[bool] | None = None) -> int:
    """Open the chunks with failed trials, and those `besides`; return how many chunks that were."""
    mine = chunk.c.sweep_id == sweep_id
    failed = sa.and_(chunk.c.state == ChunkState.DONE, chunk.c.trials_failed > 0)
    wanted = failed if besides is None else sa.or_(failed, besides)
    # Locked: what a worker stores at this moment is there by then, or is not stored.
    query = sa.select(chunk.c.lo, chunk.c.hi).where(mine, wanted).order_by(chunk.c.lo).with_for_update()
    found = connection.execute(query)
    if ranges := _joined((lo, hi) for lo, hi in found):
        number = failed_trial.c.number
        inside = sa.and_(number >= sa.bindparam("first"), number < sa.bindparam("end"))
        connection.execute(
            failed_trial.delete().where(failed_trial.c.sweep_id == sweep_id, inside),
            [{"first": lo, "end": hi} for lo, hi in ranges],
        )
    return connection.execute(
        chunk.update()
        .where(mine, wanted)
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


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ascending ranges with those that adjoin made one."""
    joined: list[tuple[int, int]] = []
    for lo, hi in ranges:
        if joined and joined[-1][1] == lo:
            joined[-1] = (joined[-1][0], hi)
        else:
            joined.append((lo, hi))
    return joined


def sweep_state(connection: sa.Connection, sweep_id: int) -> SweepState:
    """Return the state of a sweep; raises UnknownSweepError."""
    state = connection.execute(
        sa.select(sweep.c.state).where(sweep.c.id == sweep_id, is_shown())
    ).scalar_one_or_none()
    if state is None:
        raise UnknownSweepError(f"there is no sweep {sweep_id}")
    return SweepState(state)


def move_sweep(connection: sa.Connection, sweep_id: int, target: SweepState, **values: object) -> bool:
    """Bring a sweep into another state if it may go there; return whether it did."""
    moved = connection.execute(
        sweep.update()
        .where(sweep.c.id == sweep_id, sweep.c.state.in_(sweep_sources(target)))
        .values(state=target, **values)
    )
    return moved.rowcount == 1
