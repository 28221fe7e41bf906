"""A whole service on this machine whose every part may be harmed: broker, API, dispatcher, workers.

All of them are child processes on free loopback ports; a keeper starts again what dies, as a supervisor does.
"""

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa
from broker_process import BrokerProcess
from keeper import Keeper
from oracle import assert_promise_kept
from servers import LOOPBACK, eventually, free_port
from service import Process, Service, children, pool_of, processor_time, service
from sweeping import chunks_of, count_stored, state_of, submit
from tcp_proxy import TcpProxy, tcp_proxy
from webservice import DATABASE

from bot.market_store.database import open_engine
from sweeps.queue.heartbeats import Component, live_beats
from sweeps.spec.spec import SweepSpec

WORKERS = ("one", "two")
NEVER = str(10**6)
QUICK = {"lease_s": "2", "republish_s": "2"}
"""Leases and repetitions short enough for tests to wait for."""


@dataclass
class Installation:
    """The running service and what a test may do to it."""

    service: Service
    broker: BrokerProcess
    database_url: str
    engine: sa.Engine
    api: str
    keeper: Keeper
    client: httpx2.Client
    broker_proxy: TcpProxy
    database_proxy: TcpProxy | None
    processes: int
    unkept: list[Process] = field(default_factory=list)

    def start_worker(self, name: str, **environment: str) -> Process:
        """Start a worker that nobody restarts; returns once its pool is complete."""
        through = ["altered"] if environment else []
        worker = self.service.start_worker(name, self.processes, "poisoned", through=through, **environment)
        self.unkept.append(worker)
        pool_of(worker, self.processes)
        return worker

    def end_unkept_workers(self) -> None:
        """Kill the workers that nobody restarts."""
        for worker in self.unkept:
            worker.kill()
            worker.wait()
        self.unkept.clear()

    def submit(self, spec: SweepSpec, *, size: int | None = None, key: str | None = None) -> int:
        """Submit a sweep over HTTP, or in chunks of `size` by hand; returns its id."""
        if size is not None:
            return submit(self.engine, spec, size=size)
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.client.post(f"{self.api}/sweeps", json=spec.document(), headers=headers)
        assert answer.status_code == 202, answer.text
        return int(answer.json()["id"])

    def state(self, sweep_id: int) -> str:
        return state_of(self.engine, sweep_id)

    def rows(self, sweep_id: int) -> int:
        return count_stored(self.engine, sweep_id)

    def wait_for_rows(self, sweep_id: int, least: int, seconds: float = 30) -> None:
        eventually(lambda: self.rows(sweep_id) >= least, seconds, f"{least} rows are stored")

    def wait_until_done(self, sweep_id: int, seconds: float = 45) -> None:
        """Wait until the sweep is complete."""
        eventually(lambda: self.state(sweep_id) == "completed", seconds, "the sweep completes")

    def wait_for_workers(self, names: Sequence[str] = WORKERS, seconds: float = 90) -> None:
        """Wait until each of the workers of these names has told that it lives."""
        eventually(lambda: self.workers_alive() >= set(names), seconds, f"the workers {names} are heard of")

    def workers_alive(self) -> set[str]:
        with self.engine.connect() as connection:
            beats = live_beats(connection)
        return {found.instance.partition("@")[0] for found in beats if found.component is Component.WORKER}

    def pool(self, name: str) -> list[int]:
        """Return the pids of the pool of a kept worker."""
        return self.pool_of(self.keeper.processes[f"worker-{name}"].pid)

    def working(self, name: str) -> list[int]:
        """Return the pids of a kept worker's pool that have worked most, without the one kept for jobs."""
        return sorted(self.pool(name), key=processor_time, reverse=True)[:-1]

    def pool_of(self, pid: int) -> list[int]:
        """Return the pids of the pool of a worker, none if it has just ended."""
        try:
            return children(pid)
        except OSError:
            return []

    def work(self, name: str) -> Process:
        """Start a worker that is started again when it ends."""
        start = partial(self.service.start_worker, name, self.processes, "poisoned")
        return self.keeper.keep(f"worker-{name}", start)

    @contextlib.contextmanager
    def without_workers(self, names: Sequence[str] = WORKERS) -> Iterator[list[int]]:
        """Kill the workers at once, and start them again at the end; gives the pids of their pools."""
        pools = [pid for name in names for pid in self.pool(name)]
        workers = [self.keeper.forsake(f"worker-{name}") for name in names]
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.wait()
        yield pools
        for name in names:
            self.work(name)

    def published(self, sweep_id: int) -> list[int]:
        """Return the open chunks that the dispatcher takes to be on their way."""
        return [found.id for found in self.chunks(sweep_id, "pending") if found.published_ms is not None]

    def is_stuck(self, sweep_id: int) -> bool:
        """Return whether nobody works on the sweep, and nothing that could change that is on its way."""
        idle = not self.broker.waiting() and not self.chunks(sweep_id, "running")
        return idle and bool(self.published(sweep_id))

    def assert_stays_undone(self, sweep_id: int, spec: SweepSpec) -> None:
        """Check that the sweep comes to a standstill, while the dispatcher and a worker live."""
        eventually(lambda: self._stands_still(sweep_id, 4_000), 60, "nothing moves any more")
        assert self.workers_alive()
        assert self.state(sweep_id) == "running"
        assert self.rows(sweep_id) < spec.trial_count

    def _stands_still(self, sweep_id: int, ms: int) -> bool:
        undone, begun = self.published(sweep_id), self._last_turn_ms()
        eventually(lambda: self._last_turn_ms() >= begun + ms, 20, "the dispatcher goes on")
        return self.is_stuck(sweep_id) and self.published(sweep_id) == undone

    def _last_turn_ms(self) -> int:
        with self.engine.connect() as connection:
            beats = live_beats(connection)
        return max((found.beat_ms for found in beats if found.component is Component.DISPATCHER), default=0)

    def chunks(self, sweep_id: int, state: str) -> list[Any]:
        return [found for found in chunks_of(self.engine, sweep_id) if found.state == state]

    def assert_promise_kept(
        self, sweep_id: int, spec: SweepSpec, *, given_up: dict[int, str] | None = None
    ) -> None:
        """Check the whole promise about a completed sweep, from outside and inside."""
        assert_promise_kept(self.engine, sweep_id, spec, given_up or {})
        shown = self.client.get(f"{self.api}/sweeps/{sweep_id}").json()
        total, failed = spec.trial_count, len(given_up or {})
        assert (shown["state"], shown["trials_total"]) == ("completed", total)
        assert (shown["trials_done"], shown["trials_failed"]) == (total, failed)
        eventually(lambda: not self.broker.waiting(), 20, "no message waits")
        # Those of dead workers come back after the visibility timeout, and find their chunk done.
        taken = {self.state(of_sweep) for of_sweep, _ in self.broker.taken()}
        assert taken <= {"completed", "failed", "cancelled"}


@contextlib.contextmanager
def installation(
    folder: Path,
    market: Path,
    *,
    workers: Sequence[str] = WORKERS,
    processes: int = 2,
    persistent_broker: bool = False,
    postgres_url: str | None = None,
    environment: dict[str, str] | None = None,
    **settings: str,
) -> Iterator[Installation]:
    """Give a service that is ready for work; its database is a copy of that in the folder `market`.

    With `postgres_url`, a database with markets in it, that one is used instead, by way of a proxy.
    `environment` are more variables for every process, `settings` those named CARRYGRID_...
    """
    with contextlib.ExitStack() as stack:
        broker = BrokerProcess(folder, persistent=persistent_broker)
        broker.start()
        stack.callback(broker.kill)
        to_broker = stack.enter_context(tcp_proxy(LOOPBACK, broker.port))
        to_database = None
        if postgres_url:
            url = sa.make_url(postgres_url)
            to_database = stack.enter_context(tcp_proxy(url.host or LOOPBACK, url.port or 5432))
            database_url = to_database.url(postgres_url)
        else:
            postgres_url = database_url = f"sqlite:///{shutil.copy(market / DATABASE, folder / DATABASE)}"
        engine = open_engine(postgres_url)
        stack.callback(engine.dispose)
        running = stack.enter_context(
            service(database_url, to_broker.url(broker.url), folder, **QUICK | settings, home=str(folder))
        )
        path = f"{Path(__file__).parents[1]}:{os.environ.get('PYTHONPATH', '')}"
        running.environment |= {"PYTHONPATH": path, **(environment or {})}
        keeper = Keeper()
        client = stack.enter_context(httpx2.Client(trust_env=False, timeout=20))
        port = free_port()
        one = Installation(
            *(running, broker, postgres_url, engine, f"http://{LOOPBACK}:{port}", keeper, client, to_broker),
            *(to_database, processes),
        )
        stack.enter_context(_kept(keeper))
        keeper.keep("dispatcher", running.start_dispatcher)
        keeper.keep("api", lambda: running.start_api(port))
        for name in workers:
            one.work(name)
        _wait_until_ready(one, workers)
        yield one


@contextlib.contextmanager
def _kept(keeper: Keeper) -> Iterator[None]:
    watching = threading.Thread(target=keeper.watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        keeper.dismiss()
        watching.join(10)


def _wait_until_ready(one: Installation, workers: Sequence[str]) -> None:
    one.wait_for_workers(workers)
    for name in workers:
        pool_of(one.keeper.processes[f"worker-{name}"], one.processes)
    eventually(lambda: _answers(one), 60, "the API answers")


def _answers(one: Installation) -> bool:
    try:
        return one.client.get(f"{one.api}/healthz").status_code == 200
    except httpx2.TransportError:
        return False


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a process that may have ended meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def pause(seconds: float) -> None:
    """Let a fault last that long; not for waiting until something has happened."""
    time.sleep(seconds)
