"""Flower beside real workers: who is who can be read, and nothing without a login."""

import json
import re
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import httpx2
import pytest
from flower.urls import handlers
from servers import eventually, free_port, leashed
from service import Service, service
from sweeping import BASE, state_of, submit, sweep_spec

from bot.config.run_config import RunConfig
from bot.market_store.database import open_engine, write_transaction
from carrygrid.local.programs import as_command, flower
from sweeps.jobs.jobs import JobKind, create_job

pytestmark = pytest.mark.broker
LOGIN = ("carrygrid", "word")


@pytest.fixture
def flower_of(sqlite_template: Path, broker: str, tmp_path: Path) -> Iterator[tuple[str, str, Service]]:
    """Return Flower's address, the database's and the service that it watches, of which nothing runs."""
    database = f"sqlite:///{tmp_path / 'carrygrid.db'}"
    (tmp_path / "carrygrid.db").write_bytes(sqlite_template.read_bytes())
    with service(database, broker, tmp_path) as running:
        port = free_port()
        environment = running.environment | {"FLOWER_BASIC_AUTH": ":".join(LOGIN)}
        command = leashed(*as_command(flower("127.0.0.1", port)))
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        try:
            address = f"http://127.0.0.1:{port}"
            eventually(lambda: answers(f"{address}/healthcheck"), 60, "Flower answers")
            yield address, database, running
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def watched(flower_of: tuple[str, str, Service]) -> tuple[str, str]:
    """Return Flower's address and the database's, with a dispatcher and two workers that it knows."""
    address, database, running = flower_of
    running.start_dispatcher()
    running.start_worker("left", processes=1)
    running.start_worker("right", processes=1)
    eventually(lambda: len(asked(f"{address}/api/workers?refresh=1")) == 2, 40, "workers are known")
    return address, database


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


OPEN = {"/healthcheck", "/login", "/logout"}
"""Paths of Flower that ask for no login, as docs/security.md lists them."""


def paths() -> list[str]:
    """Return a path of each route of Flower but its style sheets and scripts."""
    patterns = [handler[0] if isinstance(handler, tuple) else handler.regex.pattern for handler in handlers]
    made = {re.sub(r"\(.*?\)", "x", pattern).rstrip("$").removesuffix("/?") for pattern in patterns}
    return sorted(made - {".*", "/static/x"})


def test_nobody_sees_workers_tasks_or_metrics_without_the_login(
    flower_of: tuple[str, str, Service],
) -> None:
    address, *_ = flower_of
    assert {"/", "/tasks", "/api/workers", "/api/task/revoke/x", "/metrics", "/healthcheck"} <= {*paths()}
    for path, method in product(paths(), ("GET", "POST")):
        for wrong in ({}, {"auth": ("carrygrid", "wrong")}):
            answer = httpx2.request(method, address + path, **wrong)
            assert b"python_info" not in answer.content
            if path not in OPEN:
                assert answer.status_code in {401, 405}, (path, method)
    assert answers(f"{address}/workers", auth=LOGIN)
    assert "python_info" in httpx2.get(f"{address}/metrics", auth=LOGIN).text
