"""Problems for database errors: no answer for now, no space, or another schema."""

import sqlite3
from http import HTTPStatus

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from api.errors.problems import Problem
from bot.market_store.database import is_full

_SCHEMA = "the database lacks tables that this program needs: run `carrygrid migrate`, or use its version"
_FULL = "the database's disk is full; what was being written is not stored"
_AWAY = "the database does not answer or is busy; try again in a moment"
_SQLITE_WAITS = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
    )
)
_SQLITE_MISSING = ("no such table", "no such column", "has no column named")
_PRIMARY_CODE = 0xFF
_UNDEFINED = frozenset(("42P01", "42703"))
"""States of SQL: no such table, no such column."""


def database_problem(error: SQLAlchemyError | sqlite3.Error) -> Problem | None:
    """Return the problem that `error` is, None for one that nobody but us can be blamed for."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if is_full(cause):
        return Problem("database_full", HTTPStatus.INSUFFICIENT_STORAGE, _FULL)
    if isinstance(cause, sqlite3.Error):
        return _sqlite_problem(cause)
    state = getattr(cause, "sqlstate", None)  # of PostgreSQL, whose driver other databases can do without
    if state in _UNDEFINED:
        return Problem("database_schema", HTTPStatus.INTERNAL_SERVER_ERROR, _SCHEMA)
    if isinstance(error, OperationalError | PoolTimeoutError):
        return Problem("database_unavailable", HTTPStatus.SERVICE_UNAVAILABLE, _AWAY)
    return None


def _sqlite_problem(cause: sqlite3.Error) -> Problem | None:
    code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_BUSY) & _PRIMARY_CODE
    if code == sqlite3.SQLITE_ERROR and any(words in str(cause) for words in _SQLITE_MISSING):
        return Problem("database_schema", HTTPStatus.INTERNAL_SERVER_ERROR, _SCHEMA)
    if code in _SQLITE_WAITS:
        return Problem("database_unavailable", HTTPStatus.SERVICE_UNAVAILABLE, _AWAY)
    return None
