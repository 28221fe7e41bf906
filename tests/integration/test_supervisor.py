import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from carrygrid.local import broker, ports, servers
from carrygrid.local.errors import StackError
from carrygrid.local.home import Home
from carrygrid.local.programs import Program, as_command
from carrygrid.local.supervisor import Supervisor

Start = Callable[..., Supervisor]
SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
ODD = "a % home ; with #, quotes ' \" and a name that is longer than any socket may have " + "x" * 40


@pytest.fixture
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    home = Home(tmp_path / getattr(request, "param", "home"))
    home.create()
    return home


@pytest.fixture
def start(home: Home) -> Iterator[Start]:
    running: list[Supervisor] = []

    def start(*programs: Program, **environment: str) -> Supervisor:
        running.append(Supervisor(home, programs))
        running[-1].start(environment)
        return running[-1]

    yield start
    for supervisor in running:
        supervisor.stop()


def _until(holds: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _pids(supervisor: Supervisor) -> set[int]:
    return {state.pid for state in supervisor.states() if state.pid}


def test_a_killed_program_is_started_again(start: Start) -> None:
    supervisor = start(Program("sleeper", SLEEP))
    _until(lambda: _pids(supervisor))
    (first,) = _pids(supervisor)
    os.kill(first, signal.SIGKILL)
    _until(lambda: _pids(supervisor) - {first})
    supervisor.check()


def test_stopping_leaves_no_process_and_only_logs(start: Start, home: Home) -> None:
    supervisor = start(Program("sleeper", SLEEP))
    _until(lambda: _pids(supervisor))
    (pid,) = _pids(supervisor)
    supervisor.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert list(home.run.iterdir()) == []
    assert sorted(path.name for path in home.logs.iterdir()) == ["sleeper.log", "supervisord.log"]


def test_a_program_that_cannot_start_is_reported_with_its_last_words(start: Start) -> None:
    supervisor = start(
        Program("broken", (sys.executable, "-c", "import sys; sys.exit('no such 100% thing')"))
    )

    def failure() -> str:
        try:
            supervisor.check()
        except StackError as error:
            return error.message
        return ""

    _until(failure)
    assert "broken does not start: no such 100% thing (see " in failure()


def test_a_program_that_ignores_the_polite_signal_is_killed(start: Start, home: Home) -> None:
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)"
    script = f"import signal, time; {deaf}; time.sleep(60)"
    supervisor = start(Program("deaf", (sys.executable, "-c", script), stop_seconds=1))
    log = home.logs / "deaf.log"
    _until(lambda: log.is_file() and log.read_text())
    (pid,) = _pids(supervisor)
    before = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - before < 6
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("home", ["home", ODD], ids=["plain", "odd"], indirect=True)
def test_a_program_has_its_own_variables(start: Start, home: Home) -> None:
    script = "import os, time; print(os.environ['SHARED'], os.environ['OWN'], flush=True); time.sleep(60)"
    start(Program("printer", (sys.executable, "-c", script), environment={"OWN": "b % c"}), SHARED="a")
    log = home.logs / "printer.log"
    _until(lambda: log.is_file() and log.read_text() == "a b % c\n")


@pytest.mark.broker
@pytest.mark.parametrize("home", ["home", ODD], ids=["plain", "odd"], indirect=True)
def test_the_private_broker_lets_its_user_do_no_more_than_queue(start: Start, home: Home) -> None:
    url = broker.private_url(ports.free_port())
    start(Program("broker", as_command(("carrygrid.local.broker", "broker"))), CARRYGRID_BROKER_URL=url)
    _until(lambda: servers.is_answering(url))
    with redis.Redis.from_url(url) as client:
        assert client.lpush("queue", "task") == 1
        for refused in ("FLUSHALL", "KEYS *", "CONFIG GET *"):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*refused.split())
    port = urlsplit(url).port or 0
    with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    assert any((home.broker / "appendonlydir").iterdir())
