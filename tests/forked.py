"""Processes of a service, forked off one that has loaded their modules: a start costs no seconds of imports.

They run the very modules that their commands name, with an environment, a log and a process id of their own.
"""

import atexit
import gc
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from pathlib import Path

from carrygrid.local import leash

_LOADED = (
    "alembic.command",
    "api.application",
    "bot.market_store.fetch.live_borrowing",
    "bot.market_store.fetch.live_hedges",
    "bot.market_store.paper.stored_records",
    "bot.paper.hedges.session",
    "bot.paper.joined_feed",
    "bot.paper.polling_feed",
    "ccxt.async_support",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "kombu.transport.redis",
    "psycopg",
    "sweeps.jobs.job_runner",
    "sweeps.migrations",
    "sweeps.work.runner",
    "typer.main",
    "uvicorn.main",
)
"""Modules that read no environment when they are loaded, as `workers`, `api.main` and `carrygrid.cli` do."""

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(list(_LOADED))


class Forked:
    """`python -m MODULE ARGUMENT...` as a process that ends with this one, used like a `subprocess.Popen`."""

    def __init__(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self._lock = threading.Lock()
        # One that is daemonic ends at the end of the tests, whatever they have forgotten.
        self._process = _CONTEXT.Process(
            target=_become, args=(module, list(arguments), dict(environment), str(log)), daemon=True
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        """Return the status of one that has ended, negative for a signal."""
        with self._lock:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return its status once it has ended; raises subprocess.TimeoutExpired."""
        multiprocessing.connection.wait([self._process.sentinel], timeout)
        if (status := self.poll()) is None:
            raise subprocess.TimeoutExpired(str(self._process), timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _become(module: str, arguments: list[str], environment: dict[str, str], log: str) -> None:
    """Be the process of a module until its end, in a process that has just been forked."""
    gc.freeze()
    # The server of forks ends once nobody holds this any more: with the tests, and this process with it.
    os.close(forkserver._forkserver._forkserver_alive_fd)
    leash.tie_to_parent(os.getppid(), signal.SIGKILL)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(out, stream)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = [place for place in environment.get("PYTHONPATH", "").split(":") if place]
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        threading._shutdown()
        atexit._run_exitfuncs()
