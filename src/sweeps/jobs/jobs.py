"""Single pieces of work as rows: asked for by the API, done by a worker, answered from SQL."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bot.hedge_names import hedges_of
from bot.market_store.database import database_now_ms
from bot.market_store.sql import refuse_reached, seal_times
from bot.numbers.deflate import deflated, inflated
from bot.timestamps import parse_time_ms
from sweeps.analysis.progress import bounded_id
from sweeps.errors import UnknownJobError
from sweeps.queue.leases import ATTEMPT_LIMIT, LEASE_MS
from sweeps.storage.tables import job
from sweeps.storage.uploads import discard_uploads

REPUBLISH_MS = 30_000
GIVEN_UP = "given_up"


class JobKind(StrEnum):
    """Kind of work."""

    BACKTEST = "backtest"
    PROBE = "probe"
    IMPORT = "import"
    FETCH = "fetch"
    SELECTION = "selection"
    NOTIFICATION = "notification"


class JobState(StrEnum):
    """Life of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


# Put together once: that takes longer than to send them, and some are sent at every turn of the dispatcher.
_EXPIRED = sa.and_(job.c.state == JobState.RUNNING, job.c.lease_until_ms < database_now_ms())
_IS_FREE = sa.or_(job.c.state == JobState.QUEUED, _EXPIRED)
_CREATING = (
    job.insert()
    .values(
        kind=sa.bindparam("of_kind"),
        request=sa.bindparam("of_request"),
        state=JobState.QUEUED,
        created_ms=database_now_ms(),
    )
    .returning(job.c.id)
)
_CLAIMING = (
    job.update()
    .where(job.c.id == sa.bindparam("of_job"), _IS_FREE, job.c.attempts < ATTEMPT_LIMIT)
    .values(
        state=JobState.RUNNING,
        attempts=job.c.attempts + 1,
        lease_until_ms=database_now_ms() + LEASE_MS,
    )
    .returning(job.c.kind, job.c.request, job.c.attempts, job.c.progress)
)
_IS_AT = sa.and_(
    job.c.id == sa.bindparam("of_job"),
    job.c.state == JobState.RUNNING,
    job.c.attempts == sa.bindparam("of_attempt"),
)
_ENDED = ("state", "result", "error_code", "error")
_ENDING = (
    job.update()
    .where(_IS_AT)
    .values({name: sa.bindparam(f"ended_{name}", type_=job.c[name].type) for name in _ENDED})
    .values(finished_ms=database_now_ms())
)
_GIVING_UP = (
    job.update()
    .where(_IS_FREE, job.c.attempts >= ATTEMPT_LIMIT)
    .values(
        state=JobState.FAILED,
        error_code=GIVEN_UP,
        error=f"given up after {ATTEMPT_LIMIT} attempts, each of which lost its worker",
        finished_ms=database_now_ms(),
    )
)
_MARKING_PUBLISHED = (
    job.update()
    .where(job.c.id.in_(sa.bindparam("of_jobs", expanding=True)))
    .values(published_ms=database_now_ms())
)
_SILENT = sa.or_(
    job.c.published_ms.is_(None),
    job.c.published_ms < database_now_ms() - sa.bindparam("republish_ms", type_=sa.BigInteger),
)
_PUBLISHABLE = (
    sa.select(job.c.id, job.c.kind)
    .where(_IS_FREE, _SILENT)
    .order_by(job.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_OPEN = (
    sa.select(sa.func.count())
    .select_from(job)
    .where(job.c.kind == sa.bindparam("of_kind"), job.c.state.in_((JobState.QUEUED, JobState.RUNNING)))
)


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as people see it; progress once it has told any, result or error once it ended."""

    id: int
    kind: JobKind
    state: JobState
    request: dict[str, Any]
    created_ms: int
    finished_ms: int | None
    result: dict[str, Any] | None
    error_code: str | None
    error: str | None
    progress: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class JobClaim:
    """A job that is ours; `attempt` tells its owners apart, `progress` is what an earlier one left."""

    id: int
    kind: JobKind
    request: dict[str, Any]
    attempt: int
    progress: dict[str, Any] | None = None


def create_job(connection: sa.Connection, kind: JobKind, request: Mapping[str, Any]) -> int:
    """Store a job to be done and return its id."""
    values = {"of_kind": kind, "of_request": json.dumps(request)}
    job_id: int = connection.execute(_CREATING, values).scalar_one()
    return job_id


def get_job(connection: sa.Connection, kind: JobKind | Collection[JobKind], job_id: int) -> JobView:
    """Return a job of that kind, or of one of those kinds.

    Raises: UnknownJobError; SealedError if its result is of a run that reaches sealed days.
    """
    kinds = (kind,) if isinstance(kind, JobKind) else tuple(kind)
    row = connection.execute(
        sa.select(job).where(job.c.id == bounded_id(job_id), job.c.kind.in_(kinds))
    ).one_or_none()
    if row is None:
        raise UnknownJobError(f"there is no {' or '.join(kinds)} {job_id}")
    view = _view(row)
    seals = seal_times(connection)
    for exchange, end_ms in _sealed_ends(view, seals):
        refuse_reached(seals, exchange, end_ms)
    return view


def recent_jobs(connection: sa.Connection, kinds: Collection[JobKind], limit: int) -> list[JobView]:
    """Return the newest jobs of some kinds, newest first; no results of runs that reach sealed days."""
    query = sa.select(job).where(job.c.kind.in_(kinds)).order_by(job.c.id.desc()).limit(limit)
    seals = seal_times(connection)
    views = map(_view, connection.execute(query))
    return [replace(view, result=None) if _sealed_ends(view, seals) else view for view in views]


def _sealed_ends(view: JobView, seals: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the sealed exchanges that the run reads of which a job has a result, and its end (ms UTC)."""
    document = view.request.get("config")
    if not seals or view.result is None or document is None:
        return []
    end_ms = parse_time_ms(document["end"])
    return [(one, end_ms) for one in _exchanges(document) if one in seals and end_ms >= seals[one]]


def _exchanges(document: Mapping[str, Any]) -> list[str]:
    """Return the exchanges that a run reads, given its parameters as JSON values, its own first."""
    named = (document["exchange"], document.get("long_exchange"), document.get("short_exchange"))
    hedges = hedges_of(document["symbols"], document.get("structure", "spot_perp"), *named)
    return list(dict.fromkeys((named[0], *(leg.exchange for hedge in hedges for leg in hedge.legs))))


def _view(row: Any) -> JobView:
    return JobView(
        id=row.id,
        kind=JobKind(row.kind),
        state=JobState(row.state),
        request=json.loads(row.request),
        created_ms=row.created_ms,
        finished_ms=row.finished_ms,
        result=None if row.result is None else json.loads(inflated(row.result)),
        error_code=row.error_code,
        error=row.error,
        progress=_document(row.progress),
    )


def _document(text: str | None) -> dict[str, Any] | None:
    return None if text is None else json.loads(text)


def claim_job(connection: sa.Connection, job_id: object) -> JobClaim | None:
    """Take a job that nobody works on, or return None; the attempt is counted before the work starts."""
    if not isinstance(job_id, int) or not 0 < job_id < 2**31:
        return None
    row = connection.execute(_CLAIMING, {"of_job": job_id}).one_or_none()
    if row is None:
        return None
    request, progress = json.loads(row.request), _document(row.progress)
    return JobClaim(job_id, JobKind(row.kind), request, row.attempts, progress)


def note_progress(connection: sa.Connection, claim: JobClaim, progress: Mapping[str, Any]) -> bool:
    """Store how far a job is and renew its lease; False means that it is no longer ours: stop."""
    values = {"progress": json.dumps(progress), "lease_until_ms": database_now_ms() + LEASE_MS}
    return _changed(connection, claim.id, claim.attempt, values)


def postpone_job(connection: sa.Connection, claim: JobClaim) -> bool:
    """Put a job that got ahead back into the queue, to go on with later; False as `note_progress`."""
    values = {"state": JobState.QUEUED, "lease_until_ms": None, "published_ms": None, "attempts": 0}
    return _changed(connection, claim.id, claim.attempt, values)


def retry_job_later(connection: sa.Connection, claim: JobClaim, delay_ms: int) -> bool:
    """Delay a job, to be claimed again later; False as `note_progress`.

    It counts as an attempt: its lease runs out as that of a worker that died does.
    """
    values = {"lease_until_ms": database_now_ms() + delay_ms, "published_ms": None}
    return _changed(connection, claim.id, claim.attempt, values)


def cancel_job(connection: sa.Connection, kinds: Collection[JobKind], job_id: int) -> JobView:
    """End a job that has not ended yet; its worker notices. Raises UnknownJobError."""
    get_job(connection, kinds, job_id)
    open_states = (JobState.QUEUED, JobState.RUNNING)
    ended = connection.execute(
        job.update()
        .where(job.c.id == job_id, job.c.state.in_(open_states))
        .values(state=JobState.CANCELLED, finished_ms=database_now_ms())
    )
    if ended.rowcount:
        discard_uploads(connection, job_id)
    return get_job(connection, kinds, job_id)


def complete_job(connection: sa.Connection, claim: JobClaim, result: Mapping[str, Any]) -> bool:
    """Store the result; False means that the job was taken over meanwhile, and nothing is stored."""
    packed = deflated(json.dumps(result, separators=(",", ":")).encode())
    ended = _end(connection, claim.id, claim.attempt, state=JobState.COMPLETED, result=packed)
    if ended and claim.kind is JobKind.IMPORT:
        discard_uploads(connection, claim.id)
    return ended


def fail_job(connection: sa.Connection, claim: JobClaim, code: str, message: str) -> bool:
    """Store why there is no result; False as `complete_job`."""
    return fail_lost_job(connection, claim.id, claim.attempt, code, message)


def renew_job(connection: sa.Connection, job_id: int, attempt: int, *, lease_ms: int = LEASE_MS) -> bool:
    """Renew the lease of a job for its process; False means that it is no longer that process's."""
    values = {"lease_until_ms": database_now_ms() + lease_ms}
    return _changed(connection, job_id, attempt, values)


def release_job(connection: sa.Connection, job_id: int, attempt: int) -> bool:
    """Give back a job whose worker process died or failed; False if it was taken over meanwhile."""
    values = {"state": JobState.QUEUED, "lease_until_ms": None, "published_ms": None}
    return _changed(connection, job_id, attempt, values)


def fail_lost_job(connection: sa.Connection, job_id: int, attempt: int, code: str, message: str) -> bool:
    """Store why a job whose process was ended has no result; False if it was taken over meanwhile."""
    ended = _end(connection, job_id, attempt, state=JobState.FAILED, error_code=code, error=message)
    if ended:
        discard_uploads(connection, job_id)
    return ended


def give_up_jobs(connection: sa.Connection) -> int:
    """End the jobs whose every attempt lost its worker, and return how many."""
    given_up = connection.execute(_GIVING_UP).rowcount
    if given_up:
        failed = sa.select(job.c.id).where(job.c.state == JobState.FAILED)
        discard_uploads(connection, failed.scalar_subquery())
    return given_up


def publishable_jobs(
    connection: sa.Connection, limit: int, *, republish_ms: int = REPUBLISH_MS
) -> dict[int, JobKind]:
    """Return the oldest jobs that nobody works on and that no fresh message is about, with their kinds."""
    rows = connection.execute(_PUBLISHABLE, {"most": limit, "republish_ms": republish_ms})
    return {job_id: JobKind(kind) for job_id, kind in rows}


def open_jobs(connection: sa.Connection, kind: JobKind) -> int:
    """Return the number of jobs of a kind that have not ended."""
    return connection.execute(_OPEN, {"of_kind": kind}).scalar_one()


def mark_jobs_published(connection: sa.Connection, job_ids: Sequence[int]) -> None:
    """Note that messages were sent."""
    connection.execute(_MARKING_PUBLISHED, {"of_jobs": list(job_ids)})


def _changed(connection: sa.Connection, job_id: int, attempt: int, values: Mapping[str, Any]) -> bool:
    """Change the row of a job that is at an attempt; False if it is not."""
    changed = job.update().where(_IS_AT).values(**values)
    return connection.execute(changed, {"of_job": job_id, "of_attempt": attempt}).rowcount == 1


def _end(connection: sa.Connection, job_id: int, attempt: int, **values: Any) -> bool:
    found = {f"ended_{name}": values.get(name) for name in _ENDED}
    return connection.execute(_ENDING, {"of_job": job_id, "of_attempt": attempt, **found}).rowcount == 1
