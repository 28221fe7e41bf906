"""Leases of chunks: claim, save, release. Fenced by a token, timed by the database's clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bot import ENGINE_VERSION
from bot.market_store.database import database_now_ms, insert_or_skip
from sweeps.queue.counters import count, finished_trials
from sweeps.storage.curves import StoredRecord
from sweeps.storage.leaderboard import best_first, prune_curves
from sweeps.storage.results import Results
from sweeps.storage.states import (
    ACTIVE,
    ChunkState,
    SweepState,
    TrialState,
    chunk_sources,
    sweep_sources,
)
from sweeps.storage.sweep_summary import stored_ranking
from sweeps.storage.tables import chunk, sweep, trial, trial_curve

LEASE_MS = 30_000
ATTEMPT_LIMIT = 3
MAX_ERROR_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class Claim:
    """A chunk that is ours until the lease runs out; `missing` are the trials without a result.

    `attempts` counts this one, and starts anew with every result. `data_pin` names the history that results
    must come from; `may_reuse` tells that other sweeps may have some.
    """

    sweep_id: int
    chunk_id: int
    token: int
    lo: int
    hi: int
    spec_text: str
    missing: tuple[int, ...]
    attempts: int = 1
    data_pin: str | None = None
    may_reuse: bool = False
    owner: str | None = None


class LeaseOutcome(StrEnum):
    """Lease of a chunk after an attempt: kept, or ended as done, stopped or lost."""

    KEPT = "kept"
    DONE = "done"
    STOPPED = "stopped"
    LOST = "lost"


def claim_chunk(
    connection: sa.Connection, sweep_id: int, chunk_id: int, owner: str, *, lease_ms: int = LEASE_MS
) -> Claim | None:
    """Take a pending chunk of an active sweep, or return None if it is unavailable.

    The attempt is counted here, before the computation starts. Sweeps of another engine version are left
    to workers of that version; ids that no chunk can have are unavailable too.
    """
    if not (_can_be_id(sweep_id) and _can_be_id(chunk_id)):
        return None
    runnable = sa.exists().where(
        sweep.c.id == chunk.c.sweep_id, sweep.c.state.in_(ACTIVE), sweep.c.engine_version == ENGINE_VERSION
    )
    taken = connection.execute(
        chunk.update()
        .where(chunk.c.sweep_id == sweep_id, chunk.c.id == chunk_id, runnable)
        .where(chunk.c.state.in_(chunk_sources(ChunkState.RUNNING)), chunk.c.attempts < ATTEMPT_LIMIT)
        .values(
            state=ChunkState.RUNNING,
            attempts=chunk.c.attempts + 1,
            token=chunk.c.token + 1,
            owner=owner,
            lease_until_ms=database_now_ms() + lease_ms,
        )
        .returning(
            chunk.c.token,
            chunk.c.lo,
            chunk.c.hi,
            chunk.c.attempts,
            chunk.c.trials_done,
            *(_of_sweep(sweep_id, column) for column in (sweep.c.spec, sweep.c.data_pin, sweep.c.state)),
            _others(sweep_id),
        )
    ).one_or_none()
    if taken is None:
        return None
    if taken.state == SweepState.QUEUED:
        _mark_running(connection, sweep_id)
    every = tuple(range(taken.lo, taken.hi))
    missing = missing_trials(connection, sweep_id, taken.lo, taken.hi) if taken.trials_done else every
    return Claim(
        sweep_id,
        chunk_id,
        taken.token,
        taken.lo,
        taken.hi,
        taken.spec,
        missing,
        taken.attempts,
        taken.data_pin,
        bool(taken.may_reuse),
        owner,
    )


def _of_sweep(sweep_id: int, column: sa.Column[Any]) -> sa.Label[Any]:
    """Return a column of the chunk's sweep, so that a claim takes one round trip to the database."""
    return sa.select(column).where(sweep.c.id == sweep_id).scalar_subquery().label(column.name)


def _others(sweep_id: int) -> sa.ColumnElement[bool]:
    other = sweep.alias()
    found = sa.exists().where(other.c.id != sweep_id, other.c.engine_version == ENGINE_VERSION)
    return found.label("may_reuse")


def missing_trials(connection: sa.Connection, sweep_id: int, lo: int, hi: int) -> tuple[int, ...]:
    """Return the trial numbers in [lo, hi) that have no row, in order."""
    rows = connection.execute(sa.select(trial.c.number).where(_within(sweep_id, lo, hi)))
    present = set(rows.scalars())
    return tuple(number for number in range(lo, hi) if number not in present)


def save_trials(
    connection: sa.Connection,
    claim: Claim,
    results: Results,
    curves: Sequence[StoredRecord] = (),
    *,
    last: bool,
    lease_ms: int = LEASE_MS,
) -> LeaseOutcome:
    """Store results of a claimed chunk and renew the lease, or end the chunk if these were the `last`.

    All in the caller's one transaction, and only while nobody else has taken the chunk: what comes after the
    lease ran out counts until then, a later owner's token shuts it out.
    """
    if not _renew(connection, claim, lease_ms):
        return LeaseOutcome.LOST
    stored = results.store(connection)
    _store_curves(connection, claim, curves)
    if last or stored != len(results):
        count_trials(connection, claim.sweep_id, claim.chunk_id, claim.spec_text, done=last)
    else:
        _count_new(connection, claim, results)
    if last:
        return LeaseOutcome.DONE
    state = connection.execute(sa.select(sweep.c.state).where(sweep.c.id == claim.sweep_id)).scalar_one()
    return LeaseOutcome.KEPT if state in ACTIVE else LeaseOutcome.STOPPED


def release_chunk(
    connection: sa.Connection, claim: Claim, error: str | None = None, *, progressed: bool = False
) -> None:
    """Give a chunk back; an attempt that stored results does not count against it."""
    values: dict[str, Any] = {"attempts": 0} if progressed else {}
    connection.execute(chunk.update().where(_is_ours(claim)).values(**_given_back(error), **values))


def renew_lease(
    connection: sa.Connection, sweep_id: int, chunk_id: int, token: int, *, lease_ms: int = LEASE_MS
) -> bool:
    """Renew the lease of a claim for its process; False means that it is no longer that process's: stop."""
    renewed = connection.execute(
        chunk.update()
        .where(_held(sweep_id, chunk_id, token), chunk.c.state == ChunkState.RUNNING)
        .values(lease_until_ms=database_now_ms() + lease_ms)
    )
    return renewed.rowcount == 1


def release_lost(connection: sa.Connection, sweep_id: int, chunk_id: int, owner: str, error: str) -> bool:
    """Give back the chunk of an owner that died, so that nobody waits for its lease to run out."""
    if not (_can_be_id(sweep_id) and _can_be_id(chunk_id)):
        return False
    freed = connection.execute(
        chunk.update()
        .where(chunk.c.sweep_id == sweep_id, chunk.c.id == chunk_id)
        .where(chunk.c.state == ChunkState.RUNNING, chunk.c.owner == owner)
        .values(**_given_back(error))
    )
    return freed.rowcount == 1


def fail_in_flight(
    connection: sa.Connection, sweep_id: int, chunk_id: int, token: int, row: Mapping[str, Any]
) -> bool:
    """Store the failed `row` of the trial that its dead owner was at, and give its chunk back.

    Returns False, and stores nothing, if somebody else has taken the chunk.
    """
    freed = connection.execute(
        chunk.update().where(_held(sweep_id, chunk_id, token)).values(**_given_back(row["error"]), attempts=0)
    )
    if not freed.rowcount:
        return False
    connection.execute(insert_or_skip(connection, trial), dict(row))
    spec_text = connection.execute(sa.select(sweep.c.spec).where(sweep.c.id == sweep_id)).scalar_one()
    count_trials(connection, sweep_id, chunk_id, spec_text, done=False)
    count(connection, finished_trials(failed=1))
    return True


def count_trials(
    connection: sa.Connection, sweep_id: int, chunk_id: int, spec_text: str, *, done: bool
) -> None:
    """Bring a chunk's counters and its best trial in line with its rows."""
    inside = sa.and_(trial.c.sweep_id == sweep_id, trial.c.number >= chunk.c.lo, trial.c.number < chunk.c.hi)
    counted = sa.select(sa.func.count()).select_from(trial).where(inside)
    objective = stored_ranking(spec_text).objective
    best = sa.select(trial.c.number).where(inside, trial.c[objective.metric].is_not(None))
    values: dict[str, Any] = {
        "trials_done": counted.scalar_subquery(),
        "trials_failed": counted.where(trial.c.state == TrialState.FAILED).scalar_subquery(),
        "trials_reused": counted.where(trial.c.reused_sweep.is_not(None)).scalar_subquery(),
        "best_number": best.order_by(*best_first(objective)).limit(1).scalar_subquery(),
    }
    if done:
        values |= {
            "state": ChunkState.DONE,
            "owner": None,
            "lease_until_ms": None,
            "finished_ms": database_now_ms(),
        }
    connection.execute(
        chunk.update().where(chunk.c.sweep_id == sweep_id, chunk.c.id == chunk_id).values(values)
    )


def _count_new(connection: sa.Connection, claim: Claim, results: Results) -> None:
    """Add results, all of them new, to the chunk's counters: its rows are counted whole at its end."""
    values: dict[str, Any] = {
        "trials_done": chunk.c.trials_done + len(results),
        "trials_failed": chunk.c.trials_failed + results.failed,
        "trials_reused": chunk.c.trials_reused + results.reused,
    }
    objective = stored_ranking(claim.spec_text).objective
    if (best := results.best(objective)) is not None:
        either = sa.select(trial.c.number).where(
            trial.c.sweep_id == claim.sweep_id, trial.c.number.in_([best, chunk.c.best_number])
        )
        values["best_number"] = either.order_by(*best_first(objective)).limit(1).scalar_subquery()
    connection.execute(chunk.update().where(_is_ours(claim)).values(values))


def _can_be_id(number: object) -> bool:
    return isinstance(number, int) and 0 <= number < 2**31


def _given_back(error: str | None) -> dict[str, Any]:
    freed: dict[str, Any] = {
        "state": ChunkState.PENDING,
        "owner": None,
        "lease_until_ms": None,
        "published_ms": None,
    }
    return freed if error is None else freed | {"last_error": error[:MAX_ERROR_LENGTH]}


def _renew(connection: sa.Connection, claim: Claim, lease_ms: int) -> bool:
    """Renew the lease of a claim, or take the chunk back if it was freed and nobody has claimed it since."""
    renewed = connection.execute(
        chunk.update()
        .where(_is_ours(claim))
        .values(state=ChunkState.RUNNING, owner=claim.owner, lease_until_ms=database_now_ms() + lease_ms)
    )
    return renewed.rowcount == 1


def _is_ours(claim: Claim) -> sa.ColumnElement[bool]:
    return _held(claim.sweep_id, claim.chunk_id, claim.token)


def _held(sweep_id: int, chunk_id: int, token: int) -> sa.ColumnElement[bool]:
    """Return whether the claim with `token` is the last one, its chunk not done.

    Each claim raises the token, as does whatever changes a chunk's range or trials; so a chunk that is
    pending under the same token has merely lost its lease.
    """
    return sa.and_(
        chunk.c.sweep_id == sweep_id,
        chunk.c.id == chunk_id,
        chunk.c.token == token,
        chunk.c.state != ChunkState.DONE,
    )


def _within(sweep_id: int, lo: int, hi: int) -> sa.ColumnElement[bool]:
    return sa.and_(trial.c.sweep_id == sweep_id, trial.c.number >= lo, trial.c.number < hi)


def _mark_running(connection: sa.Connection, sweep_id: int) -> None:
    connection.execute(
        sweep.update()
        .where(sweep.c.id == sweep_id, sweep.c.state == SweepState.QUEUED)
        .where(sweep.c.state.in_(sweep_sources(SweepState.RUNNING)))
        .values(state=SweepState.RUNNING, started_ms=database_now_ms())
    )


def _store_curves(connection: sa.Connection, claim: Claim, curves: Sequence[StoredRecord]) -> None:
    if not curves:
        return
    rows = [
        {"sweep_id": claim.sweep_id, "number": item.number, "equity": item.equity, "trades": item.trades}
        for item in curves
    ]
    connection.execute(insert_or_skip(connection, trial_curve), rows)
    prune_curves(connection, claim.sweep_id, stored_ranking(claim.spec_text))
