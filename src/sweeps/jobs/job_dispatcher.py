"""Hands jobs to the workers."""

from collections.abc import Mapping
from typing import Protocol

import sqlalchemy as sa
import structlog

from bot.market_store.database import write_transaction
from sweeps.errors import QueueUnavailableError
from sweeps.jobs.jobs import JobKind, give_up_jobs, mark_jobs_published, publishable_jobs
from sweeps.jobs.notifications import give_notifications_to_jobs
from sweeps.jobs.selection_jobs import give_reports_to_jobs, reports_due
from sweeps.storage.notifications import unsent_notifications

log = structlog.get_logger()

_MESSAGES = 16


class JobQueue(Protocol):
    """Queue of messages about jobs."""

    def publish_job(self, job_id: int, *, behind: bool = False) -> None:
        """Send one message, without retrying; raises QueueUnavailableError if that fails.

        One `behind` others is taken by a process for chunks and jobs alike once no other message waits.
        """


class JobDispatcher:
    """Publishes waiting jobs, and again what got lost; writes nothing while there are none."""

    def __init__(self, engine: sa.Engine, queue: JobQueue) -> None:
        self._engine = engine
        self._queue = queue

    def step(self) -> int:
        """Publish what waits and return how many messages were sent."""
        with self._engine.connect() as connection:
            waiting = publishable_jobs(connection, _MESSAGES)
            reports = reports_due(connection)
            asked = reports or unsent_notifications(connection, 1)
        if not (waiting or asked):
            return 0
        with write_transaction(self._engine) as connection:
            if reports:
                give_reports_to_jobs(connection)
            give_notifications_to_jobs(connection, _MESSAGES)
            given_up = give_up_jobs(connection)
            waiting = publishable_jobs(connection, _MESSAGES)
        if given_up:
            log.warning("jobs given up", jobs=given_up)
        sent = self._publish(waiting)
        if sent:
            with write_transaction(self._engine) as connection:
                mark_jobs_published(connection, sent)
        return len(sent)

    def _publish(self, waiting: Mapping[int, JobKind]) -> list[int]:
        sent: list[int] = []
        for job_id, kind in waiting.items():
            try:
                # A report takes as long as a small sweep, and nobody has it before its sweep is complete.
                self._queue.publish_job(job_id, behind=kind is JobKind.SELECTION)
            except QueueUnavailableError as error:
                log.warning("broker takes no jobs, retrying", error=error.message)
                return sent
            sent.append(job_id)
        return sent
