"""Two worker machines, apart from each other, on one broker and one database; one of them loses power."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from cluster import Cluster, cluster, machine
from interfaces import interfaces
from netns import HUB, Namespace, missing_capability, network
from servers import eventually, leashed, skip_or_fail
from sweeping import assert_every_trial_once, chunks_of, count_stored, state_of, submit, sweep_spec

from bot.market.symbols import SYNTHETIC_EXCHANGE
from bot.market_store.database import open_engine, write_transaction
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import generate
from bot.timestamps import parse_time_ms
from sweeps.queue.heartbeats import live_beats
from sweeps.storage.tables import chunk, replay_rate

pytestmark = [pytest.mark.broker, pytest.mark.postgres]

SPEC = sweep_spec(
    grid={
        "min_funding_rate": {"start": "0.00001", "stop": "0.0004", "step": "0.00001"},
        "exit_funding_rate": {"start": "0", "stop": "0.0001", "step": "0.00001"},
        "perp_leverage": [1, 2, 3, 4, 5, 6],
    },
    curves="none",
)
SMALL = sweep_spec(curves="none")
QUICK = {"lease_s": "3", "republish_s": "3"}
HOSTS = ("north", "south")


@pytest.fixture(scope="module")
def spaces() -> Iterator[list[Namespace]]:
    """Return the machines, or skip with the reason; as root in CI they must be there."""
    if reason := missing_capability():
        skip_or_fail(reason, needs_root=True)
    with interfaces(changing=True), network(*HOSTS) as spaces:
        yield spaces


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("machines")


@pytest.fixture(scope="module")
def hub(spaces: list[Namespace], folder: Path) -> Iterator[Cluster]:
    """Return the migrated servers of the cluster on the network of the machines, with a dispatcher."""
    with cluster(folder, HUB) as running:
        assert running.start("migrate", machine(folder, "migrate")).wait(60) == 0
        running.start("dispatcher", machine(folder, "dispatcher", **QUICK))
        yield running


@pytest.fixture(scope="module")
def engine(hub: Cluster) -> Iterator[sa.Engine]:
    engine = open_engine(hub.database_url)
    generate(
        HistoricalDataStore(engine),
        start_ms=parse_time_ms("2024-01-01"),
        end_ms=parse_time_ms("2024-04-01"),
        exchanges=[SYNTHETIC_EXCHANGE],
    )
    yield engine
    engine.dispose()


def hosts_at_work(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(sa.select(replay_rate.c.host)).scalars())


def chunks_done_by(host: str, folder: Path) -> int:
    """Return how many chunks the worker of a machine says it has brought to their end."""
    return (folder / host / "worker.log").read_text().count(": 'done'")


def gives_work_to(host: str, engine: sa.Engine, folder: Path) -> bool:
    """Replay a small sweep; return whether the machine had a part in it."""
    before = chunks_done_by(host, folder)
    sweep_id = submit(engine, SMALL, size=5)
    eventually(lambda: state_of(engine, sweep_id) == "completed", 20, "the small sweep completes")
    assert_every_trial_once(engine, sweep_id, SMALL)
    return chunks_done_by(host, folder) > before


def workers_alive(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        return {found.instance.partition("#")[0] for found in live_beats(connection) if found.slots}


@pytest.fixture(scope="module")
def workers(spaces: list[Namespace], hub: Cluster, engine: sa.Engine, folder: Path) -> None:
    """Start the worker of each machine."""
    for space in spaces:
        hub.start("worker", machine(folder, space.host_name, *space.enter, **QUICK))
    names = {f"celery@{host}" for host in HOSTS}
    eventually(lambda: workers_alive(engine) == names, 40, "both machines are heard of")


HOLD_A_LOCK = """
import sys, time
import sqlalchemy as sa
from bot.market_store.database import open_engine, write_transaction, write_transaction
with write_transaction(open_engine(sys.argv[1])) as connection:
    connection.execute(sa.text("LOCK TABLE chunk IN EXCLUSIVE MODE"))
    print("held", flush=True)
    time.sleep(600)
"""


def test_lock_of_a_machine_that_is_cut_off_is_free_within_seconds(
    spaces: list[Namespace], hub: Cluster, engine: sa.Engine, tmp_path: Path
) -> None:
    holder = machine(tmp_path, spaces[0].host_name, *spaces[0].enter)
    command = leashed(*holder.enter, sys.executable, "-c", HOLD_A_LOCK, hub.database_url)
    environment = hub.environment("worker", holder)
    with subprocess.Popen(command, env=environment, cwd=holder.home, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"held\n"
            assert not can_change_chunks(engine, patience_s=1)
            spaces[0].plug("down")
            assert can_change_chunks(engine, patience_s=25)
        finally:
            process.kill()
            spaces[0].plug("up")


def can_change_chunks(engine: sa.Engine, patience_s: int) -> bool:
    try:
        with write_transaction(engine) as connection:
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{patience_s}s'"))
            connection.execute(chunk.update().values(last_error=None))
    except sa.exc.OperationalError as error:
        if "lock timeout" in str(error):
            return False
        raise
    return True


@pytest.mark.usefixtures("workers")
def test_machine_whose_cable_is_pulled_is_replaced_and_works_again_once_it_is_back(
    spaces: list[Namespace], engine: sa.Engine, folder: Path
) -> None:
    sweep_id = submit(engine, SPEC, size=60)
    eventually(lambda: hosts_at_work(engine) == set(HOSTS), 30, "both machines have stored results")
    spaces[0].plug("down")
    eventually(lambda: state_of(engine, sweep_id) == "completed", 40, "the other machine finishes")
    assert_every_trial_once(engine, sweep_id, SPEC)
    spaces[0].plug("up")
    eventually(lambda: gives_work_to(HOSTS[0], engine, folder), 40, "the machine works again")
    assert_every_trial_once(engine, sweep_id, SPEC)


@pytest.mark.usefixtures("workers")
def test_both_machines_get_work_and_power_cut_of_one_loses_nothing(
    spaces: list[Namespace], engine: sa.Engine, folder: Path
) -> None:
    """Last of this file: it ends the machine that others use."""
    for host in HOSTS:
        eventually(partial(gives_work_to, host, engine, folder), 40, f"{host} stores results")
    with write_transaction(engine) as connection:
        # Nobody can store a result, so that whatever is begun stays in hand: of two processes a machine.
        connection.execute(sa.text("LOCK TABLE trial_block IN EXCLUSIVE MODE"))
        sweep_id = submit(engine, SPEC, size=60)
        eventually(
            lambda: sum(found.state == "running" for found in chunks_of(engine, sweep_id)) >= 3,
            20,
            "both machines have chunks in hand",
        )
        assert spaces[0].kill() >= 3
        eventually(lambda: not spaces[0].pids(), 5, "nothing runs on the machine without power")
        assert count_stored(engine, sweep_id) == 0
    eventually(lambda: state_of(engine, sweep_id) == "completed", 40, "the other machine finishes")
    assert_every_trial_once(engine, sweep_id, SPEC)
    assert any("lease" in (found.last_error or "") for found in chunks_of(engine, sweep_id))
