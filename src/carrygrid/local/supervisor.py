"""Keep a set of programs running under supervisord: restarted with back-off, logged, stopped together."""

import os
import signal
import subprocess
import sys
import tempfile
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from supervisor.xmlrpc import SupervisorTransport

from api.settings import child_environment
from carrygrid.local import leash, supervisord_config
from carrygrid.local.errors import StackError
from carrygrid.local.home import Home
from carrygrid.local.programs import Program

_SOCKET = "supervisord.sock"
_CONFIG = "supervisord.conf"
_PID = "supervisord.pid"
_LONGEST_SOCKET_PATH = 95
_SPARE_SECONDS = 5
_FORGIVEN_STUMBLES = 1
_SHOWN_LOG_BYTES = 2000


@dataclass(frozen=True, slots=True)
class ProgramState:
    """State of a program as the supervisor knows it; `pid` is 0 while it does not run."""

    name: str
    state: str
    pid: int
    started_at: int

    @property
    def has_stumbled(self) -> bool:
        """Return whether it ended too soon after its start and waits for another try."""
        return self.state in {"BACKOFF", "FATAL"}


class Supervisor:
    """A supervisord in a session of its own that cannot outlive this process."""

    def __init__(self, home: Home, programs: Sequence[Program]) -> None:
        self._home = home
        self._programs = tuple(programs)
        self._process: subprocess.Popen[bytes] | None = None
        self._stumbles: set[tuple[str, int]] = set()
        self._temporary = _temporary_socket_folder(home)
        folder = home.run if self._temporary is None else Path(self._temporary.name)
        self._socket = folder / _SOCKET

    def start(self, environment: Mapping[str, str]) -> None:
        """Start the programs in order, with `environment` added to ours.

        Call it from a thread that lives on (the main one): the kernel ends the programs with the thread.
        """
        socket = f"run/{_SOCKET}" if self._temporary is None else str(self._socket)
        (self._home.run / _CONFIG).write_text(supervisord_config.render(socket, self._programs))
        command = [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "-c", f"run/{_CONFIG}"]
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            leash.command(os.getpid(), signal.SIGTERM, command),
            cwd=self._home.root,
            env=child_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def is_running(self) -> bool:
        """Return whether the supervisor itself lives."""
        return self._process is not None and self._process.poll() is None

    def states(self) -> list[ProgramState]:
        """Return the programs' states; an empty list while the supervisor does not answer."""
        proxy = xmlrpc.client.ServerProxy(
            "http://localhost", transport=SupervisorTransport(serverurl=f"unix://{self._socket}")
        )
        try:
            with proxy:
                found = cast("list[dict[str, Any]]", proxy.supervisor.getAllProcessInfo())
        except (OSError, xmlrpc.client.Error):
            return []
        return [
            ProgramState(str(p["name"]), str(p["statename"]), int(p["pid"]), int(p["start"])) for p in found
        ]

    def check(self) -> None:
        """Do nothing while every program runs or starts; a first stumble at start is forgiven.

        Raises: StackError with the end of the log of the program that does not start.
        """
        if not self.is_running:
            raise StackError(f"the supervisor has ended; see {self._home.logs / 'supervisord.log'}")
        for program in self.states():
            if program.has_stumbled:
                self._stumbles.add((program.name, program.started_at))
            if sum(name == program.name for name, _ in self._stumbles) > _FORGIVEN_STUMBLES:
                raise StackError(f"{program.name} does not start: {_last_words(self._home, program.name)}")

    def stop(self) -> None:
        """End all programs, by force where they take too long, and wait until they are gone."""
        if self._process is not None:
            self._end(self._process)
            self._process = None
        for name in (_SOCKET, _CONFIG, _PID):
            (self._home.run / name).unlink(missing_ok=True)
        if self._temporary is not None:
            self._temporary.cleanup()

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        process.terminate()
        try:
            process.wait(sum(program.stop_seconds for program in self._programs) + _SPARE_SECONDS)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
            process.wait()


def _temporary_socket_folder(home: Home) -> "tempfile.TemporaryDirectory[str] | None":
    """Return a folder for the socket if the home's own path is too long for one."""
    if len(os.fsencode(home.run / _SOCKET)) <= _LONGEST_SOCKET_PATH:
        return None
    return tempfile.TemporaryDirectory(prefix="carrygrid-")


def _last_words(home: Home, name: str) -> str:
    path = home.logs / f"{name}.log"
    try:
        lines = path.read_bytes()[-_SHOWN_LOG_BYTES:].decode(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return f"{lines[-1].strip() if lines else 'it says nothing'} (see {path})"
