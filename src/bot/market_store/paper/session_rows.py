"""Rows that sessions of either kind have: the session itself, numbered books, and equity."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from bot.market_store.database import write_transaction
from bot.market_store.paper.tables import paper_equity, paper_session
from bot.notation import quoted
from bot.paper.session_store import SessionStatus, SessionTakenError


def create_session(engine: sa.Engine, values: Mapping[str, Any]) -> None:
    """Write a new session down; raises SessionTakenError if its name is taken."""
    try:
        with write_transaction(engine, durable=True) as connection:
            connection.execute(paper_session.insert().values(values))
    except sa.exc.IntegrityError:
        raise SessionTakenError(
            f"session {quoted(values['name'])} has just been started by another process"
        ) from None


def move_on(connection: sa.Connection, name: str, previous_ms: int, values: Mapping[str, Any]) -> int:
    """Give an open session new values after its event at `previous_ms`, and return its id.

    Raises: SessionTakenError if another process has got further.
    """
    expected = (
        (paper_session.c.name == name)
        & (paper_session.c.event_ms == previous_ms)
        & (paper_session.c.status == SessionStatus.OPEN.value)
    )
    moved = paper_session.update().where(expected).values(values)
    session_id = connection.execute(moved.returning(paper_session.c.id)).scalar_one_or_none()
    if session_id is None:
        raise SessionTakenError(
            f"session {quoted(name)} has been taken further by another process; this one ends"
        )
    return int(session_id)


def reopen_session(engine: sa.Engine, name: str) -> None:
    """Let a stopped session trade again."""
    with write_transaction(engine, durable=True) as connection:
        opened = paper_session.update().where(paper_session.c.name == name)
        connection.execute(opened.values(status=SessionStatus.OPEN.value))


def add_rows(connection: sa.Connection, table: sa.Table, session_id: int, rows: list[dict[str, Any]]) -> None:
    """Add rows to a book of a session."""
    if rows:
        connection.execute(table.insert(), [{"session_id": session_id, **row} for row in rows])


def add_numbered(
    connection: sa.Connection, table: sa.Table, session_id: int, rows: list[dict[str, Any]]
) -> None:
    """Add rows to a book of a session, numbered on from its newest."""
    if not rows:
        return
    newest = sa.select(sa.func.max(table.c.number)).where(table.c.session_id == session_id)
    first = (connection.execute(newest).scalar_one_or_none() or 0) + 1
    add_rows(connection, table, session_id, [{"number": n, **row} for n, row in enumerate(rows, first)])


def put_equity(connection: sa.Connection, session_id: int, t_ms: int, equity: Decimal) -> None:
    """Write the newest point; a session that is closed right after an event replaces that event's."""
    key = (paper_equity.c.session_id == session_id) & (paper_equity.c.t_ms == t_ms)
    connection.execute(paper_equity.delete().where(key))
    add_rows(connection, paper_equity, session_id, [{"t_ms": t_ms, "equity": equity}])


def equity_of(engine: sa.Engine, name: str) -> list[tuple[int, Decimal]]:
    """Return the equity of a session after every event, quote currency."""
    rows = session_rows(engine, name, paper_equity, paper_equity.c.t_ms)
    return [(row["t_ms"], row["equity"]) for row in rows]


def session_rows(
    engine: sa.Engine, name: str, table: sa.Table, *order: sa.Column[Any]
) -> Sequence[sa.RowMapping]:
    """Return the rows of a book of a session."""
    held = sa.select(paper_session.c.id).filter_by(name=name).scalar_subquery()
    with engine.connect() as connection:
        query = sa.select(table).where(table.c.session_id == held).order_by(*order)
        return connection.execute(query).mappings().all()
