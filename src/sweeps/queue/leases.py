"""Leases of chunks: claim, save, release. Fenced by a token, timed by the database's clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as sa

from bot import ENGINE_VERSION
from bot.market_store.database import database_now_ms
from sweeps.queue.counters import count, finished_trials
from sweeps.queue.curve_shares import CurveShare
from sweeps.storage.curves import StoredRecord
from sweeps.storage.leaderboard import give_up_curves, has_curve, prune_curves
from sweeps.storage.results import Results
from sweeps.storage.states import ACTIVE, ChunkState, SweepState, chunk_sources, sweep_sources
from sweeps.storage.stored_trials import finished_within
from sweeps.storage.sweep_summary import StoredRanking, stored_ranking
from sweeps.storage.tables import chunk, failed_trial, sweep, trial_curve

_Whole = int | sa.BindParameter[int]

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
    lease_ms: int = LEASE_MS


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
    which = {"of_sweep": sweep_id, "of_chunk": chunk_id, "of_owner": owner, "lease_ms": lease_ms}
    taken = connection.execute(_CLAIMING, which).one_or_none()
    if taken is None:
        return None
    if taken.state == SweepState.QUEUED:
        connection.execute(_STARTING, {"of_sweep": sweep_id})
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
        lease_ms,
    )


def missing_trials(connection: sa.Connection, sweep_id: int, lo: int, hi: int) -> tuple[int, ...]:
    """Return the trial numbers in [lo, hi) that have neither completed nor failed, in order."""
    present = finished_within(connection, sweep_id, lo, hi)
    return tuple(number for number in range(lo, hi) if number not in present)


def save_trials(
    connection: sa.Connection,
    claim: Claim,
    results: Results,
    curves: Sequence[StoredRecord] = (),
    *,
    last: bool,
    known: int = 0,
    share: CurveShare | None = None,
) -> LeaseOutcome:
    """Store results of a claimed chunk and renew the lease, or end the chunk if these were the `last`.

    `curves` are those of trials stored now, and of others that have their place among the best but no curve.
    A chunk that owes curves of the best, as its `share` tells, does not end, unless these are given up.

    All in the caller's one transaction, and only while nobody else has taken the chunk: what comes after the
    lease ran out counts until then, a later owner's token shuts it out. Trials that are stored already stay
    as they are; they are looked for unless so many are stored as the caller has `known` of, other ones.
    """
    renewed = _renewed(connection, claim)
    if renewed is None:
        return LeaseOutcome.LOST
    ranking = stored_ranking(claim.spec_text)
    if renewed.trials_done != known:  # where the outcome of an attempt to store these stayed unknown
        results = results.without(finished_within(connection, claim.sweep_id, *results.span))
    results.store(connection)
    _store_curves(connection, results, curves, ranking)
    share = share or CurveShare(claim.sweep_id, claim.chunk_id, ranking)
    if share.given_up:
        give_up_curves(connection, claim.sweep_id)
    ends = last and not share.look(connection, {item.number for item in curves if item.equity})
    _count_stored(connection, claim, results, ranking, ends=ends)
    if ends:
        return LeaseOutcome.DONE
    return LeaseOutcome.KEPT if renewed.state in ACTIVE else LeaseOutcome.STOPPED


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
    number = row["number"]
    if finished_within(connection, sweep_id, number, number + 1):
        return True
    connection.execute(failed_trial.insert(), dict(row))
    connection.execute(
        chunk.update()
        .where(chunk.c.sweep_id == sweep_id, chunk.c.id == chunk_id)
        .values(trials_done=chunk.c.trials_done + 1, trials_failed=chunk.c.trials_failed + 1)
    )
    count(connection, finished_trials(failed=1))
    return True


def _count_stored(
    connection: sa.Connection, claim: Claim, results: Results, ranking: StoredRanking, *, ends: bool
) -> None:
    """Add results, all of them new, to the chunk's counters, and end it if it `ends` with them."""
    best = results.best(ranking)
    found = {
        **_key_of(claim),
        "done": len(results),
        "failed": len(results.failed),
        "reused": results.completed.reused,
    }
    if best is not None:
        found |= {"rank": best[0], "number": best[1]}
    connection.execute(_counting(better=best is not None, ends=ends), found)


@cache
def _counting(*, better: bool, ends: bool) -> sa.Update:
    """Return the statement that adds results to a chunk's counters, and ends it if it `ends` with them.

    With a `better` trial, that becomes the best one of its chunk, unless there is a better one.
    """
    rank, number = sa.bindparam("rank", type_=sa.BigInteger), sa.bindparam("number", type_=sa.Integer)
    values: dict[str, Any] = {
        name: chunk.c[name] + sa.bindparam(name.removeprefix("trials_"), type_=sa.Integer)
        for name in ("trials_done", "trials_failed", "trials_reused")
    }
    if better:
        tied = sa.and_(chunk.c.best_rank == rank, chunk.c.best_number > number)
        outdone = sa.or_(chunk.c.best_rank.is_(None), chunk.c.best_rank > rank, tied)
        values |= {
            "best_number": sa.case((outdone, number), else_=chunk.c.best_number),
            "best_rank": sa.case((outdone, rank), else_=chunk.c.best_rank),
        }
    return _OF_CLAIM.values(values | done_now() if ends else values)


def done_now() -> dict[str, Any]:
    """Return the values of a chunk that is done."""
    return {
        "state": ChunkState.DONE,
        "owner": None,
        "lease_until_ms": None,
        "finished_ms": database_now_ms(),
    }


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


def _renewed(connection: sa.Connection, claim: Claim) -> sa.Row[Any] | None:
    """Renew the lease of a claim, or take the chunk back if it was freed and nobody has claimed it since.

    Returns how many trials of the chunk are stored, with the state of its sweep; None if it is no longer the
    claim's.
    """
    found = {**_key_of(claim), "of_owner": claim.owner, "lease_ms": claim.lease_ms}
    return connection.execute(_RENEWING, found).one_or_none()


def _key_of(claim: Claim) -> dict[str, int]:
    """Return the parameters by which a statement finds the chunk of a claim."""
    return {"of_sweep": claim.sweep_id, "of_chunk": claim.chunk_id, "of_claim": claim.token}


def _is_ours(claim: Claim) -> sa.ColumnElement[bool]:
    return _held(claim.sweep_id, claim.chunk_id, claim.token)


def _held(sweep_id: _Whole, chunk_id: _Whole, token: _Whole) -> sa.ColumnElement[bool]:
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


def _of_sweep(column: sa.Column[Any]) -> sa.Label[Any]:
    """Return a column of the chunk's sweep, so that a claim takes one round trip to the database."""
    return sa.select(column).where(sweep.c.id == _OF_SWEEP).scalar_subquery().label(column.name)


def _may_reuse() -> sa.Label[bool]:
    other = sweep.alias()
    found = sa.exists().where(other.c.id != _OF_SWEEP, other.c.engine_version == ENGINE_VERSION)
    return found.label("may_reuse")


# Put together once: that takes longer than to send them.
_OF_SWEEP: sa.BindParameter[int] = sa.bindparam("of_sweep")
_OF_CHUNK: sa.BindParameter[int] = sa.bindparam("of_chunk")
_OF_CLAIM = chunk.update().where(_held(_OF_SWEEP, _OF_CHUNK, sa.bindparam("of_claim")))
_TAKEN = {
    "state": ChunkState.RUNNING,
    "owner": sa.bindparam("of_owner"),
    "lease_until_ms": database_now_ms() + sa.bindparam("lease_ms", type_=sa.BigInteger),
}
_RENEWING = _OF_CLAIM.values(_TAKEN).returning(chunk.c.trials_done, _of_sweep(sweep.c.state))
_RUNNABLE = sa.exists().where(
    sweep.c.id == chunk.c.sweep_id, sweep.c.state.in_(ACTIVE), sweep.c.engine_version == ENGINE_VERSION
)
_CLAIMING = (
    chunk.update()
    .where(chunk.c.sweep_id == _OF_SWEEP, chunk.c.id == _OF_CHUNK, _RUNNABLE)
    .where(chunk.c.state.in_(chunk_sources(ChunkState.RUNNING)), chunk.c.attempts < ATTEMPT_LIMIT)
    .values(**_TAKEN, attempts=chunk.c.attempts + 1, token=chunk.c.token + 1)
    .returning(
        *(chunk.c[name] for name in ("token", "lo", "hi", "attempts", "trials_done")),
        *map(_of_sweep, (sweep.c.spec, sweep.c.data_pin, sweep.c.state)),
        _may_reuse(),
    )
)
_STARTING = (
    sweep.update()
    .where(sweep.c.id == _OF_SWEEP, sweep.c.state == SweepState.QUEUED)
    .where(sweep.c.state.in_(sweep_sources(SweepState.RUNNING)))
    .values(state=SweepState.RUNNING, started_ms=database_now_ms())
)


_FILLING = (
    trial_curve.update()
    .where(trial_curve.c.sweep_id == _OF_SWEEP, trial_curve.c.number == sa.bindparam("of_trial"))
    .where(sa.not_(has_curve()))
    .values(equity=sa.bindparam("equity"), trades=sa.bindparam("trades"))
)


def _store_curves(
    connection: sa.Connection, results: Results, curves: Sequence[StoredRecord], ranking: StoredRanking
) -> None:
    """Store the places of trials that have just been stored, with their curves as far as these are known.

    Places of others that they outdo go. Curves of trials stored before go where one is still missing.
    """
    ranks = results.ranks(ranking) if curves else {}
    rows = [
        {
            "sweep_id": results.sweep_id,
            "number": item.number,
            "objective_rank": ranks[item.number],
            "equity": item.equity,
            "trades": item.trades,
        }
        for item in curves
        if item.number in ranks
    ]
    if rows:
        connection.execute(trial_curve.insert(), rows)
        prune_curves(connection, results.sweep_id, ranking)
    before = [
        {"of_sweep": results.sweep_id, "of_trial": item.number, "equity": item.equity, "trades": item.trades}
        for item in curves
        if item.number not in ranks and item.equity
    ]
    if before:
        connection.execute(_FILLING, before)
