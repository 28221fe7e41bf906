"""A database that is busy, full, restarted, killed or missing a table: late answers, no wrong rows."""

import multiprocessing
import os
import random
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.context import ForkServerContext
from pathlib import Path

import httpx2
import psycopg
import pytest
import sqlalchemy as sa
from disks import ballast, small_disk
from harness import Installation, installation, kill, pause
from oracle import assert_undamaged
from servers import LOOPBACK, eventually, private_postgres, restart_postgres
from storing import store_chunks
from sweeping import assert_every_trial_once, chunks_of, stored_rows, submit, sweep_spec
from webservice import DATABASE, Hands, copy_of, fill, serving, sweep_body

from api import admission, application
from bot.market_store.database import open_engine, write_transaction
from sweeps.analysis.progress import get_spec
from sweeps.export import ExportFormat, exported
from sweeps.queue.reconcile import expire_leases
from sweeps.storage.tables import chunk
from workers import resources

SPEC = sweep_spec(
    grid={
        "min_funding_rate": {"start": "0.00001", "stop": "0.0002", "step": "0.00001"},
        "exit_funding_rate": {"start": "0", "stop": "0.00009", "step": "0.00001"},
        "perp_leverage": [1, 3, 5],
    },
    curves="none",
)
MANY = sweep_spec(
    grid={
        "perp_leverage": {"start": "1", "stop": "1.999", "step": "0.001"},
        "initial_capital": {"start": "1000", "stop": "1007", "step": "1"},
    },
    curves="none",
)
"""8,000 trials."""


@pytest.fixture
def engine(home: Path) -> Iterator[sa.Engine]:
    engine = open_engine(f"sqlite:///{home / DATABASE}")
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def forks() -> ForkServerContext:
    """Return what starts processes quickly, with everything loaded that they need."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sweeps.queue.leases", "sweeps.work.replay"])
    return context


def assert_rows_and_chunks_agree(engine: sa.Engine, sweep_id: int) -> int:
    """Check that exactly the trials of the chunks that are done are stored; return how many chunks are."""
    done = [found for found in chunks_of(engine, sweep_id) if found.state == "done"]
    numbers = [number for found in done for number in range(found.lo, found.hi)]
    assert [row["number"] for row in stored_rows(engine, sweep_id)] == numbers
    assert_undamaged(engine)
    return len(done)


@pytest.mark.parametrize("writers", [4, pytest.param(16, marks=pytest.mark.slow)])
def test_many_writing_processes_lose_no_row_and_meet_no_error(
    engine: sa.Engine, forks: ForkServerContext, writers: int
) -> None:
    sweep_id = submit(engine, MANY, size=100)
    url = engine.url.render_as_string()
    processes = [
        forks.Process(target=store_chunks, args=(url, sweep_id, f"{n}", list(range(n, 80, writers))))
        for n in range(writers)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(100)
    assert [process.exitcode for process in processes] == [0] * writers
    assert assert_rows_and_chunks_agree(engine, sweep_id) == 80


def test_writers_killed_at_any_moment_leave_whole_transactions_only(
    engine: sa.Engine, forks: ForkServerContext
) -> None:
    moments = random.Random(38)
    sweep_id = submit(engine, MANY, size=5)
    url = engine.url.render_as_string()
    left = list(range(1_600))
    for turn in range(20):
        done = len(chunks_of_state(engine, sweep_id, "done"))
        writer = forks.Process(target=store_chunks, args=(url, sweep_id, f"{turn}", left))
        writer.start()
        eventually(
            lambda before=done: len(chunks_of_state(engine, sweep_id, "done")) > before, 60, "it writes"
        )
        pause(moments.uniform(0, 0.01))
        writer.kill()
        writer.join(10)
        with write_transaction(engine) as connection:
            connection.execute(chunk.update().where(chunk.c.state == "running").values(lease_until_ms=1))
            expire_leases(connection)
        assert_rows_and_chunks_agree(engine, sweep_id)
        left = chunks_of_state(engine, sweep_id, "pending")
    store_chunks(url, sweep_id, "last", left)
    assert assert_rows_and_chunks_agree(engine, sweep_id) == 1_600


def chunks_of_state(engine: sa.Engine, sweep_id: int, state: str) -> list[int]:
    return [found.id for found in chunks_of(engine, sweep_id) if found.state == state]


def test_full_disk_stores_nothing_by_half_and_work_goes_on_when_there_is_space(
    market_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "RESERVE_BYTES", 0)
    with small_disk(tmp_path, "64m"):
        home = copy_of(market_template, tmp_path / "home")
        with serving(home) as address, httpx2.Client(base_url=address, timeout=30) as client:
            hands = Hands(home)
            sweep_id = int(client.post("/sweeps", json=sweep_body(reuse=False)).json()["id"])
            hands.split(sweep_id, 5)
            hands.work(sweep_id, chunks=1)
            with ballast(tmp_path):
                with pytest.raises(sa.exc.OperationalError, match="full"):
                    hands.work(sweep_id)
                refused = client.post("/sweeps", json=sweep_body(grid=dict(MANY.grid)))
                assert refused.status_code == 507, refused.text
                noted = client.patch(f"/sweeps/{sweep_id}", json={"note": "x" * 9_000})
                assert noted.status_code == 507, noted.text
                assert noted.json()["type"].endswith("database_full")
                assert len(client.get(f"/sweeps/{sweep_id}/trials").json()["trials"]) == 5
            assert len(client.get("/sweeps").json()["sweeps"]) == 1
            with write_transaction(hands.engine) as connection:
                connection.execute(chunk.update().where(chunk.c.state == "running").values(lease_until_ms=1))
            hands.work(sweep_id)
            hands.work(sweep_id)
            with hands.engine.connect() as connection:
                spec = get_spec(connection, sweep_id)
            assert_every_trial_once(hands.engine, sweep_id, spec)
            hands.close()


def test_download_keeps_no_old_rows_alive_so_that_the_log_can_be_cut(engine: sa.Engine) -> None:
    sweep_id = submit(engine, MANY, size=100)
    url = engine.url.render_as_string()
    store_chunks(url, sweep_id, "first", list(range(50)))
    download = exported(engine, sweep_id, MANY, ExportFormat.CSV, {})
    next(download)
    next(download)
    store_chunks(url, sweep_id, "then", list(range(50, 80)))
    with sqlite3.connect(engine.url.database or "") as other:
        busy, in_log, moved = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert (busy, in_log, moved) == (0, 0, 0)
    assert Path(f"{engine.url.database}-wal").stat().st_size == 0
    assert sum(page.count(b"\n") for page in download) == 8_000 - 2_000


def test_request_that_cannot_write_says_so_while_others_are_answered(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "PATIENCE_MS", 1_500)
    holder = sqlite3.connect(home / DATABASE, isolation_level=None)
    with serving(home) as address, httpx2.Client(base_url=address, timeout=30) as client:
        holder.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(1) as beside:
            put_off = beside.submit(client.post, "/sweeps", json=sweep_body())
            answered = 0
            while not put_off.done():
                answered += client.get("/healthz").status_code == 200
        refusal = put_off.result()
        assert (refusal.status_code, refusal.headers["retry-after"]) == (503, "2")
        assert answered > 0
        assert client.get("/sweeps").json()["sweeps"] == []
        holder.execute("ROLLBACK")
        assert client.post("/sweeps", json=sweep_body()).json()["id"] == 1
    holder.close()


def test_engine_that_a_parent_opened_is_not_used_by_its_child(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "_opened", [])
    monkeypatch.setenv("CARRYGRID_HOME", str(home))
    parents = resources.chunk_runner()
    assert resources.chunk_runner() is parents
    child = os.fork()
    if not child:
        os._exit(resources.chunk_runner() is parents)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert resources.chunk_runner() is parents
    parents._engine.dispose()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory, market_template: Path) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("busy")
    with installation(folder, market_template, environment={"TRIAL_MS": "10"}) as one:
        yield one


@pytest.mark.broker
def test_table_that_is_missing_for_a_while_costs_nothing_but_time(busy: Installation) -> None:
    sweep_id = busy.submit(SPEC, size=30)
    busy.wait_for_rows(sweep_id, 60)
    with write_transaction(busy.engine) as connection:
        connection.execute(sa.text("ALTER TABLE trial_block RENAME TO put_aside"))
    pause(3)
    with write_transaction(busy.engine) as connection:
        connection.execute(sa.text("ALTER TABLE put_aside RENAME TO trial_block"))
    busy.wait_until_done(sweep_id)
    busy.assert_promise_kept(sweep_id, SPEC)
    assert busy.keeper.deaths == []


@pytest.mark.slow
@pytest.mark.broker
@pytest.mark.postgres
def test_postgresql_that_is_restarted_and_killed_within_a_sweep(
    tmp_path: Path, market_template: Path
) -> None:
    login = {"user": "carrygrid", "password": "secret", "database": "carrygrid"}
    with private_postgres(**login) as port:
        url = f"postgresql://carrygrid:secret@{LOOPBACK}:{port}/carrygrid"
        fill(url)
        with psycopg.connect(url) as connection:
            (shown,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        data = Path(shown)
        with installation(tmp_path, market_template, postgres_url=url, environment={"TRIAL_MS": "10"}) as one:
            sweep_id = one.submit(SPEC, size=30)
            one.wait_for_rows(sweep_id, 60)
            restart_postgres(data)
            one.wait_for_rows(sweep_id, 240)
            kill(int((data / "postmaster.pid").read_text().split()[0]))
            pause(2)
            restart_postgres(data)
            one.wait_until_done(sweep_id, 90)
            one.assert_promise_kept(sweep_id, SPEC)
            assert {death.name for death in one.keeper.deaths} == set()
