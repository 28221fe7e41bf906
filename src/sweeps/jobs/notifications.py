"""Notifications of ended sweeps: signed messages to the address that a sweep was submitted with.

Headers and signature are those of Standard Webhooks (standardwebhooks.com) and checked by its libraries.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from bot.clock import Clock
from bot.market_store.database import write_transaction
from bot.timestamps import iso
from sweeps.analysis.progress import SweepView, get_sweep
from sweeps.errors import NotificationError, SweepStateError, UnknownJobError
from sweeps.jobs.jobs import JobClaim, JobKind, JobState, create_job, get_job
from sweeps.jobs.selection_jobs import selection_view
from sweeps.queue.leases import ATTEMPT_LIMIT
from sweeps.storage.notifications import (
    NotificationRow,
    give_notification_to_job,
    note_delivery,
    notification_row,
    notify_again,
    signing_secret,
    unsent_notifications,
)
from sweeps.storage.states import ENDED

DELAYS_MS = (30_000, 300_000)
"""Time until the second and the third attempt."""
_TIMEOUT_S = 10.0


class RetryLaterError(Exception):
    """A message that was not taken and is to be sent again after `delay_ms`."""

    def __init__(self, reason: str, delay_ms: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.delay_ms = delay_ms


@dataclass(frozen=True, slots=True)
class NotificationView:
    """Notification of a sweep as people see it: to which host, whether it was taken, else why not yet.

    The address itself may hold a secret and is not shown.
    """

    host: str
    state: JobState
    delivered_ms: int | None
    error: str | None

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        delivered = None if self.delivered_ms is None else iso(self.delivered_ms)
        return {"host": self.host, "state": self.state, "delivered_at": delivered, "error": self.error}


def notification_view(connection: sa.Connection, sweep_id: int) -> NotificationView:
    """Return the notification of a sweep's end, and whether it was delivered.

    Raises: UnknownSweepError; SweepStateError without a `notify_url`.
    """
    row = _row(connection, sweep_id)
    state, error = JobState.QUEUED, None
    if row.delivered_ms is not None:
        state = JobState.COMPLETED
    elif row.job_id is not None:
        try:
            job = get_job(connection, JobKind.NOTIFICATION, row.job_id)
            state, error = job.state, job.error or (job.progress or {}).get("error")
        except UnknownJobError:  # ended long ago, and was pruned
            state, error = JobState.FAILED, "was not delivered"
    return NotificationView(_host(row.url), state, row.delivered_ms, error)


def send_again(connection: sa.Connection, sweep_id: int) -> NotificationView:
    """Send the notification of an ended sweep again. Raises as `notification_view`, and before its end."""
    _row(connection, sweep_id)
    sweep = get_sweep(connection, sweep_id)
    if sweep.state not in ENDED:
        raise SweepStateError(f"sweep {sweep_id} is {sweep.state}; its notification follows its end")
    notify_again(connection, sweep_id)
    return notification_view(connection, sweep_id)


def give_notifications_to_jobs(connection: sa.Connection, limit: int) -> int:
    """Make a job of each notification that is to be sent and has none; return how many."""
    found = unsent_notifications(connection, limit)
    for sweep_id in found:
        job_id = create_job(connection, JobKind.NOTIFICATION, {"sweep": sweep_id})
        give_notification_to_job(connection, sweep_id, job_id)
    return len(found)


def delivery_document(engine: sa.Engine, claim: JobClaim, clock: Clock) -> dict[str, Any]:
    """Send the notification of a job and return which it was.

    Raises: RetryLaterError, and NotificationError after the last attempt, if its receiver does not take it;
    UnknownSweepError if the sweep is gone.
    """
    sweep_id = claim.request["sweep"]
    with write_transaction(engine) as connection:
        secret = signing_secret(connection)
    with engine.connect() as connection:
        row = _row(connection, sweep_id)
        sweep = get_sweep(connection, sweep_id)
        body = json.dumps(_message(connection, sweep), separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "carrygrid",
        **signed(secret, f"sweep-{sweep_id}-{claim.id}", clock.now_ms() // 1000, body),
    }
    if (refused := _refusal(row.url, headers, body)) is not None:
        if claim.attempt < ATTEMPT_LIMIT:
            raise RetryLaterError(refused, DELAYS_MS[claim.attempt - 1])
        raise NotificationError(f"{_host(row.url)} {refused}, {ATTEMPT_LIMIT} times")
    with write_transaction(engine) as connection:
        note_delivery(connection, sweep_id, claim.id)
    return {"sweep": sweep_id}


def signed(secret: str, message_id: str, now_s: int, body: bytes) -> Mapping[str, str]:
    """Return the headers by which a receiver tells who sent a message, and when."""
    key = base64.b64decode(secret.partition("_")[2])
    digest = hmac.new(key, f"{message_id}.{now_s}.".encode() + body, hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(now_s),
        "webhook-signature": f"v1,{signature}",
    }


def _message(connection: sa.Connection, sweep: SweepView) -> dict[str, Any]:
    ended = None if sweep.finished_ms is None else iso(sweep.finished_ms)
    return {
        "type": f"sweep.{sweep.state}",
        "timestamp": ended,
        "data": {
            "id": sweep.id,
            "name": sweep.summary.name,
            "state": sweep.state,
            "reason": sweep.reason,
            "trials_total": sweep.trials_total,
            "trials_done": sweep.trials_done,
            "trials_failed": sweep.trials_failed,
            "best": None
            if sweep.best is None
            else {"number": sweep.best.number, "params": sweep.best.params},
            "sentence": _sentence(connection, sweep.id),
        },
    }


def _sentence(connection: sa.Connection, sweep_id: int) -> str | None:
    """Return the sentence on the selection of a sweep, None if it was not judged."""
    try:
        panels = selection_view(connection, sweep_id).panels
    except SweepStateError:
        return None
    return None if panels is None else str(panels.at(None).head["sentence"])


def _refusal(url: str, headers: Mapping[str, str], body: bytes) -> str | None:
    """Return why a message was not taken, None if it was; redirects are not followed."""
    import httpx2  # noqa: PLC0415 - large, and few processes ever send a message

    try:
        with httpx2.Client(timeout=_TIMEOUT_S, follow_redirects=False) as client:
            answer = client.post(url, content=body, headers=dict(headers))
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return f"could not be reached ({type(error).__name__})"
    if answer.is_success:
        return None
    remark = ", and redirects are not followed" if answer.is_redirect else ""
    return f"answered {answer.status_code}{remark}"


def _row(connection: sa.Connection, sweep_id: int) -> NotificationRow:
    row = notification_row(connection, sweep_id)
    if row is None:
        get_sweep(connection, sweep_id)
        raise SweepStateError(f"sweep {sweep_id} sends no notification; it was submitted without notify_url")
    return row


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
