"""Sweeps through everything: from `POST /sweeps` to `completed`, in what `carrygrid up` starts."""

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import market
from benchmarks.commands import CARRYGRID, environment
from benchmarks.measure import ProcessUse, family, load, since
from bot.timestamps import parse_time_ms
from carrygrid import Client, ServiceError, Sweep
from carrygrid.local import leash
from carrygrid.local.ports import LOOPBACK, free_port

_READY_S = 120.0
_LOOK_S, _LOOK_SHARE = 0.05, 0.02
"""Pauses between looks at a sweep: seldom enough that the looking costs next to nothing."""
_LONGEST_S = 7_200.0
SHAPES = {
    10: (5, 2),
    100: (10, 10),
    1_000: (40, 25),
    10_000: (125, 80),
    100_000: (400, 250),
    1_000_000: (1_000, 1_000),
}
"""Entries and exits of sweeps of so many trials."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service of this benchmark alone."""

    client: Client
    database: Path
    pid: int

    def uses(self) -> list[ProcessUse]:
        """Return what its processes have used so far."""
        return family(self.pid)


@contextmanager
def serving(home: Path, store: Path, workers: int) -> Iterator[Service]:
    """Give a service with so many worker processes over a copy of a store; it ends with the context."""
    home.mkdir(parents=True)
    shutil.copy(store / market.DATABASE, home / market.DATABASE)
    port = free_port()
    command = [CARRYGRID, "up", "--port", str(port), "--workers", str(workers)]
    log = home / "up.log"
    with log.open("w") as words:
        process = subprocess.Popen(
            leash.command(os.getpid(), signal.SIGTERM, command),
            env=environment(home),
            stdout=words,
            stderr=words,
        )
    try:
        with Client(f"http://{LOOPBACK}:{port}") as client:
            _wait_ready(client, process, log)
            yield Service(client, home / market.DATABASE, process.pid)
    finally:
        process.terminate()
        process.wait(60)


def _wait_ready(client: Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while "Ctrl-C" not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the service did not start: {log.read_text()[-2000:]}")
        time.sleep(0.1)
    client.sweeps()


def sweep_run(service: Service, trials: int, settlements: int = 1_095) -> dict[str, Any]:
    """Return what one sweep over two thresholds took, as `body_run`."""
    return body_run(service, market.simple_body(settlements, *SHAPES[trials]), trials, settlements)


def body_run(service: Service, body: dict[str, Any], trials: int, settlements: int) -> dict[str, Any]:
    """Return what one sweep took, from its submission to its completion, and what it left with its report.

    When it was completed is what the service says: a look at it comes later, and of short sweeps that counts.
    `database_bytes_per_trial` stay in the database, `free_bytes_per_trial` are free in it for what comes.
    `peak_mib` are the peaks since the processes began, the report included.
    """
    before, pages_before, load_before = service.uses(), _pages(service.database), load()
    began = time.time()
    sweep = service.client.submit(body)
    accepted_s = time.time() - began
    wait_completed(sweep)
    after = service.uses()
    spent = since(before, after)
    failed = sweep.document["trials_failed"]
    if sweep.state != "completed" or failed:
        raise RuntimeError(f"the sweep of {trials} trials ended {sweep.state} with {failed} failed")
    wall_s = parse_time_ms(sweep.document["finished_at"]) / 1000 - began
    sweep.selection(timeout_s=_LONGEST_S)  # which is waited for
    pages = _pages(service.database)
    return {
        "trials": trials,
        "settlements": settlements,
        "wall_s": wall_s,
        "accepted_s": accepted_s,
        "per_second": trials / wall_s,
        "cpu_s": cpu_by_role(spent),
        "waited_s": _by_role(spent, "waited_s"),
        "database_bytes_per_trial": (pages.used - pages_before.used) / trials,
        "free_bytes_per_trial": pages.free / trials,
        "peak_mib": peaks(service.uses()),
        "load": load_before,
    }


def wait_completed(sweep: Sweep) -> None:
    """Wait until a sweep has ended."""
    began = time.monotonic()
    while sweep.state in {"queued", "running"}:
        elapsed = time.monotonic() - began
        if elapsed > _LONGEST_S:
            raise RuntimeError(f"sweep {sweep.id} did not end within {_LONGEST_S:g} s")
        time.sleep(max(_LOOK_S, elapsed * _LOOK_SHARE))
        try:
            sweep.refresh()
        except ServiceError as error:
            if not error.unavailable:
                raise


class _Pages(NamedTuple):
    """Bytes of a database: of pages that hold something, and of those that are free."""

    used: int
    free: int


def _pages(path: Path) -> _Pages:
    names = ("page_size", "page_count", "freelist_count")
    with closing(sqlite3.connect(path)) as connection:
        size, count, free = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    return _Pages(size * (count - free), size * free)


def peaks(uses: Sequence[ProcessUse]) -> dict[str, float]:
    """Return the largest memory of each role in MiB; of several processes that of the largest."""
    found: dict[str, float] = {}
    for use, role in roles(uses):
        found[role] = max(found.get(role, 0.0), use.peak_mib)
    return found


def cpu_by_role(spent: Sequence[ProcessUse]) -> dict[str, float]:
    """Return the processor time of each role, that of workers which were replaced meanwhile included."""
    found = _by_role(spent, "cpu_s")
    replaced = _by_role(spent, "reaped_s").get("worker master", 0.0)
    return found | {"worker": found.get("worker", 0.0) + replaced}


def _by_role(spent: Sequence[ProcessUse], figure: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for use, role in roles(spent):
        found[role] = found.get(role, 0.0) + getattr(use, figure)
    return found


def roles(uses: Sequence[ProcessUse]) -> Iterator[tuple[ProcessUse, str]]:
    """Yield each process that matters with what it does; a worker's pool apart from its master."""
    named = {use.pid: role for use in uses if (role := _role(use.command))}
    for use in uses:
        role = named.get(use.pid)
        if role == "worker master" and named.get(use.parent) == role:
            yield use, "worker"
        elif role:
            yield use, role


def _role(command: str) -> str | None:
    marks = {
        "uvicorn": "API",
        "workers.dispatcher": "dispatcher",
        "workers worker": "worker master",
        "workers flower": "Flower",
        "valkey-server": "broker",
    }
    return next((role for mark, role in marks.items() if mark in command), None)
