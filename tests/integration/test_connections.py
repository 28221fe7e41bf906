"""`uvicorn api.main:app` as started by hand, and clients that say more, or other things, than they should."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from servers import LOOPBACK, eventually, free_port, leashed

from api.middleware.connections import MAX_HEAD_BYTES
from api.middleware.throttle import LOGINS_PER_MINUTE

TOKEN = "a token of some length"
PIECE = 64 * 1024


@dataclass
class Served:
    """A server process and its port."""

    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def memory(self) -> int:
        """Return the resident memory, bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE")

    def exchange(self, *pieces: bytes, times: int = 1) -> bytes:
        """Send `pieces`, the last of them so many times, and return what came back."""
        with socket.create_connection((LOOPBACK, self.port), timeout=20) as client:
            try:
                for piece in (*pieces[:-1], *[pieces[-1]] * times):
                    client.sendall(piece)
            except OSError:
                pass  # refused meanwhile; the answer can still be read
            received = b""
            try:
                while part := client.recv(65536):
                    received += part
            except OSError:
                pass
            return received


def started(home: Path, *options: str, **settings: str) -> Served:
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CARRYGRID_")}
    environment = {**inherited, "CARRYGRID_HOME": str(home), "CARRYGRID_API_TOKEN": TOKEN, **settings}
    command = [sys.executable, "-m", "uvicorn", "api.main:app", "--port", str(port), *options]
    process = subprocess.Popen(leashed(*command), env=environment, stderr=subprocess.DEVNULL)
    served = Served(process, port)
    eventually(lambda: is_up(port), 60, "the API answers")
    return served


def is_up(port: int) -> bool:
    try:
        return httpx2.get(f"http://{LOOPBACK}:{port}/healthz").status_code == 200
    except httpx2.TransportError:
        return False


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    running = started(tmp_path_factory.mktemp("served"))
    yield running
    running.process.kill()
    running.process.wait()


TRAILED = b"POST /dashboard/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
START = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
ENDLESS = {
    "one header": (START + b"X-Long: ", b"a" * PIECE),
    "many headers": (START, b"X-Some: thing\r\n" * (PIECE // 15)),
    "name": (START, b"a" * PIECE),
    "address": (b"GET /", b"a" * PIECE),
    "trailer": (TRAILED + b"X-Long: ", b"a" * PIECE),
    "trailers": (TRAILED, b"X-Some: thing\r\n" * (PIECE // 15)),
}


@pytest.mark.parametrize("kind", list(ENDLESS))
def test_endless_head_is_refused_in_bounded_memory(served: Served, kind: str) -> None:
    before = served.memory
    answer = served.exchange(*ENDLESS[kind], times=400)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert json.loads(body)["type"] == "urn:carrygrid:problem:head_too_large"
    assert served.memory - before < 8 * 1024 * 1024
    assert is_up(served.port)


def test_head_that_comes_at_once_is_refused_from_the_limit_on(served: Served) -> None:
    def status(size: int) -> bytes:
        value = b"a" * (size - len(b"/healthzHostlocalhostConnectioncloseX-Long"))
        answer = served.exchange(START + b"Connection: close\r\nX-Long: " + value + b"\r\n\r\n")
        return answer.split(b" ")[1]

    assert status(MAX_HEAD_BYTES) == b"200"
    assert status(MAX_HEAD_BYTES + 1) == b"431"


def test_head_is_counted_anew_for_each_request_of_a_connection(served: Served) -> None:
    request = START + b"X-Long: " + b"a" * 40_000 + b"\r\n\r\n"
    last = START + b"Connection: close\r\n\r\n"
    assert served.exchange(request * 5, last).count(b"HTTP/1.1 200") == 6


def test_long_body_in_small_chunks_is_no_head(served: Served) -> None:
    head = (
        b"POST /sweeps HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
        + f"Authorization: Bearer {TOKEN}\r\n".encode()
        + b"Transfer-Encoding: chunked\r\n\r\n"
    )
    answer = served.exchange(head, b"1\r\n \r\n" * 50_000, b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 422")


def logins(port: int, count: int) -> list[int]:
    """Return the statuses of wrong logins, each said to be forwarded for somebody else."""
    return [
        httpx2.post(
            f"http://{LOOPBACK}:{port}/dashboard/login",
            data={"token": "wrong"},
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        ).status_code
        for number in range(count)
    ]


def test_forwarded_addresses_of_strangers_do_not_lift_the_limit_of_logins(served: Served) -> None:
    # More than enough: the limit refills while a busy machine answers, and others have signed in here.
    statuses = logins(served.port, 3 * LOGINS_PER_MINUTE)
    assert statuses[0] == 401
    assert set(statuses) == {401, 429}


@pytest.mark.parametrize("options", [[], ["--no-proxy-headers"]])
def test_forwarded_addresses_of_a_trusted_proxy_count(tmp_path: Path, options: list[str]) -> None:
    running = started(tmp_path / "home", *options, CARRYGRID_TRUSTED_PROXIES="10.0.0.0/8, 127.0.0.1")
    try:
        assert logins(running.port, LOGINS_PER_MINUTE + 5) == [401] * (LOGINS_PER_MINUTE + 5)
        secure = httpx2.post(
            f"http://{LOOPBACK}:{running.port}/dashboard/login",
            data={"token": TOKEN},
            headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"},
        )
        assert "Secure" in secure.headers["set-cookie"]
    finally:
        running.process.kill()
        running.process.wait()


def test_forwarded_protocol_of_a_stranger_is_not_believed(served: Served) -> None:
    time.sleep(60 / LOGINS_PER_MINUTE + 0.5)
    answer = httpx2.post(
        f"http://{LOOPBACK}:{served.port}/dashboard/login",
        data={"token": TOKEN},
        headers={"X-Forwarded-Proto": "https"},
    )
    assert answer.status_code == 303
    assert "Secure" not in answer.headers["set-cookie"]
