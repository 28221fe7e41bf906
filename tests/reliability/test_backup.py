"""Backups of a service in the middle of its work, and services that go on from them."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from harms import harmful
from harness import installation
from servers import postgres_database, postgres_programs, postgres_server, skip_or_fail
from sweeping import sweep_spec
from webservice import DATABASE, fill

from sweeps.migrations import HEAD
from sweeps.spec.spec import SweepSpec

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_server() as url:
        yield url


def slow_spec() -> SweepSpec:
    grid = {
        "min_funding_rate": {"start": "0.00001", "stop": "0.0002", "step": "0.00001"},
        "exit_funding_rate": {"start": "0", "stop": "0.0001", "step": "0.00001"},
        "perp_leverage": [1, 3],
    }
    return sweep_spec(name=harmful(trial_ms=5), grid=grid, curves="none")


def carrygrid(database: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [Path(sys.executable).parent / "carrygrid", *map(str, arguments)],
        env={**os.environ, "CARRYGRID_DATABASE_URL": database},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_copy_taken_in_mid_sweep_is_restored_and_worked_to_its_end(
    tmp_path: Path, market_template: Path
) -> None:
    spec, copy = slow_spec(), tmp_path / "copy.db"
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    with installation(old, market_template) as running:
        sweep_id = running.submit(spec, size=40)
        running.wait_for_rows(sweep_id, 80)
        assert carrygrid(running.database_url, "backup", copy).returncode == 0
        again = carrygrid(running.database_url, "backup", copy)
        assert (again.returncode, f"{copy} is there already" in again.stderr) == (2, True)
        refused = carrygrid(running.database_url, "restore", copy, "--force")
        assert (refused.returncode, "is in use" in refused.stderr) == (1, True), refused.stderr
        running.wait_until_done(sweep_id)
    restored = tmp_path / "restored" / DATABASE
    restored.parent.mkdir()
    done = carrygrid(f"sqlite:///{restored}", "restore", copy)
    assert (done.returncode, done.stderr) == (0, "")
    new.mkdir()
    with installation(new, restored.parent) as running:
        running.wait_until_done(sweep_id)
        running.assert_promise_kept(sweep_id, spec)


def test_a_damaged_copy_is_refused_and_the_database_stays(tmp_path: Path, market_template: Path) -> None:
    copy, target = tmp_path / "copy.db", tmp_path / DATABASE
    assert carrygrid(f"sqlite:///{market_template / DATABASE}", "backup", copy).returncode == 0
    assert carrygrid(f"sqlite:///{target}", "restore", copy).returncode == 0
    before = target.read_bytes()
    damaged = bytearray(copy.read_bytes())
    damaged[8192:12288] = bytes(4096)
    copy.write_bytes(damaged)
    refused = carrygrid(f"sqlite:///{target}", "restore", copy, "--force")
    said = f"error: FILE: {copy} is no sound copy of a database: "
    assert (refused.returncode, refused.stderr.startswith(said)) == (2, True), refused.stderr
    assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [DATABASE, "copy.db"]


def _write_text(path: Path) -> None:
    path.write_text("a text, and no database\n" * 100)


def _write_nothing(path: Path) -> None:
    path.touch()


def _write_other(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE sweep (id INTEGER)")


def _write_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE sweep (id INTEGER)")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
        connection.commit()


@pytest.mark.parametrize(
    ("write", "status", "said"),
    [
        (_write_text, 2, "FILE: {copy} is no sound copy of a database: file is not a database"),
        (_write_nothing, 2, "FILE: {copy} is no copy of a database of Carrygrid"),
        (_write_other, 2, "FILE: {copy} is no copy of a database of Carrygrid"),
        (_write_newer, 1, "the database {copy} has schema 9999, newer than this program (" + HEAD + ")"),
    ],
    ids=["text", "empty", "another program's", "a later version's"],
)
def test_a_file_that_is_no_backup_is_refused_and_the_database_stays(
    tmp_path: Path, write: Callable[[Path], None], status: int, said: str
) -> None:
    copy, target = tmp_path / "copy.db", tmp_path / DATABASE
    write(copy)
    target.write_bytes(b"what there was")
    refused = carrygrid(f"sqlite:///{target}", "restore", copy, "--force")
    assert (refused.returncode, refused.stderr) == (status, f"error: {said.format(copy=copy)}\n")
    assert target.read_bytes() == b"what there was"
    assert sorted(path.name for path in tmp_path.iterdir()) == [DATABASE, "copy.db"]


@pytest.mark.slow
@pytest.mark.postgres
def test_a_dump_taken_in_mid_sweep_is_restored_and_worked_to_its_end(
    tmp_path: Path, market_template: Path, server: str
) -> None:
    programs = postgres_programs()
    if programs is None or not (programs / "pg_dump").exists():
        skip_or_fail("no pg_dump: install postgresql")
    assert programs
    spec, dump = slow_spec(), tmp_path / "carrygrid.dump"
    with postgres_database(server, "before") as url, postgres_database(server, "after") as other:
        fill(url)
        old, new = tmp_path / "old", tmp_path / "new"
        for folder in (old, new):
            folder.mkdir()
        with installation(old, market_template, postgres_url=url) as running:
            sweep_id = running.submit(spec, size=40)
            running.wait_for_rows(sweep_id, 80)
            subprocess.run([programs / "pg_dump", "-Fc", "-f", dump, url], check=True)
        subprocess.run([programs / "pg_restore", "--no-owner", "-d", other, dump], check=True)
        with installation(new, market_template, postgres_url=other) as running:
            running.wait_until_done(sweep_id)
            running.assert_promise_kept(sweep_id, spec)


def test_postgresql_is_left_to_its_own_programs() -> None:
    refused = carrygrid("postgresql://me:secret@db/carrygrid", "backup", "x.db")
    assert refused.returncode == 2
    assert "postgresql://me:***@db/carrygrid is not SQLite: use pg_dump and pg_restore" in refused.stderr


def test_a_database_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = carrygrid(f"sqlite:///{tmp_path / 'none.db'}", "backup", tmp_path / "x.db")
    assert (missing.returncode, missing.stderr) == (
        1,
        f"error: there is no database {tmp_path / 'none.db'} yet\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_copy_is_a_whole_database(tmp_path: Path, market_template: Path) -> None:
    copy = tmp_path / "copy.db"
    carrygrid(f"sqlite:///{market_template / DATABASE}", "backup", copy)
    engine = sa.create_engine(f"sqlite:///{copy}")
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM market_segment")).scalar_one() > 10
    engine.dispose()
