import multiprocessing
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.errors import InvalidInputError
from bot.market_store.database import (
    async_write_transaction,
    compact,
    cut_log,
    insert_or_skip,
    open_async_engine,
    open_engine,
    write_transaction,
)

numbers = sa.Table("numbers", sa.MetaData(), sa.Column("n", sa.Integer, primary_key=True))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/numbers.sqlite"


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    engine = open_engine(url)
    numbers.create(engine)
    yield engine
    engine.dispose()


def count(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(numbers)) or 0


def read_then_write(url: str, first: int, how_many: int) -> None:
    engine = open_engine(url)
    for n in range(first, first + how_many):
        with write_transaction(engine) as connection:
            connection.scalar(sa.select(sa.func.max(numbers.c.n)))
            connection.execute(numbers.insert().values(n=n))
    engine.dispose()


def test_connection_has_the_settings_that_parallel_writers_need(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "busy_timeout", "foreign_keys", "synchronous", "secure_delete")
        }
    expected = {"journal_mode": "wal", "busy_timeout": 20_000, "foreign_keys": 1, "synchronous": 1}
    assert found == {**expected, "secure_delete": 2}


def test_patience_with_other_writers_is_the_one_asked_for(url: str) -> None:
    engine = open_engine(url, busy_timeout_ms=700)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 700
    engine.dispose()


def test_two_processes_that_read_and_then_write_both_finish(engine: sa.Engine, url: str) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=read_then_write, args=(url, start, 150)) for start in (0, 1000)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert count(engine) == 300


def test_error_inside_a_write_transaction_leaves_nothing(engine: sa.Engine) -> None:
    def write_and_fail() -> None:
        with write_transaction(engine) as connection:
            connection.execute(numbers.insert().values(n=1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert count(engine) == 0


def test_read_transaction_keeps_its_snapshot_while_another_writes(engine: sa.Engine) -> None:
    with engine.connect() as reader:
        before = reader.scalar(sa.select(sa.func.count()).select_from(numbers))
        with write_transaction(engine) as writer:
            writer.execute(numbers.insert().values(n=1))
        assert reader.scalar(sa.select(sa.func.count()).select_from(numbers)) == before == 0


def test_write_outside_a_write_transaction_is_refused(engine: sa.Engine) -> None:
    with pytest.raises(RuntimeError, match=r"outside write_transaction"), engine.begin() as connection:
        connection.execute(numbers.insert().values(n=1))


def test_connection_returned_to_the_pool_forgets_that_it_may_write(engine: sa.Engine) -> None:
    with write_transaction(engine) as connection:
        connection.execute(numbers.insert().values(n=1))
    with engine.connect() as connection, pytest.raises(RuntimeError, match="write_transaction"):
        connection.execute(numbers.delete())


def test_durable_transactions_sync_fully_and_those_between_them_do_not(engine: sa.Engine) -> None:
    found = []
    for durable in (True, True, False, False, True):
        with write_transaction(engine, durable=durable) as connection:
            found.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())
    assert found == [2, 2, 1, 1, 2]


def test_insert_or_skip_leaves_the_row_that_is_there(engine: sa.Engine) -> None:
    with write_transaction(engine) as connection:
        for _ in range(2):
            connection.execute(insert_or_skip(connection, numbers).values(n=7))
    assert count(engine) == 1


async def test_async_engine_writes_what_the_sync_engine_reads(engine: sa.Engine, url: str) -> None:
    asynchronous = open_async_engine(url)
    async with async_write_transaction(asynchronous, durable=True) as connection:
        await connection.execute(numbers.insert().values(n=5))
        assert (await connection.exec_driver_sql("PRAGMA synchronous")).scalar() == 2
    async with asynchronous.connect() as connection:
        assert (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar() == 1
    await asynchronous.dispose()
    assert count(engine) == 1


def test_postgresql_url_gets_psycopg_in_both_engines() -> None:
    url = "postgresql://user:secret@localhost/carrygrid"
    assert open_engine(url).dialect.driver == "psycopg"
    assert open_async_engine(url).dialect.driver == "psycopg"


def test_synchronous_processes_start_without_the_orm_that_asyncio_engines_load() -> None:
    script = "import sys, workers.dispatcher, api.main; sys.exit('sqlalchemy.orm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("url", ["mysql://localhost/x", "no url", "", "sqlite://", "sqlite:///:memory:"])
def test_unusable_url_is_refused_by_name(url: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^CARRYGRID_DATABASE_URL: "):
        open_engine(url)


def test_refused_url_hides_its_password() -> None:
    with pytest.raises(InvalidInputError) as refusal:
        open_engine("mysql://user:secret@localhost/x")
    assert "secret" not in refusal.value.message


def test_opening_waits_for_a_writer_of_a_database_that_does_not_write_ahead_yet(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    writer.execute("CREATE TABLE written (number)")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO written VALUES (1)")
    end = threading.Timer(0.3, lambda: writer.execute("COMMIT"))
    end.start()
    engine = open_engine(f"sqlite:///{path}", busy_timeout_ms=10_000)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    end.join()
    engine.dispose()
    writer.close()


def test_log_is_cut_once_nobody_reads_what_it_holds_and_nobody_is_waited_for(
    engine: sa.Engine, url: str
) -> None:
    log = Path(f"{engine.url.database}-wal")
    with engine.connect() as reader:
        count_of = sa.select(sa.func.count()).select_from(numbers)
        assert reader.scalar(count_of) == 0
        with write_transaction(engine) as connection:
            connection.execute(numbers.insert().values(n=1))
        patient = open_engine(url, busy_timeout_ms=600_000)
        assert not cut_log(patient)
        assert log.stat().st_size > 0
        assert reader.scalar(count_of) == 0
    assert cut_log(patient)
    assert log.stat().st_size == 0
    with patient.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 600_000
    patient.dispose()
    assert count(engine) == 1


@pytest.mark.parametrize("reads_on", [False, True])
def test_compacting_waits_for_no_reader_and_keeps_no_writer_waiting(
    engine: sa.Engine, url: str, reads_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(str(engine.url.database))
    patient, hasty = open_engine(url, busy_timeout_ms=600_000), open_engine(url, busy_timeout_ms=0)
    with write_transaction(engine) as connection:
        connection.execute(sa.text("CREATE TABLE bulk (data BLOB)"))
        connection.execute(sa.text("INSERT INTO bulk VALUES (zeroblob(500000))"))
    assert cut_log(engine)
    with write_transaction(engine) as connection:
        connection.execute(sa.text("DROP TABLE bulk"))
    full = path.stat().st_size
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        with write_transaction(hasty) as connection:
            connection.execute(numbers.insert().values(n=len(pauses)))
        if len(pauses) == 2 and not reads_on:
            reader.close()

    monkeypatch.setattr("bot.market_store.database.time.sleep", pause)
    with engine.connect() as reader:
        reader.scalar(sa.select(sa.func.count()).select_from(numbers))
        compact(patient)
    assert len(pauses) == (20 if reads_on else 2)
    assert (path.stat().st_size < full) is not reads_on
    assert cut_log(patient)
    assert path.stat().st_size < full - 400_000
    patient.dispose()
    hasty.dispose()
