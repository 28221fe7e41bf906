"""Causes of a process's death, and the error stored for each: killed, crashed, ended by itself, or hung."""

import re

import sqlalchemy as sa
import structlog
from billiard.exceptions import TimeLimitExceeded, WorkerLostError

from sweeps.jobs.jobs import fail_lost_job, release_job
from sweeps.queue.leases import fail_in_flight, release_lost
from sweeps.storage.results import failed_row
from sweeps.watch import TIMEOUT, hung_message, job_timeout_message
from workers.inflight import InFlight
from workers.renewal import named

log = structlog.get_logger()

_SIGNAL = re.compile(r"signal (\d+) \((\w+)\)")
_STATUS = re.compile(r"exitcode (-?\d+)")
_KILLED = ("SIGKILL", "SIGTERM", "SIGQUIT", "SIGINT", "SIGHUP")
_HUNG = "its worker process hung and was ended"


def reason_of(error: BaseException | None) -> str:
    """Return the reason for the end of a task in plain words, from what the pool reports."""
    text = f"{type(error).__name__}: {error}"
    if found := _SIGNAL.search(text):
        if found[2] in _KILLED:
            by = "by the system, as it does when memory runs out, or by somebody"
            return f"its worker process was killed with {found[2]}: {by}"
        return f"its worker process crashed with {found[2]}, as native code does"
    if found := _STATUS.search(text):
        return f"its worker process ended itself with status {found[1]}"
    return text


def free_chunk(
    connection: sa.Connection,
    sweep_id: int,
    chunk_id: int,
    task_id: str,
    error: BaseException | None,
    at: InFlight | None,
) -> None:
    """Free the chunk of a task that died; `at` is what it was at. A trial that hung fails at once."""
    reason = _reported(error, at)
    if at and reason is _HUNG and at.trial is not None:
        row = failed_row(at.sweep_id, at.trial, TIMEOUT, hung_message(at.limit_s))
        fail_in_flight(connection, at.sweep_id, at.chunk_id, at.token, row)
    else:
        release_lost(connection, sweep_id, chunk_id, task_id, reason)


def free_job(connection: sa.Connection, error: BaseException | None, at: InFlight) -> None:
    """Free the job that a task was at when it died, or fail it if it hung."""
    if _reported(error, at) is _HUNG:
        fail_lost_job(connection, at.chunk_id, at.token, TIMEOUT, job_timeout_message(at.limit_s))
    else:
        release_job(connection, at.chunk_id, at.token)


def _reported(error: BaseException | None, at: InFlight | None) -> str:
    """Return the reason for a task's end; logged if its process died."""
    if not isinstance(error, WorkerLostError | TimeLimitExceeded):
        return reason_of(error)
    hung = at is not None and at.hung and at.token > 0
    reason = _HUNG if hung else reason_of(error)
    log.error("process of a task died", reason=reason, **(named(at) if at else {}))
    return reason
