"""`carrygrid up` as a user runs it: what it starts, and that nothing of it stays."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from commanding import COMMAND, environment_of
from servers import LOOPBACK, eventually, free_port

pytestmark = pytest.mark.broker

START_SECONDS = 60


@dataclass
class Up:
    """A running `carrygrid up` and what it has printed so far."""

    process: subprocess.Popen[str]
    home: Path
    port: int

    @property
    def api(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def printed(self) -> str:
        return (self.home.parent / "printed").read_text()

    @property
    def flower(self) -> str:
        found = re.search(r"Flower +(\S+)", self.printed)
        assert found is not None
        return found[1]

    def processes(self) -> dict[int, str]:
        """Return the command of every process of this service, `up` included, by process id."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (process / "cwd").readlink().is_relative_to(self.home.parent):
                    command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found[int(process.name)] = command
        return found

    def worker(self) -> int | None:
        """Return the process id of the worker's main process."""
        mains = [pid for pid, command in self.processes().items() if " workers worker " in command]
        return min(mains, default=None)


@contextlib.contextmanager
def _up(folder: Path, **settings: str) -> Iterator[Up]:
    home, port = folder / "home", free_port()
    command = [str(COMMAND), "up", "--port", str(port), "--workers", "1"]
    with (folder / "printed").open("w") as printed:
        process = subprocess.Popen(
            command,
            env=environment_of(home, **settings),
            stdout=printed,
            stderr=printed,
            text=True,
            cwd=folder,
        )
    running = Up(process, home, port)
    try:
        eventually(
            lambda: "Ctrl-C stops everything." in running.printed or process.poll() is not None,
            START_SECONDS,
            "the addresses are printed",
        )
        assert process.poll() is None, running.printed
        yield running
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with _up(tmp_path_factory.mktemp("lasting")) as running:
        yield running


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""


def _is_listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((LOOPBACK, port)) == 0


def _port_of(url: str) -> int:
    return int(url.rstrip("/").rpartition(":")[2])


def test_the_printed_addresses_answer(lasting: Up) -> None:
    assert f"Dashboard  {lasting.api}/\n" in lasting.printed
    for url in (f"{lasting.api}/healthz", f"{lasting.api}/readyz", f"{lasting.api}/", lasting.flower):
        assert _get(url)[0] == 200


def test_flower_shows_the_worker(lasting: Up) -> None:
    eventually(lambda: "celery@" in _get(lasting.flower)[1], 20, "the worker is in Flower's list")


def test_a_second_up_on_the_home_is_refused_naming_the_first(lasting: Up) -> None:
    result = subprocess.run(
        [COMMAND, "up", "--port", str(free_port())],
        env=environment_of(lasting.home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert f"is in use by process {lasting.process.pid};" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_password_of_the_broker_is_nowhere_to_be_read(lasting: Up) -> None:
    worker = lasting.worker()
    environment = Path(f"/proc/{worker}/environ").read_bytes().decode()
    found = re.search(r"CARRYGRID_BROKER_URL=redis://carrygrid:([^@]+)@", environment)
    assert found is not None
    password = found[1]
    commands = "\n".join(lasting.processes().values())
    assert "valkey-server" in commands
    logs = "\n".join(path.read_text() for path in (lasting.home / "logs").iterdir())
    configuration = (lasting.home / "run" / "supervisord.conf").read_text()
    pages = _get(lasting.flower + "broker")[1] + _get(f"{lasting.api}/readyz")[1]
    for place in (commands, logs, configuration, lasting.printed, pages):
        assert password not in place


def test_the_token_is_nowhere_to_be_read(tmp_path: Path) -> None:
    token = "a-token-nobody-else-may-see"
    bearer = {"Authorization": f"Bearer {token}"}
    with (
        _up(tmp_path, CARRYGRID_API_TOKEN=token) as running,
        httpx2.Client(trust_env=False, timeout=60) as client,
    ):
        pages = (
            "/",
            "/dashboard/data",
            "/docs",
            "/openapi.json",
            "/metrics",
            "/readyz",
            "/sweeps",
            "/nothing",
        )
        shown = [client.get(running.api + page, headers=bearer) for page in pages]
        shown += [client.post(f"{running.api}/sweeps", headers=bearer, content=b"{")]
        shown += [client.post(f"{running.api}/dashboard/login", data={"token": token})]
        shown += [client.get(running.api, headers={"Accept": "text/html"})]
        assert client.get(running.flower).status_code == 401
        shown += [client.get(running.flower + page, auth=("carrygrid", token)) for page in ("", "broker")]
        assert [answer.status_code for answer in shown] == [200] * 7 + [404, 415, 303, 200, 200, 200]
        commands = "\n".join(running.processes().values())
    told = [answer.text + str(answer.headers) for answer in shown]
    files = [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    assert [place for place in (commands, *told, *files) if token in place] == []


def test_a_killed_worker_is_started_again_and_reported(lasting: Up) -> None:
    first = lasting.worker()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    eventually(lambda: lasting.worker() not in {None, first}, 20, "another worker runs")
    eventually(
        lambda: "worker had ended and was started again as process" in lasting.printed, 20, "it is reported"
    )


def _assert_ended_by(number: signal.Signals, running: Up) -> None:
    """Send the signal, and check that it ends everything and leaves nothing behind."""
    ports = [running.port, _port_of(running.flower)]
    running.process.send_signal(number)
    assert running.process.wait(30) == 0
    assert running.processes() == {}
    assert [port for port in ports if _is_listening(port)] == []
    assert list((running.home / "run").iterdir()) == []
    assert running.printed.endswith("stopped\n")


def test_interrupt_ends_everything_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with _up(tmp_path) as running:
        _assert_ended_by(signal.SIGINT, running)


def _refused(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "up", *arguments],
        env=environment_of(folder / "home", **settings),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_port_in_use_is_refused_by_name(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        result = _refused(tmp_path, "--port", str(port))
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: port: {port} is in use on {LOOPBACK}")


def test_a_named_broker_that_does_not_answer_is_never_replaced_by_a_private_one(tmp_path: Path) -> None:
    url = f"redis://user:secret@{LOOPBACK}:{free_port()}/0"
    result = _refused(tmp_path, "--port", str(free_port()), CARRYGRID_BROKER_URL=url)
    assert result.returncode == 1
    assert result.stderr.startswith(f"error: CARRYGRID_BROKER_URL: redis://{LOOPBACK}:")
    assert "secret" not in result.stderr


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("BROKER", "user:secret@there", '"there" is no address such as redis://127.0.0.1:6379/0'),
        ("BROKER", "redis://:secret@[::1", '"[::1" is no address such as redis://127.0.0.1:6379/0'),
        (
            "BROKER",
            "redis://queue:port/0",
            '"redis://queue:port/0" is no address such as redis://127.0.0.1:6379/0',
        ),
        ("DATABASE", "mysql://x/y", '"mysql://x/y" is neither sqlite:///path nor postgresql://host/name'),
    ],
)
def test_a_variable_that_holds_no_address_is_refused_by_its_name(
    tmp_path: Path, variable: str, value: str, said: str
) -> None:
    name = f"CARRYGRID_{variable}_URL"
    result = _refused(tmp_path, "--port", str(free_port()), **{name: value})
    assert (result.returncode, result.stderr) == (2, f"error: {name}: {said}\n")


def test_a_named_database_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("this is no database, and long enough to be read as one " * 20)
    url = f"sqlite:///{tmp_path / 'file'}"
    result = _refused(tmp_path, "--port", str(free_port()), CARRYGRID_DATABASE_URL=url)
    assert result.returncode == 1
    assert "cannot be used: file is not a database" in result.stderr


def test_everything_ends_with_a_killed_up_and_the_home_can_be_used_again_and_ended_in_order(
    lasting: Up,
) -> None:
    """The last test of the service that the others share: nothing of it is there afterwards."""
    assert len(lasting.processes()) > 6
    lasting.process.kill()
    lasting.process.wait()
    eventually(lambda: not lasting.processes(), 10, "no process is left")
    with _up(lasting.home.parent) as again:
        assert _get(f"{again.api}/healthz")[0] == 200
        _assert_ended_by(signal.SIGTERM, again)
