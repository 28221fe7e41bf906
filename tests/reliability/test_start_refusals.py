"""A database that cannot be used: each process ends by itself, with a status, and says why in one line."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from disks import small_disk
from servers import free_port

from bot.errors import StoreError
from bot.market_store.database import open_engine
from sweeps.migrations import migrate

PROGRAMS = Path(sys.executable).parent
TAKEN_AT_MOST_S = 60
"""On a crowded machine; a process that goes on trying would take for ever."""
_NOT_OURS = (
    *("SecurityWarning", "absolutely not", "Please specify", "User information", "_warn_or_raise"),
    *("[info ", "Application startup failed"),
)
"""Warning of Celery to a superuser, and lines of the web server about itself."""


def migrated(path: Path) -> Path:
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


def altered(path: Path, statement: str) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    return path


def text(folder: Path) -> Path:
    path = folder / "text.db"
    path.write_text("this is no database, and long enough to be read as one " * 100)
    return path


def damaged(folder: Path) -> Path:
    path = migrated(folder / "damaged.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 4000)
        file.truncate(9000)
    return path


def newer(folder: Path) -> Path:
    path = migrated(folder / "newer.db")
    return altered(path, "UPDATE alembic_version SET version_num = '9999'")


def nowhere(folder: Path) -> Path:
    return folder / "nowhere" / "x.db"


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """Return a database of an older schema on a disk that takes no writes."""
    with small_disk(tmp_path / "disk", "8m"):
        path = altered(
            migrated(tmp_path / "disk" / "old.db"), "UPDATE alembic_version SET version_num = '0009'"
        )
        subprocess.run(["mount", "-o", "remount,ro", path.parent], check=True)
        yield path


def starts(port: int) -> dict[str, list[str | Path]]:
    return {
        "up": [PROGRAMS / "carrygrid", "up", "--port", str(port)],
        "api": [PROGRAMS / "uvicorn", "api.main:app", "--port", str(port)],
        "worker": [PROGRAMS / "celery", "-A", "workers.app", "worker", "--pool", "solo"],
        "dispatcher": [sys.executable, "-m", "workers.dispatcher"],
    }


def assert_refused_by_all(database: Path, reason: str, tmp_path: Path) -> None:
    """Start each process on the database, all at a time."""
    running = {}
    for name, command in starts(free_port()).items():
        home = tmp_path / f"home-{name}"
        environment = {
            "PATH": os.environ["PATH"],
            "CARRYGRID_HOME": str(home),
            "CARRYGRID_DATABASE_URL": f"sqlite:///{database}",
        }
        running[name] = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    said = {name: process.communicate(timeout=TAKEN_AT_MOST_S) for name, process in running.items()}
    for name, (_, errors) in said.items():
        lines = [
            line
            for line in errors.splitlines()
            if line.strip() and not any(part in line for part in _NOT_OURS)
        ]
        assert running[name].returncode not in {0, None}, name
        assert len(lines) == 1, errors
        assert reason in lines[0]
        assert f"{database}" in lines[0]


def assert_refused(database: Path, reason: str) -> None:
    """Open the database as each process does before anything else."""
    engine = open_engine(f"sqlite:///{database}")
    with pytest.raises(StoreError) as refused:
        migrate(engine)
    engine.dispose()
    assert reason in str(refused.value)
    assert f"{database}" in str(refused.value)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (text, "cannot be used: file is not a database"),
        (damaged, "cannot be used: database disk image is malformed"),
        (newer, "has schema 9999, newer than this program"),
        (nowhere, "cannot be used: unable to open database file"),
    ],
)
def test_an_unusable_database_is_refused_with_its_path_and_the_reason(
    made: Callable[[Path], Path], reason: str, tmp_path: Path
) -> None:
    assert_refused(made(tmp_path), reason)


def test_a_read_only_database_is_refused_with_its_path(read_only: Path) -> None:
    assert_refused(read_only, "cannot be used: ")


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (text, "cannot be used: file is not a database"),
        (newer, "has schema 9999, newer than this program"),
    ],
    ids=["by its driver", "by us"],
)
def test_a_refused_database_ends_every_process_with_one_line(
    made: Callable[[Path], Path], reason: str, tmp_path: Path
) -> None:
    assert_refused_by_all(made(tmp_path), reason, tmp_path)
