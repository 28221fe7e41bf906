"""Engines and transactions: the one place that knows what SQLite and PostgreSQL need."""

import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from bot.errors import InvalidInputError
from bot.notation import quoted

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

DATABASE_VARIABLE = "CARRYGRID_DATABASE_URL"
"""Variable of the environment that names the database, by which a refused address is called."""

BUSY_TIMEOUT_MS = 20_000
POSTGRESQL_LIMITS_MS = {
    "lock_timeout": 10_000,
    "statement_timeout": 60_000,
    "idle_in_transaction_session_timeout": 60_000,
}
_KEEPALIVES = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
"""Seconds, at both ends: a machine cut off in a transaction keeps its locks some 11 s, not a minute."""
_UNANSWERED_MS = 10_000
_SWITCH_PERIOD_S = 0.02
_WAL_LIMIT_BYTES = 64 * 1024 * 1024
_CUTS_TRIED, _CUT_AGAIN_S = 20, 0.1
_SYNCHRONOUS = "NORMAL"
_PRAGMAS = (
    f"journal_size_limit={_WAL_LIMIT_BYTES}",
    "foreign_keys=ON",
    f"synchronous={_SYNCHRONOUS}",
    "secure_delete=FAST",  # some builds write zeros over all that is deleted: pages that are free need none
)
_LEVEL = "carrygrid_synchronous"
"""Name under which a connection keeps the level that it was set to last."""
_POSTGRESQL_FULL = "53100"
_PRIMARY_CODE = 0xFF
_DRIVERS = {"sqlite": ("pysqlite", "aiosqlite"), "postgresql": ("psycopg", "psycopg")}
_WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


def open_engine(
    url: str, *, pool_size: int = 5, pool_timeout_s: float = 5, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> sa.Engine:
    """Return a lazily connecting engine for `sqlite:///path` or `postgresql://...`, driver chosen here.

    It waits `busy_timeout_ms` for another process's write to SQLite. Raises: InvalidInputError for any other
    url.
    """
    target = _target(url, asynchronous=False)
    engine = sa.create_engine(target, **_options(target, pool_size, pool_timeout_s))
    _prepare(engine, busy_timeout_ms)
    return engine


def open_async_engine(
    url: str, *, pool_size: int = 5, pool_timeout_s: float = 5, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> "AsyncEngine":
    """Return the asyncio twin of `open_engine`, for the same urls."""
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - loads all of the ORM

    target = _target(url, asynchronous=True)
    engine = create_async_engine(target, **_options(target, pool_size, pool_timeout_s))
    _prepare(engine.sync_engine, busy_timeout_ms)
    return engine


@contextmanager
def write_transaction(engine: sa.Engine, *, durable: bool = False) -> Iterator[sa.Connection]:
    """Open the only kind of transaction that may write; it commits at the end, or rolls back on an error.

    `durable` makes the commit survive a power loss as well (SQLite; PostgreSQL always does).
    """
    with engine.connect() as connection:
        connection.execution_options(carrygrid_write=True, carrygrid_durable=durable)
        with connection.begin():
            yield connection


@asynccontextmanager
async def async_write_transaction(
    engine: "AsyncEngine", *, durable: bool = False
) -> "AsyncIterator[AsyncConnection]":
    """Open the asyncio twin of `write_transaction`."""
    async with engine.connect() as connection:
        await connection.execution_options(carrygrid_write=True, carrygrid_durable=durable)
        async with connection.begin():
            yield connection


def is_full(cause: BaseException | None) -> bool:
    """Return whether this error of a driver says that the database's disk has no room left."""
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & _PRIMARY_CODE == sqlite3.SQLITE_FULL
    return getattr(cause, "sqlstate", None) == _POSTGRESQL_FULL


def compact(engine: sa.Engine) -> None:
    """Give the space of deleted rows back to the disk.

    A SQLite file is written anew, for which the disk needs as much room again; PostgreSQL reuses its own.
    The file shrinks once nobody reads what it held, which is looked for a few times: the next to cut its log,
    such as an idle dispatcher, does it otherwise.
    """
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("VACUUM")
    finally:
        connection.close()
    for _ in range(_CUTS_TRIED):
        if cut_log(engine):
            break
        time.sleep(_CUT_AGAIN_S)


def cut_log(engine: sa.Engine) -> bool:
    """Write the log of a SQLite file into it and empty the log; return whether there is nothing left in it.

    Pages that are still being read stay: waiting for readers would block all writers as well.
    """
    if engine.dialect.name != "sqlite":
        return True
    connection = engine.raw_connection()
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")  # locks nobody out, and leaves little to the other
        [patience_ms] = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout=0")
        try:
            [busy, *_] = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout={patience_ms}")
    finally:
        connection.close()
    return not busy


def insert_or_skip(connection: sa.Connection, table: sa.Table) -> "postgresql.Insert | sqlite.Insert":
    """Return an INSERT into `table` that leaves rows alone whose key is already there."""
    return _skipping(connection.dialect.name, table)


@cache
def _skipping(dialect: str, table: sa.Table) -> "postgresql.Insert | sqlite.Insert":
    """Return that statement; putting it together takes as long as to send it."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - loads drivers that SQLite has no use for

        return postgresql.insert(table).on_conflict_do_nothing()
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415 - likewise

    return sqlite.insert(table).on_conflict_do_nothing()


def _target(url: str, *, asynchronous: bool) -> sa.URL:
    try:
        parsed = sa.make_url(url)
        drivers = _DRIVERS[parsed.get_backend_name()]
    except (sa.exc.ArgumentError, KeyError, ValueError):
        raise InvalidInputError.of(
            DATABASE_VARIABLE,
            f"{quoted(_without_password(url))} is neither sqlite:///path nor postgresql://host/name",
        ) from None
    if drivers[0] == "pysqlite" and parsed.database in {None, "", ":memory:"}:
        raise InvalidInputError.of(
            DATABASE_VARIABLE, f"{quoted(url)} names no file; processes share it by its path"
        )
    return parsed.set(drivername=f"{parsed.get_backend_name()}+{drivers[asynchronous]}")


def _without_password(url: str) -> str:
    head, at, tail = str(url).rpartition("@")
    return f"{head.rpartition(':')[0]}:***@{tail}" if at else tail


def _options(target: sa.URL, pool_size: int, pool_timeout_s: float) -> dict[str, Any]:
    options: dict[str, Any] = {"pool_size": pool_size, "pool_timeout": pool_timeout_s}
    if target.get_backend_name() == "postgresql":
        options["pool_pre_ping"] = True
        options["connect_args"] = {
            "connect_timeout": 3,
            **_KEEPALIVES,
            "tcp_user_timeout": _UNANSWERED_MS,
            "options": " ".join(f"-c {name}={value}" for name, value in _server_settings().items()),
        }
    return options


def _server_settings() -> dict[str, int]:
    alive = {f"tcp_{name}": value for name, value in _KEEPALIVES.items()}
    return POSTGRESQL_LIMITS_MS | alive | {"tcp_user_timeout": _UNANSWERED_MS}


def _prepare(engine: sa.Engine, busy_timeout_ms: int) -> None:
    sa.event.listen(engine, "before_cursor_execute", _refuse_stray_write)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", partial(_set_pragmas, busy_timeout_ms))
        sa.event.listen(engine, "begin", _begin_sqlite)


def _set_pragmas(busy_timeout_ms: int, connection: Any, _record: object) -> None:
    # The driver would emit a deferred BEGIN of its own, and such a transaction fails at once when it turns to
    # writing while another process writes, whatever the busy timeout.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={busy_timeout_ms}")
    _write_ahead(cursor, busy_timeout_ms)
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _write_ahead(cursor: Any, busy_timeout_ms: int) -> None:
    """Have the database write ahead; SQLite itself does not wait for a process that switches it just now."""
    until = time.monotonic() + busy_timeout_ms / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_SWITCH_PERIOD_S)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("carrygrid_write"):
        connection.exec_driver_sql("BEGIN")
        return
    level = "FULL" if options.get("carrygrid_durable") else _SYNCHRONOUS
    if connection.info.get(_LEVEL, _SYNCHRONOUS) != level:
        connection.exec_driver_sql(f"PRAGMA synchronous={level}")
        connection.info[_LEVEL] = level
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _refuse_stray_write(
    connection: sa.Connection, _cursor: object, statement: str, *_context: object
) -> None:
    if statement.lstrip()[:7].upper().startswith(_WRITES):
        if connection.get_execution_options().get("carrygrid_write"):
            return
        raise RuntimeError(f"a write outside write_transaction(): {statement[:80]}")


class database_now_ms(GenericFunction[int]):  # noqa: N801 - reads as the SQL function it is
    """The database server's clock, ms UTC: leases never depend on a worker's clock."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(database_now_ms, "sqlite")
def _now_sqlite(_element: Any, _compiler: Any, **_: Any) -> str:
    return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"


@compiles(database_now_ms, "postgresql")
def _now_postgresql(_element: Any, _compiler: Any, **_: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
