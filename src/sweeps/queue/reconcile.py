"""Keeping chunks moving: expired leases, poison trials, finished sweeps, and what to publish next."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, pairwise, zip_longest
from itertools import count as count_up

import sqlalchemy as sa

from bot import ENGINE_VERSION
from bot.market_store.database import database_now_ms
from sweeps.errors import UnreadableSweepError
from sweeps.queue.chunk_counts import count_trials
from sweeps.queue.counters import count, finished_trials
from sweeps.queue.leases import ATTEMPT_LIMIT, done_now, missing_trials
from sweeps.storage.leaderboard import give_up_curves, has_curve, leaders, prune_curves
from sweeps.storage.results import failed_row
from sweeps.storage.selection import ask_for_report
from sweeps.storage.states import ACTIVE, ChunkState, SweepState, sweep_sources
from sweeps.storage.stored_specs import stored_spec
from sweeps.storage.sweep_summary import stored_ranking
from sweeps.storage.tables import chunk, failed_trial, sweep, trial_curve

REPUBLISH_MS = 30_000
QUARANTINED = "quarantined"
_LEASE_EXPIRED = "the worker process disappeared (its lease ran out)"
_IS_OPEN = sa.exists().where(chunk.c.sweep_id == sweep.c.id, chunk.c.state != ChunkState.DONE)
_LACKS_CURVES = sa.exists().where(
    trial_curve.c.sweep_id == sweep.c.id, sa.not_(has_curve()), sweep.c.engine_version == ENGINE_VERSION
)
_ENDED = sa.select(sweep.c.id, sweep.c.spec, sweep.c.trials_total, _LACKS_CURVES.label("lacks_curves")).where(
    sweep.c.state.in_(ACTIVE), ~_IS_OPEN
)
_ENDED_ONE = _ENDED.where(sweep.c.id == sa.bindparam("of_sweep"))
_is_active = sa.exists().where(sweep.c.id == chunk.c.sweep_id, sweep.c.state.in_(ACTIVE))

# Put together once: that takes longer than to send them, and most are sent at every turn of the dispatcher.
_FAILED_TRIALS = sa.select(sa.func.sum(chunk.c.trials_failed)).where(
    chunk.c.sweep_id == sa.bindparam("of_sweep")
)
_SILENT = (
    sa.select(chunk.c.sweep_id, chunk.c.id)
    .where(chunk.c.state == ChunkState.RUNNING, chunk.c.lease_until_ms < database_now_ms())
    .with_for_update(skip_locked=True)
)
_EXPIRING = (
    chunk.update()
    .where(sa.tuple_(chunk.c.sweep_id, chunk.c.id).in_(_SILENT))
    .values(
        state=ChunkState.PENDING,
        owner=None,
        lease_until_ms=None,
        published_ms=None,
        last_error=_LEASE_EXPIRED,
    )
)
_LAST_CHUNK = sa.select(sa.func.max(chunk.c.id)).where(chunk.c.sweep_id == sa.bindparam("of_sweep"))
_OPENING_LAST = (
    chunk.update()
    .where(chunk.c.sweep_id == sa.bindparam("of_sweep"), chunk.c.id == _LAST_CHUNK.scalar_subquery())
    .where(chunk.c.state == ChunkState.DONE)  # or another dispatcher has just opened it, maybe for a worker
    .values(state=ChunkState.PENDING, attempts=0, published_ms=None, finished_ms=None)
)
_EXHAUSTED = (
    sa.select(chunk.c.sweep_id, chunk.c.id)
    .where(chunk.c.state == ChunkState.PENDING, chunk.c.attempts >= ATTEMPT_LIMIT, _is_active)
    .limit(100)
)
_IS_WORKABLE = sweep.c.state.in_(ACTIVE), sweep.c.engine_version == ENGINE_VERSION
_ACTIVE_SWEEPS = sa.select(sweep.c.id).where(*_IS_WORKABLE).order_by(sweep.c.id)
_COUNTING_ACTIVE = sa.select(sa.func.count()).where(*_IS_WORKABLE)
_FRESH_MS = database_now_ms() - sa.bindparam("republish_ms", type_=sa.BigInteger)
_WAITS = sa.and_(chunk.c.state == ChunkState.PENDING, chunk.c.published_ms >= _FRESH_MS)
_OUTSTANDING = sa.select(sa.func.count()).select_from(chunk).where(_WAITS, _is_active)
_IN_FLIGHT = (
    sa.select(chunk.c.sweep_id, sa.func.count().label("chunks"))
    .where(sa.or_(chunk.c.state == ChunkState.RUNNING, _WAITS), _is_active)
    .group_by(chunk.c.sweep_id)
)
_PUBLISHABLE = (
    sa.select(chunk.c.id)
    .where(chunk.c.sweep_id == sa.bindparam("of_sweep"), chunk.c.state == ChunkState.PENDING)
    .where(chunk.c.attempts < ATTEMPT_LIMIT)
    .where(sa.or_(chunk.c.published_ms.is_(None), chunk.c.published_ms < _FRESH_MS))
    .order_by(chunk.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_MARKING_PUBLISHED = (
    chunk.update()
    .where(chunk.c.sweep_id == sa.bindparam("of_sweep"), chunk.c.id == sa.bindparam("of_chunk"))
    .where(chunk.c.state == ChunkState.PENDING)
    .values(published_ms=database_now_ms())
)


@dataclass(frozen=True, slots=True)
class ChunkRef:
    """Chunk named by a message; `ahead` if that goes before the messages that wait in the broker."""

    sweep_id: int
    chunk_id: int
    ahead: bool = field(default=False, compare=False)


def expire_leases(connection: sa.Connection) -> int:
    """Free the chunks whose owners fell silent, whatever their sweep's state, and return how many.

    A chunk that somebody is writing to at this moment is not waited for, but looked at again next time.
    """
    return connection.execute(_EXPIRING).rowcount


def exhausted_chunks(connection: sa.Connection) -> list[ChunkRef]:
    """Return the pending chunks of active sweeps that used up their attempts."""
    return [ChunkRef(row.sweep_id, row.id) for row in connection.execute(_EXHAUSTED)]


def isolate(connection: sa.Connection, ref: ChunkRef) -> None:
    """Split an exhausted chunk at its missing trials, or quarantine its one missing trial.

    The last attempt saved every trial, so the first one missing is to blame if any is: it goes alone. The
    others are halved, for what kills a worker before its first trial. Without any, curves of the best killed
    it: the sweep goes on without those that are missing.
    Raises: UnreadableSweepError if this installation cannot read the sweep.
    """
    found = connection.execute(
        sa.select(chunk, sweep.c.spec)
        .join(sweep, sweep.c.id == chunk.c.sweep_id)
        .where(chunk.c.sweep_id == ref.sweep_id, chunk.c.id == ref.chunk_id)
        .where(chunk.c.state == ChunkState.PENDING, chunk.c.attempts >= ATTEMPT_LIMIT)
        .with_for_update(of=chunk)
    ).one_or_none()
    if found is None:
        return
    stored_spec(connection, ref.sweep_id, found.spec)  # raises for a sweep that nobody here can work on
    missing = missing_trials(connection, ref.sweep_id, found.lo, found.hi)
    if len(missing) > 1:
        cuts = sorted({missing[1], missing[(len(missing) + 1) // 2]})
        _split(connection, ref, found.spec, [*cuts, found.hi])
        return
    if missing:
        _quarantine(connection, ref, missing[0], found.last_error)
    else:
        give_up_curves(connection, ref.sweep_id)
    count_trials(connection, ref.sweep_id, ref.chunk_id, stored_ranking(found.spec))
    connection.execute(
        chunk.update().where(chunk.c.sweep_id == ref.sweep_id, chunk.c.id == ref.chunk_id).values(done_now())
    )


def _split(connection: sa.Connection, ref: ChunkRef, spec_text: str, ends: Sequence[int]) -> None:
    # The sweep is locked, so that an extension does not give its new chunks the same ids meanwhile.
    connection.execute(sa.select(sweep.c.id).where(sweep.c.id == ref.sweep_id).with_for_update())
    highest = sa.select(sa.func.max(chunk.c.id)).where(chunk.c.sweep_id == ref.sweep_id)
    new_ids = count_up(connection.execute(highest).scalar_one() + 1)
    connection.execute(
        chunk.update()
        .where(chunk.c.sweep_id == ref.sweep_id, chunk.c.id == ref.chunk_id)
        .values(hi=ends[0], attempts=0, token=chunk.c.token + 1, published_ms=None)
    )
    rows = [
        {"sweep_id": ref.sweep_id, "id": new_id, "lo": lo, "hi": hi, "state": ChunkState.PENDING}
        for new_id, (lo, hi) in zip(new_ids, pairwise(ends), strict=False)
    ]
    connection.execute(chunk.insert(), rows)
    ranking = stored_ranking(spec_text)
    for chunk_id in (ref.chunk_id, *(row["id"] for row in rows)):
        count_trials(connection, ref.sweep_id, chunk_id, ranking)


def _quarantine(connection: sa.Connection, ref: ChunkRef, number: int, last_error: str | None) -> None:
    error = f"given up after {ATTEMPT_LIMIT} attempts: {last_error or 'no reason recorded'}"
    connection.execute(failed_trial.insert(), failed_row(ref.sweep_id, number, QUARANTINED, error))
    count(connection, finished_trials(failed=1))


def close_finished(connection: sa.Connection, sweep_id: int | None = None) -> list[int]:
    """End the active sweeps without an open chunk and return their ids; `failed` if every trial failed.

    With `sweep_id` only that one is looked at. The report on the selection of a completed one is asked for
    with it, so that no crash in between loses it. One whose best trials lack curves has its last chunk opened
    again for them, as where the trial that another chunk ended with is quarantined.
    """
    ended: list[int] = []
    asked = (_ENDED,) if sweep_id is None else (_ENDED_ONE, {"of_sweep": sweep_id})
    rows = connection.execute(*asked).all()
    for row in rows:
        if row.lacks_curves and _opened_for_curves(connection, row.id, row.spec):
            continue
        failed = connection.execute(_FAILED_TRIALS, {"of_sweep": row.id}).scalar_one()
        state = SweepState.FAILED if failed == row.trials_total else SweepState.COMPLETED
        if not connection.execute(_ending(state), {"of_sweep": row.id}).rowcount:
            continue  # it was cancelled or paused since it was looked at, which holds
        with suppress(UnreadableSweepError):  # then all curves stay: which are the best, its spec would say
            ranking = stored_ranking(row.spec)
            prune_curves(connection, row.id, ranking)
            if state is SweepState.COMPLETED and ranking.validation:
                ask_for_report(connection, row.id, ranking.validation)
        ended.append(row.id)
    return ended


def _opened_for_curves(connection: sa.Connection, sweep_id: int, spec_text: str) -> bool:
    """Open the last chunk of a sweep if trials among its best lack curves; return whether they do."""
    with suppress(UnreadableSweepError):
        records = leaders(connection, sweep_id, stored_ranking(spec_text))
        if not all(record.has_curve for record in records):
            connection.execute(_OPENING_LAST, {"of_sweep": sweep_id})
            return True
    return False


@cache
def _ending(state: SweepState) -> sa.Update:
    """Return the statement that ends a sweep in a state."""
    mine = sa.and_(sweep.c.id == sa.bindparam("of_sweep"), sweep.c.state.in_(sweep_sources(state)))
    return sweep.update().where(mine).values(state=state, finished_ms=database_now_ms())


def active_sweeps(connection: sa.Connection) -> list[int]:
    """Return the sweeps with work left that this engine version can do, oldest first."""
    return list(connection.execute(_ACTIVE_SWEEPS).scalars())


def count_active(connection: sa.Connection) -> int:
    """Return how many sweeps have work left that this engine version can do."""
    return connection.execute(_COUNTING_ACTIVE).scalar_one()


def outstanding(connection: sa.Connection, *, republish_ms: int = REPUBLISH_MS) -> int:
    """Return the number of messages that may still wait in the broker."""
    return connection.execute(_OUTSTANDING, {"republish_ms": republish_ms}).scalar_one()


def in_flight(connection: sa.Connection, *, republish_ms: int = REPUBLISH_MS) -> Mapping[int, int]:
    """Return by active sweep how many of its chunks run or may still wait in the broker."""
    rows = connection.execute(_IN_FLIGHT, {"republish_ms": republish_ms})
    return {row.sweep_id: row.chunks for row in rows}


def publishable(
    connection: sa.Connection,
    wanted: Mapping[int, int],
    limit: int,
    *,
    republish_ms: int = REPUBLISH_MS,
) -> list[ChunkRef]:
    """Return up to `limit` pending chunks to publish: so many of each sweep, one after another in turn."""
    limit = max(limit, 0)
    queues = [
        _publishable_of(connection, sweep_id, min(most, limit), republish_ms)
        for sweep_id, most in list(wanted.items())[:limit]
    ]
    turns: Iterator[ChunkRef | None] = chain.from_iterable(zip_longest(*queues))
    return [ref for ref in turns if ref is not None][:limit]


def _publishable_of(
    connection: sa.Connection, sweep_id: int, limit: int, republish_ms: int
) -> list[ChunkRef]:
    which = {"of_sweep": sweep_id, "most": limit, "republish_ms": republish_ms}
    rows = connection.execute(_PUBLISHABLE, which)
    return [ChunkRef(sweep_id, chunk_id) for chunk_id in rows.scalars()]


def mark_published(connection: sa.Connection, refs: Sequence[ChunkRef]) -> None:
    """Note that messages were sent, for the chunks that nobody has claimed yet."""
    if not refs:
        return
    sent = [{"of_sweep": ref.sweep_id, "of_chunk": ref.chunk_id} for ref in refs]
    connection.execute(_MARKING_PUBLISHED, sent)
