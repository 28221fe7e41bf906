"""Signs of life of dispatchers and workers, by the database's clock."""

from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from bot.market_store.database import database_now_ms, insert_or_skip
from sweeps.storage.tables import heartbeat

FRESH_MS = 15_000


_BEATING = (
    heartbeat.update()
    .where(heartbeat.c.component == sa.bindparam("of_component"))
    .where(heartbeat.c.instance == sa.bindparam("of_instance"))
    .values(beat_ms=database_now_ms(), slots=sa.bindparam("of_slots"))
)
_LIVE = (
    sa.select(heartbeat)
    .where(heartbeat.c.beat_ms >= database_now_ms() - sa.bindparam("fresh_ms", type_=sa.BigInteger))
    .order_by(heartbeat.c.component, heartbeat.c.instance)
)


class Component(StrEnum):
    """Processes that report that they live."""

    DISPATCHER = "dispatcher"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Beat:
    """The newest sign of life of one process, and with how many processes it replays."""

    component: Component
    instance: str
    beat_ms: int
    slots: int


def beat(connection: sa.Connection, component: Component, instance: str, *, slots: int = 0) -> None:
    """Record that a process lives."""
    which = {"of_component": component, "of_instance": instance, "of_slots": slots}
    known = connection.execute(_BEATING, which).rowcount
    if not known:
        now_ms = connection.execute(sa.select(database_now_ms())).scalar_one()
        connection.execute(
            insert_or_skip(connection, heartbeat),
            {"component": component, "instance": instance, "beat_ms": now_ms, "slots": slots},
        )


def retire(connection: sa.Connection, component: Component, instance: str) -> None:
    """Forget a process that ends in good order."""
    connection.execute(
        heartbeat.delete().where(heartbeat.c.component == component, heartbeat.c.instance == instance)
    )


def forget_dead(connection: sa.Connection, *, older_than_ms: int = 3_600_000) -> None:
    """Drop the rows of processes that have long been silent."""
    connection.execute(heartbeat.delete().where(heartbeat.c.beat_ms < database_now_ms() - older_than_ms))


def live_beats(connection: sa.Connection, *, fresh_ms: int = FRESH_MS) -> list[Beat]:
    """Return the processes heard of within the last `fresh_ms`."""
    rows = connection.execute(_LIVE, {"fresh_ms": fresh_ms})
    return [Beat(Component(row.component), row.instance, row.beat_ms, row.slots) for row in rows]


def live_slots(connection: sa.Connection) -> int:
    """Return the number of processes that replay trials at the moment."""
    return sum(found.slots for found in live_beats(connection) if found.component is Component.WORKER)
