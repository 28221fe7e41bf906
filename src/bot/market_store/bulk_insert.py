"""Insertion of many rows by column, past what a statement does to each value of each row."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.market_store.database import insert_or_skip_for

_POSITIONAL = {"sqlite": (sqlite.dialect, "qmark"), "postgresql": (postgresql.dialect, "format")}
_COPIED_AS: tuple[tuple[type[sa.types.TypeEngine[Any]], str], ...] = (
    (sa.BigInteger, "int8"),
    (sa.Integer, "int4"),
    (sa.Float, "float8"),
    (sa.String, "text"),
    (sa.LargeBinary, "bytea"),
)
"""Types of PostgreSQL by those of columns; the first that fits counts."""


def insert_columns(connection: sa.Connection, table: sa.Table, columns: Mapping[str, Sequence[Any]]) -> int:
    """Insert many rows, given column by column as the driver takes them; return how many were not there yet.

    Rows whose key is already there are left alone. PostgreSQL takes them by COPY, which knows no conflicts:
    where there is one, they go again by INSERT.
    """
    if connection.dialect.name == "postgresql" and _copied(connection, table, columns):
        return len(next(iter(columns.values())))
    text, names = _driver_insert(connection.dialect.name, table, tuple(columns))
    rows = list(zip(*(columns[name] for name in names), strict=True))
    return connection.exec_driver_sql(text, rows).rowcount


@lru_cache
def _driver_insert(dialect_name: str, table: sa.Table, names: tuple[str, ...]) -> tuple[str, list[str]]:
    """Return the statement as the driver takes it, and the columns in its order."""
    dialect, paramstyle = _POSITIONAL[dialect_name]
    compiled = insert_or_skip_for(dialect_name, table).compile(
        dialect=dialect(paramstyle=paramstyle), column_keys=names
    )
    return str(compiled), compiled.positiontup or []


def _copied(connection: sa.Connection, table: sa.Table, columns: Mapping[str, Sequence[Any]]) -> bool:
    """Insert rows by COPY; return False, and nothing is inserted, where one of them is there already."""
    savepoint = connection.begin_nested()
    try:
        _copy(connection, table, columns)
    except sa.exc.IntegrityError as error:
        savepoint.rollback()
        if isinstance(error.orig, _driver(connection).errors.UniqueViolation):
            return False
        raise
    savepoint.commit()
    return True


def _copy(connection: sa.Connection, table: sa.Table, columns: Mapping[str, Sequence[Any]]) -> None:
    """Send rows to PostgreSQL in its binary format; raises errors of the driver as those of SQLAlchemy."""
    statement, types = _copy_statement(table, tuple(columns))
    driver = _driver(connection)
    opened: Any = connection.connection.driver_connection
    try:
        with opened.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in zip(*columns.values(), strict=True):
                copy.write_row(row)
    except driver.IntegrityError as error:
        raise sa.exc.IntegrityError(statement, None, error) from error
    except driver.OperationalError as error:
        raise sa.exc.OperationalError(statement, None, error) from error
    except driver.Error as error:
        raise sa.exc.DBAPIError(statement, None, error) from error


def _driver(connection: sa.Connection) -> Any:
    """Return the module of the driver, which only those import whose database it is."""
    return connection.dialect.loaded_dbapi


@lru_cache
def _copy_statement(table: sa.Table, names: tuple[str, ...]) -> tuple[str, list[str]]:
    """Return the COPY of some columns, and the type of each by its name in PostgreSQL."""
    quoted = postgresql.dialect().identifier_preparer.quote  # type: ignore[no-untyped-call]
    listed = ", ".join(quoted(name) for name in names)
    statement = f"COPY {quoted(table.name)} ({listed}) FROM STDIN (FORMAT BINARY)"
    return statement, [_copied_as(table.c[name].type) for name in names]


def _copied_as(column_type: sa.types.TypeEngine[Any]) -> str:
    stored = column_type.impl_instance if isinstance(column_type, sa.TypeDecorator) else column_type
    return next(name for kind, name in _COPIED_AS if isinstance(stored, kind))
