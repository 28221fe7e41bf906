"""The schema: reached from nothing, equal to the tables in code, refused where it is not ours."""

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from servers import postgres_database

from bot.errors import StoreError
from bot.market_store.database import open_engine, write_transaction
from bot.market_store.tables import metadata
from sweeps import migrations
from sweeps.migrations import HEAD, current_revision, migrate
from sweeps.storage import tables


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with postgres_database(request.getfixturevalue("postgres_process"), "empty") as url:
        yield url


def test_head_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_migrated_schema_equals_the_tables_in_code(engine: sa.Engine) -> None:
    assert tables.sweep.metadata is metadata
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert current_revision(engine) == HEAD


def test_database_at_its_newest_schema_is_left_alone(engine: sa.Engine) -> None:
    statements: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    migrate(engine)
    assert not [text for text in statements if not text.lstrip().startswith(("SELECT", "PRAGMA", "BEGIN"))]


def test_many_processes_migrate_one_empty_database_at_once(empty_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=migrate_url, args=(empty_url,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    engine = open_engine(empty_url)
    assert current_revision(engine) == HEAD
    engine.dispose()


def migrate_url(url: str) -> None:
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()


def test_schema_of_a_newer_program_is_refused_by_name(empty_url: str) -> None:
    engine = open_engine(empty_url)
    migrate(engine)
    with write_transaction(engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="has schema 9999, newer than this program"):
        migrate(engine)
    engine.dispose()


@pytest.mark.parametrize("broken", ["not a database, just text " * 100, None])
def test_unusable_file_is_refused_with_one_line(tmp_path: Path, broken: str | None) -> None:
    path = tmp_path / "missing" / "x.db"
    if broken:
        path = tmp_path / "x.db"
        path.write_text(broken)
    engine = open_engine(f"sqlite:///{path}")
    with pytest.raises(StoreError, match="cannot be used") as caught:
        migrate(engine)
    assert "\n" not in caught.value.message
    engine.dispose()
