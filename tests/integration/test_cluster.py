"""The cluster of the compose file by hand: its own commands, variables and passwords on real servers."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis
import sqlalchemy as sa
import yaml
from cluster import Cluster, Machine, cluster, machine
from composing import ROOT, SECRETS, resolved
from dockerfile_parse import DockerfileParser
from servers import eventually
from sweeping import BASE, assert_every_trial_once, sweep_spec

from bot.market.symbols import SYNTHETIC_EXCHANGE
from bot.market_store.database import open_engine
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import generate
from bot.timestamps import parse_time_ms
from sweeps.queue.heartbeats import Component, live_beats

pytestmark = [pytest.mark.broker, pytest.mark.postgres]

LOGIN = tuple(SECRETS["CARRYGRID_FLOWER_AUTH"].split(":"))
BODY: dict[str, Any] = {
    "name": "by hand",
    "base": BASE,
    "grid": {
        "min_funding_rate": {"start": "0.00001", "stop": "0.0004", "step": "0.00001"},
        "exit_funding_rate": ["0", "0.00005", "0.0001"],
        "perp_leverage": [1, 3, 5],
    },
    "curves": "none",
    "reuse": False,
}
WORKERS = ("worker-1", "worker-2")
PASSWORDS = ("database-word", "broker-word")


class ByHand:
    """A running cluster of one machine for each container."""

    def __init__(self, running: Cluster, folder: Path) -> None:
        self.cluster = running
        self.machines: dict[str, Machine] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._folder = folder
        self.client = httpx2.Client(trust_env=False, timeout=10)

    def start(self) -> None:
        assert self.run("migrate").wait(60) == 0
        for name in ("api", "dispatcher", "flower"):
            self.run(name)
        for name in WORKERS:
            self.run("worker", name, "--hostname", f"celery@{name}")
        eventually(lambda: self.get(f"{self.cluster.api}/readyz").status_code == 200, 40, "all is ready")
        eventually(
            lambda: len(self.get(f"{self.cluster.flower}/api/workers?refresh=1", auth=LOGIN).json()) == 2,
            40,
            "Flower knows both workers",
        )

    def run(self, service: str, name: str = "", *more: str) -> subprocess.Popen[bytes]:
        made = machine(self._folder, name or service)
        self.machines[made.name] = made
        self.processes[made.name] = self.cluster.start(service, made, *more)
        return self.processes[made.name]

    def get(self, url: str, **options: Any) -> httpx2.Response:
        if url.startswith(self.cluster.api):
            options["headers"] = {"Authorization": f"Bearer {SECRETS['CARRYGRID_API_TOKEN']}"}
        try:
            return self.client.get(url, **options)
        except httpx2.TransportError:
            return httpx2.Response(503, json={})

    def post(self, path: str, body: dict[str, Any], **headers: str) -> httpx2.Response:
        return self.client.post(self.cluster.api + path, json=body, headers=headers)

    def logs(self) -> str:
        return "\n".join(log.read_text() for log in self._folder.rglob("*.log"))


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByHand]:
    folder = tmp_path_factory.mktemp("cluster")
    with cluster(folder) as running:
        hands = ByHand(running, folder)
        with hands.client:
            hands.start()
            yield hands


@pytest.fixture(scope="module")
def engine(by_hand: ByHand) -> Iterator[sa.Engine]:
    engine = open_engine(by_hand.cluster.database_url)
    first_ms, last_ms = parse_time_ms("2024-01-01"), parse_time_ms("2024-04-01")
    generate(HistoricalDataStore(engine), start_ms=first_ms, end_ms=last_ms, exchanges=[SYNTHETIC_EXCHANGE])
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def finished(by_hand: ByHand, engine: sa.Engine) -> int:
    """Return a sweep that was submitted over HTTP and is complete."""
    token = f"Bearer {SECRETS['CARRYGRID_API_TOKEN']}"
    answer = by_hand.post("/sweeps", BODY, Authorization=token)
    assert answer.status_code == 202, answer.text
    address = by_hand.cluster.api + answer.headers["Location"]
    eventually(lambda: by_hand.get(address).json()["state"] == "completed", 50, "the sweep completes")
    return int(answer.json()["id"])


def test_every_process_of_the_compose_file_is_heard_of(by_hand: ByHand, engine: sa.Engine) -> None:
    with engine.connect() as connection:
        beats = live_beats(connection)
    workers = {
        found.instance.partition("#")[0]: found.slots
        for found in beats
        if found.component is Component.WORKER
    }
    assert workers == {f"celery@{name}": 2 for name in WORKERS}
    assert [found.component for found in beats].count(Component.DISPATCHER) == 1


def test_health_checks_of_the_compose_file_pass(by_hand: ByHand) -> None:
    structure = DockerfileParser(path=str(ROOT)).structure
    ((_, image_check),) = [
        one["value"].split("CMD ", 1) for one in structure if one["instruction"] == "HEALTHCHECK"
    ]
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', image_check)
    machines = by_hand.machines
    assert by_hand.cluster.is_healthy("api", machines["api"], ["CMD", *words])
    assert by_hand.cluster.is_healthy("flower", machines["flower"])
    assert by_hand.cluster.is_healthy("redis", machines["api"])
    for name in WORKERS:
        assert by_hand.cluster.is_healthy("worker", machines[name])


def test_health_check_of_a_worker_that_is_not_there_fails(by_hand: ByHand, tmp_path: Path) -> None:
    assert not by_hand.cluster.is_healthy("worker", machine(tmp_path, "worker-9"))


def test_sweep_over_http_is_completed_and_equals_recomputation(
    by_hand: ByHand, engine: sa.Engine, finished: int
) -> None:
    assert_every_trial_once(engine, finished, sweep_spec(**BODY))
    shown = by_hand.get(f"{by_hand.cluster.api}/sweeps/{finished}").json()
    assert (shown["trials_total"], shown["trials_done"], shown["trials_failed"]) == (360, 360, 0)


def test_api_of_the_cluster_wants_its_token(by_hand: ByHand) -> None:
    assert by_hand.post("/sweeps", BODY).status_code == 401
    assert by_hand.post("/sweeps", BODY, Authorization="Bearer other").status_code == 401
    assert by_hand.client.get(f"{by_hand.cluster.api}/sweeps").status_code == 401
    assert by_hand.client.get(f"{by_hand.cluster.api}/healthz").status_code == 200


def test_flower_lists_tasks_by_sweep_and_chunk_and_the_worker_of_each(by_hand: ByHand, finished: int) -> None:
    tasks = by_hand.get(f"{by_hand.cluster.flower}/api/tasks", auth=LOGIN).json().values()
    chunks = [task for task in tasks if task["name"] == "carrygrid.replay_chunk"]  # jobs are tasks too
    shown = {task["args"].strip("'\"") for task in chunks}
    assert f"sweep {finished}, chunk 0" in shown
    assert all(re.fullmatch(rf"sweep {finished}, chunk \d+", name) for name in shown)
    assert {task["worker"] for task in tasks} <= {f"celery@{name}" for name in WORKERS}
    page = by_hand.get(f"{by_hand.cluster.flower}/task/{chunks[0]['uuid']}", auth=LOGIN)
    assert f"sweep {finished}, chunk" in page.text


@pytest.mark.parametrize("path", ["/", "/workers", "/tasks", "/broker", "/api/workers", "/api/tasks"])
@pytest.mark.parametrize("login", [None, ("user", "wrong")])
def test_pages_and_api_of_flower_are_behind_the_login(
    by_hand: ByHand, path: str, login: tuple[str, str] | None
) -> None:
    assert by_hand.get(by_hand.cluster.flower + path, auth=login).status_code == 401
    assert by_hand.get(by_hand.cluster.flower + path, auth=LOGIN).status_code == 200


def test_what_flower_shows_to_anyone_is_published_to_this_machine_only(by_hand: ByHand) -> None:
    open_to_all = [
        path
        for path in ("/metrics", "/healthcheck")
        if by_hand.get(by_hand.cluster.flower + path).status_code == 200
    ]
    assert open_to_all == ["/healthcheck"]
    (published,) = resolved()["services"]["flower"]["ports"]
    assert (published["host_ip"], published["target"]) == ("127.0.0.1", 5555)


def test_dashboard_links_to_flower(by_hand: ByHand) -> None:
    page = by_hand.get(f"{by_hand.cluster.api}/", follow_redirects=True)
    assert f'href="http://localhost:{by_hand.cluster.addresses["5555"]}"' in page.text


def test_api_that_is_to_log_no_access_logs_none(by_hand: ByHand, finished: int) -> None:
    log = (by_hand.machines["api"].home / "api.log").read_text()
    assert "Uvicorn running on" in log
    assert "GET /sweeps" not in log


def test_what_prometheus_asks_for_is_answered(by_hand: ByHand, finished: int) -> None:
    (job,) = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["api:8000"]}]
    answer = by_hand.get(f"{by_hand.cluster.api}{job.get('metrics_path', '/metrics')}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "carrygrid_" in answer.text


def test_processes_write_no_files_so_that_their_containers_can_be_read_only(
    by_hand: ByHand, finished: int
) -> None:
    written = {
        path.name for one in by_hand.machines.values() for path in one.home.rglob("*") if path.is_file()
    }
    assert written == {f"{name}.log" for name in ("migrate", "api", "dispatcher", "flower", "worker")}


def test_passwords_of_the_servers_are_in_no_log(by_hand: ByHand, finished: int) -> None:
    logs = by_hand.logs()
    assert f'"sweep": {finished}' in logs
    assert [word for word in PASSWORDS if word in logs] == []


def test_servers_of_the_cluster_refuse_strangers(by_hand: ByHand) -> None:
    stranger = redis.Redis.from_url(by_hand.cluster.broker_url.replace("broker-word", "guess"))
    with stranger, pytest.raises(redis.exceptions.AuthenticationError):
        stranger.ping()
    url = sa.make_url(by_hand.cluster.database_url)
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg", password="guess"))
    with pytest.raises(sa.exc.OperationalError, match="password authentication failed"):
        engine.connect()


def test_stop_ends_every_process_in_order_within_its_grace_even_with_open_streams(
    by_hand: ByHand, engine: sa.Engine
) -> None:
    """Last of this file: it ends the processes that all others use."""
    asked = {"Authorization": f"Bearer {SECRETS['CARRYGRID_API_TOKEN']}"}
    answer = by_hand.post("/sweeps", BODY, **asked)
    events = f"{by_hand.cluster.api}{answer.headers['Location']}/events"
    with by_hand.client.stream("GET", events, headers=asked) as stream:
        assert stream.status_code == 200
        running = {name: process for name, process in by_hand.processes.items() if name != "migrate"}
        for process in running.values():
            process.terminate()
        begun = time.monotonic()
        for name, process in running.items():
            grace = 30 if name in WORKERS else 10
            status = process.wait(max(0.1, begun + grace - time.monotonic()))
            assert status == (-signal.SIGTERM if name == "api" else 0), name
    # uvicorn raises the signal again once it has shut down in order
    assert "Application shutdown complete." in (by_hand.machines["api"].home / "api.log").read_text()
