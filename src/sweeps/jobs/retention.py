"""Retention: deletes ended sweeps and jobs after a while, oldest first, none that is still in work."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import sqlalchemy as sa

from bot.market_store.database import database_now_ms, write_transaction
from bot.models import DAY_MS
from sweeps.jobs.jobs import JobState
from sweeps.lifecycle.deleting import delete_sweep, finish_deletions
from sweeps.storage.states import ENDED
from sweeps.storage.tables import job, sweep, sweep_tag

_ENDED_JOBS = (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class OldSweep:
    """A sweep that ended before a moment, in ms UTC."""

    id: int
    name: str
    trials: int
    finished_ms: int


@dataclass(frozen=True, slots=True)
class Expired:
    """Work that ended before `before_ms`: sweeps oldest first, and a number of jobs."""

    before_ms: int
    sweeps: tuple[OldSweep, ...]
    jobs: int


def expired(connection: sa.Connection, days: int, kept_tags: Collection[str] = ()) -> Expired:
    """Return work that ended more than `days` ago by the database's clock; sweeps with a kept tag stay."""
    before_ms = int(connection.execute(sa.select(database_now_ms())).scalar_one()) - days * DAY_MS
    tagged = sa.exists().where(sweep_tag.c.sweep_id == sweep.c.id, sweep_tag.c.tag.in_(kept_tags))
    rows = connection.execute(
        sa.select(sweep.c.id, sweep.c.name, sweep.c.trials_total, sweep.c.finished_ms)
        .where(sweep.c.state.in_(ENDED), sweep.c.finished_ms < before_ms, ~tagged)
        .order_by(sweep.c.finished_ms, sweep.c.id)
    )
    jobs = connection.execute(sa.select(sa.func.count()).select_from(job).where(_old_jobs(before_ms)))
    return Expired(before_ms, tuple(OldSweep(*row) for row in rows), int(jobs.scalar_one()))


def prune(
    engine: sa.Engine, found: Expired, progress: Callable[[OldSweep], None] = lambda _sweep: None
) -> None:
    """Delete what was found, in transactions that let others write; a sweep that runs again by now stays."""
    for old in found.sweeps:
        with write_transaction(engine) as connection:
            still = sa.select(sweep.c.id).where(sweep.c.id == old.id, sweep.c.finished_ms == old.finished_ms)
            if connection.execute(still.where(sweep.c.state.in_(ENDED))).first() is not None:
                delete_sweep(connection, old.id)
        finish_deletions(engine)
        progress(old)
    with write_transaction(engine) as connection:
        connection.execute(job.delete().where(_old_jobs(found.before_ms)))


def _old_jobs(before_ms: int) -> sa.ColumnElement[bool]:
    return sa.and_(job.c.state.in_(_ENDED_JOBS), job.c.finished_ms < before_ms)
