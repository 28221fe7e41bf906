"""The local service as one object: start it, wait until it answers, watch it, stop it."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from api.database import ready_database
from api.settings import Settings
from bot.errors import InvalidInputError
from bot.notation import quoted
from carrygrid.local import broker, ports, servers
from carrygrid.local.errors import StackError
from carrygrid.local.home import Home, HomeLock
from carrygrid.local.programs import default_concurrency, local_programs
from carrygrid.local.supervisor import ProgramState, Supervisor

_SQLITE = "sqlite:///"
_FLOWER_PORT = 5555
_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - recognized, not bound
_PAUSE_SECONDS = 0.2
_WATCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses of the running service."""

    dashboard: str
    docs: str
    flower: str
    broker: str
    database: str
    logs: str


class LocalStack:
    """Everything of the service on this machine; a context that starts it and leaves nothing behind.

    Servers named in the environment are used, and never silently replaced; private ones stand in for others.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        port: int = 8000,
        workers: int | None = None,
        host: str = ports.LOOPBACK,
    ) -> None:
        """Take the programs to start; none is started yet.

        Raises: InvalidInputError for an address that others reach, without a token.
        """
        if not ports.is_loopback(host) and settings.api_token is None:
            raise InvalidInputError.of(
                "host", f"{quoted(host)} is reached by other machines: set CARRYGRID_API_TOKEN first"
            )
        self._settings = settings
        self._host = host
        self._port = port
        self._workers = workers or default_concurrency()
        self._home = Home(settings.home.resolve())
        self._exits = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            self._start(undo)
            self._exits = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()

    def _start(self, undo: contextlib.ExitStack) -> None:
        self._home.create()
        undo.enter_context(HomeLock(self._home))
        ports.require_free(self._port)
        named = self._settings.broker_url
        if named:
            servers.require_broker(named)
        self._broker_url = named or broker.private_url(ports.free_port())
        with ready_database(self._settings):
            pass
        self._flower_port = ports.free_port(_FLOWER_PORT)
        programs = local_programs(
            api_host=self._host,
            api_port=self._port,
            flower_port=self._flower_port,
            concurrency=self._workers,
            with_broker=not named,
        )
        self._supervisor = Supervisor(self._home, programs)
        undo.callback(self._supervisor.stop)
        self._supervisor.start(self._environment())

    @property
    def addresses(self) -> Addresses:
        """Return the addresses of the service, without passwords."""
        api = self._api_url
        return Addresses(
            dashboard=f"{api}/",
            docs=f"{api}/docs",
            flower=f"{self._flower_url}/",
            broker=servers.shown(self._broker_url),
            database=servers.shown(self._settings.database),
            logs=str(self._home.logs),
        )

    def wait_ready(self, seconds: float = 120.0) -> None:
        """Return once every part answers.

        Raises: StackError naming the part that does not start, or does not answer in time.
        """
        deadline = time.monotonic() + seconds
        while waiting := self._unanswered():
            self._supervisor.check()
            if time.monotonic() > deadline:
                raise StackError(f"{waiting} did not answer within {seconds:g} s; see {self._home.logs}")
            time.sleep(_PAUSE_SECONDS)

    def states(self) -> list[ProgramState]:
        """Return the state of each process."""
        return self._supervisor.states()

    def watch(self, report: Callable[[str], None]) -> NoReturn:
        """Report processes that had to be started again, until the supervisor ends or a signal interrupts.

        Raises: StackError when the supervisor has ended.
        """
        known = {state.name: state.pid for state in self.states()}
        while self._supervisor.is_running:
            time.sleep(_WATCH_SECONDS)
            for state in self.states():
                if state.pid and state.pid != known.get(state.name):
                    known[state.name] = state.pid
                    report(f"{state.name} had ended and was started again as process {state.pid}")
        raise StackError(f"the supervisor has ended; see {self._home.logs / 'supervisord.log'}")

    @property
    def _api_url(self) -> str:
        host = ports.LOOPBACK if self._host in _EVERY_ADDRESS else self._host
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}"

    @property
    def _flower_url(self) -> str:
        return f"http://{ports.LOOPBACK}:{self._flower_port}"

    def _environment(self) -> dict[str, str]:
        token = self._settings.api_token
        return {
            "CARRYGRID_HOME": str(self._home.root),
            "CARRYGRID_DATABASE_URL": _absolute(self._settings.database),
            "CARRYGRID_BROKER_URL": self._broker_url,
            "CARRYGRID_API_URL": self._api_url,
            "CARRYGRID_FLOWER_URL": self._flower_url,
            **({"FLOWER_BASIC_AUTH": f"carrygrid:{token.get_secret_value()}"} if token else {}),
        }

    def _unanswered(self) -> str:
        if not servers.is_answering(self._broker_url):
            return "the broker"
        if not servers.is_healthy(f"{self._api_url}/healthz"):
            return "the API"
        if not servers.is_healthy(f"{self._flower_url}/healthcheck"):
            return "Flower"
        if not servers.is_healthy(f"{self._api_url}/readyz", self._settings.api_token):
            return "a worker or the dispatcher"
        return ""


def _absolute(database_url: str) -> str:
    """Return the URL for processes that run in another folder."""
    if not database_url.startswith(_SQLITE):
        return database_url
    return _SQLITE + str(Path(database_url.removeprefix(_SQLITE)).resolve())
