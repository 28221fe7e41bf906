"""Troubles of the database are told apart: busy, full, of another schema, or our own mistake."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from psycopg import errors as postgres
from webservice import DATABASE

from api.errors.database_errors import database_problem


def of(cause: Exception, kind: type[sa.exc.DBAPIError] = sa.exc.OperationalError) -> Any:
    problem = database_problem(kind("SELECT 1", {}, cause))
    return problem and (problem.code, problem.status)


def sqlite_error(script: str, path: str = ":memory:") -> sqlite3.Error:
    with pytest.raises(sqlite3.Error) as caught:
        sqlite3.connect(path).execute(script)
    return caught.value


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (postgres.UndefinedColumn(), ("database_schema", 500)),
        (postgres.UndefinedTable(), ("database_schema", 500)),
        (postgres.DiskFull(), ("database_full", 507)),
        (postgres.LockNotAvailable(), ("database_unavailable", 503)),
        (postgres.AdminShutdown(), ("database_unavailable", 503)),
        (postgres.QueryCanceled(), ("database_unavailable", 503)),
    ],
)
def test_trouble_of_postgresql_is_named(cause: Exception, expected: tuple[str, int]) -> None:
    assert of(cause) == expected


@pytest.mark.parametrize(
    ("script", "path", "expected"),
    [
        ("SELECT x FROM t", ":memory:", ("database_schema", 500)),
        ("SELECT x FROM (SELECT 1)", ":memory:", ("database_schema", 500)),
        ("SELECT 1", "/nowhere/x.db", ("database_unavailable", 503)),
        ("SELECT FROM", ":memory:", None),
    ],
)
def test_trouble_of_sqlite_is_named(script: str, path: str, expected: tuple[str, int] | None) -> None:
    assert of(sqlite_error(script, path)) == expected


def test_full_disk_of_sqlite_is_named(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x.db")
    connection.execute("CREATE TABLE t (a)")
    connection.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("INSERT INTO t VALUES (zeroblob(1000000))")
    connection.close()
    assert of(caught.value) == ("database_full", 507)
    problem = database_problem(caught.value)
    assert problem is not None
    assert (problem.code, problem.status) == ("database_full", 507)


def test_wrong_statement_is_our_own_mistake() -> None:
    assert of(postgres.SyntaxError(), sa.exc.ProgrammingError) is None
    assert of(postgres.UniqueViolation(), sa.exc.IntegrityError) is None
    assert database_problem(sa.exc.ArgumentError("x")) is None
    assert database_problem(sa.exc.TimeoutError("x")) is not None


def test_missing_column_is_no_busy_database(client: TestClient, home: Path) -> None:
    with sqlite3.connect(home / DATABASE) as connection:
        connection.execute("ALTER TABLE sweep RENAME COLUMN note TO remark")
    response = client.get("/sweeps")
    assert response.status_code == 500
    assert response.json()["type"].endswith("database_schema")
    assert "carrygrid migrate" in response.json()["detail"]
