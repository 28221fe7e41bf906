"""Dispatcher and workers as the real processes they are, for tests that break them."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from forked import Forked
from servers import LOOPBACK, eventually, leashed

Process = subprocess.Popen[bytes] | Forked


@dataclass
class Service:
    """The processes of one service; `signal_*` hit single ones."""

    environment: dict[str, str]
    logs: Path
    processes: list[Process] = field(default_factory=list)

    def start_dispatcher(self) -> Process:
        return self._start("dispatcher", "workers.dispatcher")

    def start_worker(
        self,
        name: str = "one",
        processes: int = 2,
        app: str = "workers",
        *,
        through: Sequence[str] = (),
        **environment: str,
    ) -> Process:
        """Start a worker, `through` another module; `environment` are variables that others do not have.

        With either it begins with nothing loaded: they may be about that, and about the memory it takes.
        """
        return self._start(
            f"worker-{name}",
            *(*through, "celery", "-A", app, "worker"),
            *("--concurrency", str(processes), "-n", f"{name}@test"),
            *("--without-gossip", "--without-mingle", "-l", "INFO"),
            environment=environment,
            fresh=bool(through or environment),
        )

    def start_api(self, port: int) -> Process:
        return self._start(
            "api",
            *("uvicorn", "api.main:app", "--host", LOOPBACK, "--port", str(port)),
            "--no-access-log",
        )

    def log_of(self, name: str) -> str:
        return (self.logs / f"{name}.log").read_text()

    def _start(
        self,
        name: str,
        module: str,
        *arguments: str,
        environment: Mapping[str, str] = MappingProxyType({}),
        fresh: bool = False,
    ) -> Process:
        """Start a module as a process; one that is `fresh` has loaded nothing before."""
        variables, path = {**self.environment, **environment}, self.logs / f"{name}.log"
        process: Process
        if fresh:
            command = leashed(sys.executable, "-m", module, *arguments)
            with path.open("ab") as log:
                process = subprocess.Popen(command, env=variables, stdout=log, stderr=log)
        else:
            path.touch()  # it may be read before the process has come as far as writing it
            process = Forked(module, arguments, variables, path)
        self.processes.append(process)
        return process


@contextlib.contextmanager
def service(database_url: str, broker_url: str, logs: Path, **settings: str) -> Iterator[Service]:
    """Give a service without processes; those that are started end with it."""
    named = {
        "CARRYGRID_DATABASE_URL": database_url,
        "CARRYGRID_BROKER_URL": broker_url,
        **{f"CARRYGRID_{name.upper()}": value for name, value in settings.items()},
    }
    running = Service({**os.environ, **named}, logs)
    try:
        yield running
    finally:
        for process in running.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()


def children(pid: int) -> list[int]:
    """Return the pids of a process's children."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def processor_time(pid: int) -> int:
    """Return the processor time that a process has used, in ticks of the system."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return int(user) + int(system)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def pool_of(worker: Process, processes: int) -> list[int]:
    """Return the pids of a worker's pool once it is complete."""
    return list(
        eventually(lambda: len(found := children(worker.pid)) >= processes and found, 30, "pool is up")
    )
