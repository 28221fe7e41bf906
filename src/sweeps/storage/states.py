"""States of sweeps, chunks and trials, each with its table of legal moves."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class SweepState(StrEnum):
    """Life of a sweep; `failed` means that every trial failed."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SweepOutcome(StrEnum):
    """End of a sweep as people judge it: its state, and whether trials failed in a completed one."""

    COMPLETED = "completed"
    COMPLETED_WITH_FAILURES = "completed_with_failures"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ChunkState(StrEnum):
    """Life of a chunk, a range of trial numbers that one task replays."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"


class TrialState(StrEnum):
    """Life of a trial; only finished ones have a row."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"


ACTIVE = (SweepState.QUEUED, SweepState.RUNNING)
ENDED = (SweepState.COMPLETED, SweepState.FAILED, SweepState.CANCELLED)

SWEEP_MOVES: Mapping[SweepState, frozenset[SweepState]] = MappingProxyType(
    {
        SweepState.QUEUED: frozenset(
            {
                SweepState.RUNNING,
                SweepState.PAUSED,
                SweepState.COMPLETED,
                SweepState.FAILED,
                SweepState.CANCELLED,
            }
        ),
        SweepState.RUNNING: frozenset(
            {SweepState.PAUSED, SweepState.COMPLETED, SweepState.FAILED, SweepState.CANCELLED}
        ),
        SweepState.PAUSED: frozenset({SweepState.QUEUED, SweepState.CANCELLED}),
        SweepState.COMPLETED: frozenset({SweepState.QUEUED}),
        SweepState.FAILED: frozenset({SweepState.QUEUED}),
        SweepState.CANCELLED: frozenset({SweepState.QUEUED}),
    }
)
CHUNK_MOVES: Mapping[ChunkState, frozenset[ChunkState]] = MappingProxyType(
    {
        ChunkState.PENDING: frozenset({ChunkState.RUNNING, ChunkState.DONE}),
        ChunkState.RUNNING: frozenset({ChunkState.PENDING, ChunkState.DONE}),
        ChunkState.DONE: frozenset({ChunkState.PENDING}),
    }
)
TRIAL_MOVES: Mapping[TrialState, frozenset[TrialState]] = MappingProxyType(
    {
        TrialState.PENDING: frozenset({TrialState.COMPLETED, TrialState.FAILED}),
        TrialState.COMPLETED: frozenset(),
        TrialState.FAILED: frozenset({TrialState.PENDING}),
    }
)


def sweep_outcome(state: SweepState, trials_failed: int) -> SweepOutcome | None:
    """Return the outcome of a sweep in `state`, None before its end."""
    if state not in ENDED:
        return None
    if state is SweepState.COMPLETED and trials_failed:
        return SweepOutcome.COMPLETED_WITH_FAILURES
    return SweepOutcome(state.value)


def sweep_sources(target: SweepState) -> list[SweepState]:
    """Return the states from which a sweep may move to `target`."""
    return [state for state, targets in SWEEP_MOVES.items() if target in targets]


def chunk_sources(target: ChunkState) -> list[ChunkState]:
    """Return the states from which a chunk may move to `target`."""
    return [state for state, targets in CHUNK_MOVES.items() if target in targets]
