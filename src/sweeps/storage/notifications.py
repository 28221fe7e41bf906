"""Addresses that are told when sweeps have ended, and the secret that signs.

The caller owns the transaction.
"""

import base64
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from bot.market_store.database import database_now_ms, insert_or_skip
from sweeps.storage.states import ENDED
from sweeps.storage.tables import job, selection_report, sweep, sweep_notification, webhook_secret

_PREFIX = "whsec_"
_SECRET_BYTES = 32
_ONLY = 1


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """Notification of a sweep: its address, the job that sends it once there is one, when it was taken."""

    url: str
    job_id: int | None
    delivered_ms: int | None


def keep_address(connection: sa.Connection, sweep_id: int, url: str) -> None:
    """Store the address that is notified of a sweep's end."""
    connection.execute(sweep_notification.insert().values(sweep_id=sweep_id, url=url))


def notification_row(connection: sa.Connection, sweep_id: int) -> NotificationRow | None:
    """Return the notification of a sweep, None without an address."""
    columns = sweep_notification.c.url, sweep_notification.c.job_id, sweep_notification.c.delivered_ms
    row = connection.execute(sa.select(*columns).where(sweep_notification.c.sweep_id == sweep_id)).first()
    return None if row is None else NotificationRow(*row)


def unsent_notifications(connection: sa.Connection, limit: int) -> list[int]:
    """Return ended sweeps whose notification no job sends, oldest first; those still being judged wait."""
    return list(connection.execute(_UNSENT, {"most": limit}).scalars())


def _is_being_judged() -> sa.ColumnElement[bool]:
    """Return the condition that a report on the sweep is to come, so that the notification can tell of it."""
    unmade = selection_report.outerjoin(job, job.c.id == selection_report.c.job_id)
    coming = sa.or_(selection_report.c.job_id.is_(None), job.c.finished_ms.is_(None) & job.c.id.is_not(None))
    return (
        sa.select(sa.literal(1))
        .select_from(unmade)
        .where(selection_report.c.sweep_id == sweep_notification.c.sweep_id)
        .where(selection_report.c.report.is_(None), coming)
        .exists()
    )


_UNSENT = (
    sa.select(sweep_notification.c.sweep_id)
    .join(sweep, sweep.c.id == sweep_notification.c.sweep_id)
    .where(sweep_notification.c.job_id.is_(None), sweep.c.state.in_(ENDED))
    .where(~_is_being_judged())
    .order_by(sweep_notification.c.sweep_id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


def give_notification_to_job(connection: sa.Connection, sweep_id: int, job_id: int) -> None:
    """Note the job that sends a notification."""
    _change(connection, sweep_id, job_id=job_id)


def notify_again(connection: sa.Connection, sweep_id: int) -> None:
    """Have a sweep that goes on tell of its next end."""
    _change(connection, sweep_id, job_id=None, delivered_ms=None)


def note_delivery(connection: sa.Connection, sweep_id: int, job_id: int) -> None:
    """Note that the notification was taken, unless it is no longer this job's to send."""
    connection.execute(
        sweep_notification.update()
        .where(sweep_notification.c.sweep_id == sweep_id, sweep_notification.c.job_id == job_id)
        .values(delivered_ms=database_now_ms())
    )


def signing_secret(connection: sa.Connection, *, new: bool = False) -> str:
    """Return the secret that notifications are signed with, made if there is none or if `new`.

    It has the form of Standard Webhooks: `whsec_` and 32 random bytes in base64.
    """
    made = _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    connection.execute(insert_or_skip(connection, webhook_secret).values(id=_ONLY, secret=made))
    if new:
        connection.execute(webhook_secret.update().values(secret=made))
    return str(connection.execute(sa.select(webhook_secret.c.secret)).scalar_one())


def _change(connection: sa.Connection, sweep_id: int, **values: object) -> None:
    connection.execute(
        sweep_notification.update().where(sweep_notification.c.sweep_id == sweep_id).values(values)
    )
