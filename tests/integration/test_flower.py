"""Flower beside real workers: who is who can be read, and nothing without a login."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from servers import eventually, free_port, leashed
from service import service
from sweeping import BASE, state_of, submit, sweep_spec

from api.local.programs import as_command, flower
from bot.config import RunConfig
from bot.data.database import open_engine, write_transaction
from sweeps.jobs import JobKind, create_job

pytestmark = pytest.mark.broker
LOGIN = ("carrygrid", "word")


@pytest.fixture
def watched(sqlite_template: Path, broker: str, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Return Flower's address and the database's, with a dispatcher and two workers that it knows."""
    database = f"sqlite:///{tmp_path / 'carrygrid.db'}"
    (tmp_path / "carrygrid.db").write_bytes(sqlite_template.read_bytes())
    with service(database, broker, tmp_path) as running:
        port = free_port()
        environment = running.environment | {"FLOWER_BASIC_AUTH": ":".join(LOGIN)}
        command = leashed(*as_command(flower("127.0.0.1", port)))
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        try:
            address = f"http://127.0.0.1:{port}"
            eventually(lambda: answers(f"{address}/healthcheck"), 30, "Flower answers")
            running.start_dispatcher()
            running.start_worker("left", processes=1)
            running.start_worker("right", processes=1)
            eventually(lambda: len(asked(f"{address}/api/workers?refresh=1")) == 2, 40, "workers are known")
            yield address, database
        finally:
            process.kill()
            process.wait()


def answers(url: str, **options: Any) -> bool:
    try:
        return httpx2.get(url, **options).status_code == 200
    except httpx2.TransportError:
        return False


def asked(url: str) -> dict[str, Any]:
    response = httpx2.get(url, auth=LOGIN, timeout=20)
    return dict(json.loads(response.text)) if response.status_code == 200 else {}


def test_person_tells_workers_sweeps_chunks_and_jobs_apart(watched: tuple[str, str]) -> None:
    address, database = watched
    engine = open_engine(database)
    sweep_id = submit(engine, sweep_spec(curves="none"), size=60)
    with write_transaction(engine) as connection:
        job_id = create_job(connection, JobKind.BACKTEST, {"config": RunConfig.parse(BASE).document()})
    eventually(lambda: state_of(engine, sweep_id) == "completed", 40, "sweep completes")
    engine.dispose()
    assert set(asked(f"{address}/api/workers")) == {"left@test", "right@test"}

    def named() -> set[tuple[str, str]]:
        tasks = asked(f"{address}/api/tasks").values()
        return {(task["name"], task["args"]) for task in tasks if task["state"] == "SUCCESS"}

    expected = {
        ("carrygrid.replay_chunk", f"sweep {sweep_id}, chunk 0"),
        ("carrygrid.replay_chunk", f"sweep {sweep_id}, chunk 1"),
        ("carrygrid.run_job", f"job {job_id}"),
    }
    eventually(lambda: expected <= named(), 20, "tasks are shown by name")
    found = asked(f"{address}/api/tasks?search=args:sweep {sweep_id}").values()
    assert all(f"sweep {sweep_id}," in task["args"] for task in found)


def test_nobody_sees_workers_or_tasks_without_the_login(watched: tuple[str, str]) -> None:
    address, _ = watched
    for path in ("/", "/workers", "/tasks", "/broker", "/api/workers", "/api/tasks"):
        assert httpx2.get(address + path).status_code == 401, path
        assert httpx2.get(address + path, auth=("carrygrid", "wrong")).status_code == 401, path
    assert answers(f"{address}/workers", auth=LOGIN)
