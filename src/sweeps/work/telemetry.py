"""The state of the whole service in numbers, read from SQL, for monitors."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from bot.kernel.unfit import Reason
from sweeps.analysis.progress import ended_as
from sweeps.queue.counters import (
    CHUNK_SECONDS,
    CHUNK_SECONDS_BOUNDS,
    CHUNKS_ISOLATED,
    KERNEL_DIFFERENCES,
    LEASES_EXPIRED,
    TRIALS_BY_KERNEL,
    TRIALS_COMPLETED,
    TRIALS_FAILED,
    bucket_name,
    counted,
    left_name,
)
from sweeps.queue.heartbeats import Component, live_beats
from sweeps.queue.reconcile import outstanding
from sweeps.storage.states import ACTIVE, ChunkState, SweepOutcome, SweepState
from sweeps.storage.tables import chunk, is_shown, sweep
from sweeps.work.dispatch import LEAST_WINDOW, MESSAGES_PER_SLOT


@dataclass(frozen=True, slots=True)
class Durations:
    """Chunks that took up to each bound (seconds, None for any), each counted once, and their sum."""

    buckets: tuple[tuple[float | None, int], ...]
    total_seconds: float


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Counts since the database was created, and what goes on now."""

    trials_completed: int
    trials_failed: int
    leases_expired: int
    chunks_isolated: int
    trials_by_kernel: int
    trials_left: Mapping[str, int]
    kernel_differences: int
    chunk_seconds: Durations
    sweeps: Mapping[SweepState, int]
    completed_with_failures: int
    open_chunks: Mapping[ChunkState, int]
    trials_waiting: int
    messages_outstanding: int
    queue_window: int
    processes: Mapping[Component, int]
    slots: int


def telemetry(connection: sa.Connection) -> Telemetry:
    """Return the service in numbers, as one transaction sees it."""
    counts = counted(connection)
    beats = live_beats(connection)
    slots = sum(beat.slots for beat in beats if beat.component is Component.WORKER)
    open_chunks, waiting = _open_chunks(connection)
    return Telemetry(
        trials_completed=counts.get(TRIALS_COMPLETED, 0),
        trials_failed=counts.get(TRIALS_FAILED, 0),
        leases_expired=counts.get(LEASES_EXPIRED, 0),
        chunks_isolated=counts.get(CHUNKS_ISOLATED, 0),
        trials_by_kernel=counts.get(TRIALS_BY_KERNEL, 0),
        trials_left={str(reason): counts.get(left_name(reason), 0) for reason in Reason},
        kernel_differences=counts.get(KERNEL_DIFFERENCES, 0),
        chunk_seconds=_durations(counts),
        sweeps=_sweeps(connection),
        completed_with_failures=_completed_with_failures(connection),
        open_chunks=open_chunks,
        trials_waiting=waiting,
        messages_outstanding=outstanding(connection),
        queue_window=max(LEAST_WINDOW, MESSAGES_PER_SLOT * slots),
        processes={one: sum(beat.component is one for beat in beats) for one in Component},
        slots=slots,
    )


def _durations(counts: Mapping[str, int]) -> Durations:
    bounds = (*CHUNK_SECONDS_BOUNDS, None)
    buckets = tuple((bound, counts.get(bucket_name(bound), 0)) for bound in bounds)
    return Durations(buckets, counts.get(f"{CHUNK_SECONDS}_ms", 0) / 1000)


def _sweeps(connection: sa.Connection) -> dict[SweepState, int]:
    rows = connection.execute(
        sa.select(sweep.c.state, sa.func.count()).where(is_shown()).group_by(sweep.c.state)
    )
    found = {SweepState(state): number for state, number in rows}
    return {state: found.get(state, 0) for state in SweepState}


def _completed_with_failures(connection: sa.Connection) -> int:
    ended = ended_as(SweepOutcome.COMPLETED_WITH_FAILURES)
    return connection.execute(sa.select(sa.func.count()).select_from(sweep).where(ended)).scalar_one()


def _open_chunks(connection: sa.Connection) -> tuple[dict[ChunkState, int], int]:
    """Return the chunks of active sweeps that are not done, and their trials without a result."""
    rows = connection.execute(
        sa.select(
            chunk.c.state,
            sa.func.count(),
            sa.func.sum(chunk.c.hi - chunk.c.lo - chunk.c.trials_done),
        )
        .join(sweep, sweep.c.id == chunk.c.sweep_id)
        .where(sweep.c.state.in_(ACTIVE), chunk.c.state != ChunkState.DONE)
        .group_by(chunk.c.state)
    ).all()
    found = {ChunkState(state): number for state, number, _ in rows}
    states = {state: found.get(state, 0) for state in (ChunkState.PENDING, ChunkState.RUNNING)}
    return states, sum(int(waiting) for _, _, waiting in rows)
