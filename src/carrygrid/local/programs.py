"""The command of every process of the service, run with `python -m`; written down only here.

`docker-compose.yml` repeats them for the cluster; a test holds both to the same words.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from carrygrid.local.ports import LOOPBACK

Argv = tuple[str, ...]

DISPATCHER: Argv = ("workers.dispatcher",)
WORKER_ENVIRONMENT = {"REMAP_SIGTERM": "SIGQUIT"}
"""Makes Celery take SIGTERM as a soft shutdown: what runs may finish, what waits goes back."""

_WORKER_STOP_SECONDS = 6
_LOCAL_WORKER_ENVIRONMENT = WORKER_ENVIRONMENT | {"CARRYGRID_SOFT_SHUTDOWN_S": "3"}
"""Shorter at a desk, where a quick end matters more than a finished chunk; nothing stored is lost."""


@dataclass(frozen=True, slots=True)
class Program:
    """A process to keep running; `stop_seconds` is its time to end by itself before it is killed.

    One that others need `outlives` them: it is started before and stopped after them.
    """

    name: str
    command: Sequence[str]
    stop_seconds: int = 3
    environment: Mapping[str, str] = field(default_factory=dict)
    outlives: bool = False


def worker(concurrency: int | None = None) -> Argv:
    """Return the command of a worker with its pool; its size follows the machine if left out."""
    size = () if concurrency is None else ("--concurrency", str(concurrency))
    quiet = ("--without-gossip", "--without-mingle")
    return ("workers", "worker", *size, "--task-events", *quiet, "--loglevel", "INFO")


def api(host: str, port: int) -> Argv:
    """Return the command of the API with the dashboard."""
    return ("uvicorn", "api.main:app", "--host", host, "--port", str(port), "--no-access-log")


def flower(address: str, port: int) -> Argv:
    """Return the command of the task monitor."""
    return ("celery", "-A", "workers", "flower", f"--address={address}", f"--port={port}")


def as_command(argv: Sequence[str], python: str = sys.executable) -> list[str]:
    """Return `argv` as run by an interpreter."""
    return [python, "-m", *argv]


def default_concurrency() -> int:
    """Return the number of worker processes that suit this machine: one for each processor we may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def local_programs(
    *, api_host: str, api_port: int, flower_port: int, concurrency: int, with_broker: bool
) -> tuple[Program, ...]:
    """Return the programs of a local service, in starting order, for a supervisor in the home folder."""
    broker = (("carrygrid.local.broker", "broker"),) if with_broker else ()
    return (
        *(Program("broker", as_command(argv), outlives=True) for argv in broker),
        Program("api", as_command(api(api_host, api_port))),
        Program("dispatcher", as_command(DISPATCHER)),
        Program("worker", as_command(worker(concurrency)), _WORKER_STOP_SECONDS, _LOCAL_WORKER_ENVIRONMENT),
        Program("flower", as_command(flower(LOOPBACK, flower_port))),
    )
