"""Copies of a SQLite database, taken while others write to it, and put back in its place."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa

from bot.errors import InvalidInputError, StoreError
from bot.market_store.database import DATABASE_VARIABLE

_SOUND = "ok"
_BROKEN = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})
_PRIMARY = 0xFF
"""Part of an error's code that is the same for all of its kind."""

_OURS = frozenset({"alembic_version", "sweep"})
_COMPANIONS = ("-wal", "-shm", "-journal")


def database_file(url: str) -> Path:
    """Return the file of a SQLite database; raises InvalidInputError for another one."""
    target = sa.make_url(url)
    if target.get_backend_name() != "sqlite" or not target.database:
        raise InvalidInputError.of(
            DATABASE_VARIABLE, f"{target.render_as_string()} is not SQLite: use pg_dump and pg_restore"
        )
    return Path(target.database)


def back_up(source: Path, copy: Path) -> None:
    """Write a consistent copy of a database in use to `copy`, whole or not at all.

    Raises: StoreError if either cannot be read or written.
    """
    if not source.exists():
        raise StoreError(f"there is no database {source} yet")
    with _replacing(copy, source) as partial:
        found = _copied(source, partial)
        if found != _SOUND:
            raise StoreError(f"{source} is damaged: {found}")


def restore(copy: Path, target: Path, check: Callable[[str], None]) -> None:
    """Put a copy in the place of a database that nobody has open; `check` is given its schema before.

    Raises: InvalidInputError naming FILE if it is no sound copy of a database of ours; StoreError if the
    database is in use; what `check` raises.
    """
    with _replacing(target, copy) as partial:
        check(_schema_of(copy, partial))
        if target.exists():
            _refuse_one_in_use(target)
        for companion in _COMPANIONS:
            target.with_name(target.name + companion).unlink(missing_ok=True)


@contextmanager
def _replacing(path: Path, source: Path) -> Iterator[Path]:
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        yield partial
        descriptor = os.open(partial, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        partial.replace(path)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{source} cannot be copied to {path}: {error}") from None
    finally:
        partial.unlink(missing_ok=True)


def _copied(source: Path, target: Path) -> str:
    """Copy a database, and return what its check found."""
    with _opened(source, "ro") as held, _opened(target, "rwc") as written:
        held.backup(written)
        written.execute("PRAGMA journal_mode=DELETE")
        return str(written.execute("PRAGMA integrity_check").fetchone()[0])


def _schema_of(copy: Path, partial: Path) -> str:
    """Take a copy over to `partial`, and return the revision of its schema."""
    try:
        found = _copied(copy, partial)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & _PRIMARY not in _BROKEN:
            raise
        found = str(error)
    if found != _SOUND:
        raise InvalidInputError.of("FILE", f"{copy} is no sound copy of a database: {found}")
    with _opened(partial, "ro") as written:
        tables = {name for (name,) in written.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables >= _OURS:
            raise InvalidInputError.of("FILE", f"{copy} is no copy of a database of Carrygrid")
        return str(written.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def _refuse_one_in_use(path: Path) -> None:
    """Ask for the lock that only the last user of a database can get."""
    with _opened(path, "rw") as connection:
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise StoreError(f"{path} is in use ({error}): stop the service first") from None


def _opened(path: Path, mode: str) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=0.5))
