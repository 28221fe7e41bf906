"""The containers of the compose file as processes: its commands and variables, on other addresses."""

import contextlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from composing import resolved, unescaped
from servers import LOOPBACK, eventually, free_port, leashed, private_postgres

from carrygrid.local import broker, servers

_PROGRAMS = Path(sys.executable).parent
_COMMAND_LINE = """#!{python}
import os, sys
import redis
option, user, command = sys.argv[1:]
assert option == "--user"
broker = redis.Redis("{host}", {port}, username=user, password=os.environ["REDISCLI_AUTH"])
print({{True: "PONG"}}.get(broker.execute_command(command)))
"""
"""Stands in for the image's valkey-cli: no wheel has one, and machines that run tests need none."""


@dataclass(frozen=True)
class Machine:
    """A computer with its own home folder and environment; `enter` is the command that runs others on it."""

    name: str
    home: Path
    enter: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Cluster:
    """The services of the compose file and where this machine has put them."""

    services: dict[str, Any]
    addresses: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, service: str, machine: Machine, *more: str) -> subprocess.Popen[bytes]:
        """Start the command of a service, with `more` arguments behind it."""
        with (machine.home / f"{service}.log").open("ab") as log:
            process = subprocess.Popen(
                leashed(*machine.enter, *self._placed(self.services[service]["command"]), *more),
                env=self.environment(service, machine),
                cwd=machine.home,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def is_healthy(self, service: str, machine: Machine, check: Sequence[str] = ()) -> bool:
        """Return what the service's health check says, or the `check` of its image."""
        kind, *rest = check or self.services[service]["healthcheck"]["test"]
        command = ["sh", "-c", *rest] if kind == "CMD-SHELL" else rest
        result = subprocess.run(
            [*machine.enter, *self._placed(command)],
            env=self.environment(service, machine),
            cwd=machine.home,
            capture_output=True,
            check=False,
            timeout=60,
        )
        return result.returncode == 0

    def environment(self, service: str, machine: Machine) -> dict[str, str]:
        """Return the variables of a container: those of the file, and nothing of ours."""
        return {
            "PATH": f"{self.addresses['programs']}:{_PROGRAMS}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(machine.home),
            "HOSTNAME": machine.name,
            "CARRYGRID_HOME": str(machine.home),
            **{name: self._at(value) for name, value in self.services[service]["environment"].items()},
            **machine.settings,
        }

    @property
    def database_url(self) -> str:
        return self._at(self.services["migrate"]["environment"]["CARRYGRID_DATABASE_URL"])

    @property
    def broker_url(self) -> str:
        return self._at(self.services["migrate"]["environment"]["CARRYGRID_BROKER_URL"])

    @property
    def api(self) -> str:
        return f"http://{LOOPBACK}:{self.addresses['8000']}"

    @property
    def flower(self) -> str:
        return f"http://{LOOPBACK}:{self.addresses['5555']}"

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()

    def _placed(self, command: Sequence[str]) -> list[str]:
        return [self._at(part) for part in command]

    def _at(self, text: str) -> str:
        for place, address in self.addresses.items():
            text = text.replace(place, address)
        return text


@contextlib.contextmanager
def cluster(folder: Path, address: str = LOOPBACK) -> Iterator[Cluster]:
    """Give the broker and the database of the cluster, listening on `address`, and nothing else yet."""
    services = unescaped(resolved()["services"])
    with contextlib.ExitStack() as stack:
        broker_port = stack.enter_context(cluster_broker(services["redis"], folder, address))
        postgres_port = stack.enter_context(cluster_database(services["postgres"], address))
        running = Cluster(
            services,
            {
                "programs": str(folder),
                "@redis:6379": f"@{address}:{broker_port}",
                "@postgres:5432": f"@{address}:{postgres_port}",
                "0.0.0.0": LOOPBACK,
                "8000": str(free_port()),
                "5555": str(free_port()),
            },
        )
        stack.callback(running.stop)
        yield running


@contextlib.contextmanager
def cluster_broker(service: Mapping[str, Any], folder: Path, address: str = LOOPBACK) -> Iterator[int]:
    """Run the broker's command with a server of this machine; gives its port."""
    shell, flag, script = unescaped(service["command"])
    port = free_port()
    script = script.replace("dir /data", f"dir {folder}\nport {port}").replace(
        "bind * -::*", f"bind {address}"
    )
    (folder / "valkey-server").symlink_to(_server())
    (folder / "valkey-cli").write_text(_COMMAND_LINE.format(python=sys.executable, host=address, port=port))
    (folder / "valkey-cli").chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", **service["environment"]}
    process = subprocess.Popen(leashed(shell, flag, script), env=environment, stdout=subprocess.DEVNULL)
    try:
        password = service["environment"]["BROKER_PASSWORD"]
        url = f"redis://{broker.USER}:{password}@{address}:{port}/0"
        eventually(lambda: servers.is_answering(url), 10, "the broker answers")
        yield port
    finally:
        process.kill()
        process.wait()


def _server() -> str:
    return shutil.which("valkey-server") or shutil.which("redis-server") or str(broker.find_server())


@contextlib.contextmanager
def cluster_database(service: Mapping[str, Any], address: str = LOOPBACK) -> Iterator[int]:
    """Run a PostgreSQL with user, password and database of the file, as its image would; gives its port."""
    variables = service["environment"]
    with private_postgres(
        user=variables["POSTGRES_USER"],
        password=variables["POSTGRES_PASSWORD"],
        database=variables["POSTGRES_DB"],
        address=address,
    ) as port:
        yield port


def machine(folder: Path, name: str, *enter: str, **settings: str) -> Machine:
    """Return a new machine with an empty home; `settings` are variables of its own."""
    home = folder / name
    home.mkdir()
    named = {f"CARRYGRID_{key.upper()}": value for key, value in settings.items()}
    return Machine(name, home, enter, named)
