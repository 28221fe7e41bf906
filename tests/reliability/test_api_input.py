"""Clients that come all at once, vanish in the middle, dawdle, or ask for more than anyone should."""

import contextlib
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import sqlalchemy as sa
from servers import eventually
from webservice import DATABASE, Hands, sweep_body

from api.middleware.body import MAX_BYTES
from bot.market_store.database import open_engine, write_transaction
from sweeps.analysis.progress import get_spec
from sweeps.export import ExportFormat, exported
from sweeps.storage.results import failed_row
from sweeps.storage.tables import chunk, failed_trial, sweep

ONE = {"grid": {"perp_leverage": [1]}}
EVERY_LEVERAGE = {"start": "1", "stop": "1.999", "step": "0.001"}
A_MILLION = {"perp_leverage": EVERY_LEVERAGE, "initial_capital": {"start": "1", "stop": "1000", "step": "1"}}


@pytest.fixture
def client(address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=address, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
def engine(home: Path) -> Iterator[sa.Engine]:
    engine = open_engine(f"sqlite:///{home / DATABASE}")
    yield engine
    engine.dispose()


@contextlib.contextmanager
def connection_to(address: str) -> Iterator[socket.socket]:
    """Give a socket to the server, reset at the end so that the server hears of it at once."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as raw:
        yield raw


def posted(body: dict[str, Any], *headers: str) -> bytes:
    """Return a submission as it goes over the wire."""
    text = json.dumps(body).encode()
    lines = ["POST /sweeps HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Content-Length: {len(text)}", *headers, "", ""]).encode() + text


def complete_sweeps(engine: sa.Engine) -> int:
    """Return how many sweeps there are, each of them with all of its chunks."""
    with engine.connect() as connection:
        totals = connection.execute(sa.select(sweep.c.id, sweep.c.trials_total)).all()
        for sweep_id, total in totals:
            ranges = sa.select(sa.func.sum(chunk.c.hi - chunk.c.lo)).where(chunk.c.sweep_id == sweep_id)
            assert connection.execute(ranges).scalar_one() == total
    return len(totals)


def test_body_without_an_end_is_refused_at_the_limit_and_not_kept(address: str) -> None:
    sent = 0
    piece = b"%x\r\n" % 65_536 + b" " * 65_536 + b"\r\n"
    head = b"POST /sweeps HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with connection_to(address) as raw, contextlib.suppress(ConnectionError):
        raw.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        while sent < 300 * 1024 * 1024:
            raw.sendall(piece)
            sent += 65_536
    assert sent < 8 * MAX_BYTES


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        (
            {
                "grid": {
                    name: {"start": "1", "stop": "10000", "step": "1"}
                    for name in ("perp_leverage", "min_volume_24h", "initial_capital")
                }
            },
            "grid",
            "1,000,000,000,000 trials, the limit is 1,000,000",
        ),
        ({"grid": A_MILLION | {"dynamic_sizing": [True, False]}}, "grid", "2,000,000 trials"),
        (
            {"grid": {"perp_leverage": {"start": "1", "stop": "2", "step": "1e-300"}}},
            "grid.perp_leverage",
            "",
        ),
        ({"grid": {"perp_leverage": {"start": "2", "stop": "1", "step": "1"}}}, "grid.perp_leverage", ""),
        ({"constraints": ["perp_leverage > 1000"]}, "constraints", ""),
    ],
)
def test_space_that_cannot_be_run_is_refused_with_its_size(
    client: httpx2.Client, changes: dict[str, Any], field: str, words: str
) -> None:
    for path in ("/sweeps/validate", "/sweeps"):
        refusal = client.post(path, json=sweep_body(**changes))
        assert refusal.status_code == 422
        (error, *_) = refusal.json()["errors"]
        assert error["field"].startswith(field)
        assert words in error["message"]


def test_service_answers_while_a_space_of_a_million_is_worked_out(client: httpx2.Client) -> None:
    with ThreadPoolExecutor(1) as beside:
        planned = beside.submit(client.post, "/sweeps/validate", json=sweep_body(grid=A_MILLION))
        heard = 0
        while not planned.done():
            heard += client.get("/healthz").status_code == 200
    assert planned.result().json()["trials"] == 1_000_000
    assert heard > 0


def test_same_key_from_many_at_once_makes_one_sweep_and_another_body_none(client: httpx2.Client) -> None:
    headers = {"Idempotency-Key": "once"}
    with ThreadPoolExecutor(8) as crowd:
        answers = list(
            crowd.map(lambda _: client.post("/sweeps", json=sweep_body(), headers=headers), range(16))
        )
    assert {(answer.status_code, answer.json()["id"]) for answer in answers} == {(202, 1)}
    assert client.post("/sweeps", json=sweep_body(name="another"), headers=headers).status_code == 409
    assert len(client.get("/sweeps").json()["sweeps"]) == 1


def test_answer_that_got_lost_is_given_again_for_the_same_key(
    address: str, client: httpx2.Client, engine: sa.Engine
) -> None:
    with connection_to(address) as raw:
        raw.sendall(posted(sweep_body(), "Idempotency-Key: again"))
        eventually(lambda: complete_sweeps(engine) == 1, 10, "the sweep is stored")
    answer = client.post("/sweeps", json=sweep_body(), headers={"Idempotency-Key": "again"})
    assert (answer.status_code, answer.json()["id"]) == (202, 1)
    assert complete_sweeps(engine) == 1


def test_client_that_vanishes_within_its_body_leaves_nothing(
    address: str, client: httpx2.Client, engine: sa.Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    message = posted(sweep_body())
    for end in (20, len(message) // 2, len(message) - 1):
        with connection_to(address) as raw:
            raw.sendall(message[:end])
    assert client.post("/sweeps", json=sweep_body()).json()["id"] == 1
    assert complete_sweeps(engine) == 1
    assert "unexpected error" not in capsys.readouterr().out


def test_crowd_of_submissions_is_stored_or_put_off_and_nothing_is_stored_by_half(
    client: httpx2.Client, engine: sa.Engine
) -> None:
    with ThreadPoolExecutor(32) as crowd:
        answers = list(
            crowd.map(
                lambda number: client.post("/sweeps", json=sweep_body(name=f"{number}", **ONE)), range(300)
            )
        )
    stored = [answer for answer in answers if answer.status_code == 202]
    put_off = [answer for answer in answers if answer.status_code != 202]
    assert all(answer.status_code in {429, 503} and "retry-after" in answer.headers for answer in put_off)
    assert complete_sweeps(engine) == len({answer.json()["id"] for answer in stored}) == len(stored)


def test_dawdling_clients_do_not_keep_others_waiting(address: str, client: httpx2.Client) -> None:
    message = posted(sweep_body())
    with contextlib.ExitStack() as sockets:
        for number in range(200):
            raw = sockets.enter_context(connection_to(address))
            raw.sendall(message[: 40 if number % 2 else -1])
        assert client.get("/healthz").status_code == 200
        assert client.post("/sweeps", json=sweep_body()).status_code == 202
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("kind", list(ExportFormat))
def test_download_that_is_broken_off_holds_nothing_in_the_database(
    client: httpx2.Client, hands: Hands, engine: sa.Engine, kind: ExportFormat
) -> None:
    grid = {"perp_leverage": EVERY_LEVERAGE, "initial_capital": [1, 2, 3, 4, 5]}
    sweep_id = int(client.post("/sweeps", json=sweep_body(grid=grid)).json()["id"])
    rows = [failed_row(sweep_id, number, "test", "made to fail") for number in range(5_000)]
    with write_transaction(engine) as connection:
        connection.execute(failed_trial.insert(), rows)
        spec = get_spec(connection, sweep_id)
    download = exported(engine, sweep_id, spec, kind, {})
    next(download)
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    next(download, None)
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    with client.stream("GET", f"/sweeps/{sweep_id}/export?format={kind}") as broken_off:
        next(broken_off.iter_raw())
    assert client.delete(f"/sweeps/{sweep_id}").status_code == 204


def test_worker_that_dies_right_after_a_cancel_changes_nothing_about_it(
    client: httpx2.Client, hands: Hands, engine: sa.Engine
) -> None:
    sweep_id = int(client.post("/sweeps", json=sweep_body()).json()["id"])
    hands.split(sweep_id, 5)
    hands.work(sweep_id, chunks=1)
    with write_transaction(engine) as connection:
        connection.execute(
            chunk.update()
            .where(chunk.c.sweep_id == sweep_id, chunk.c.id == 1)
            .values(state="running", owner="dead", attempts=1, token=1, lease_until_ms=1)
        )
    for _ in range(2):
        assert client.post(f"/sweeps/{sweep_id}/cancel").json()["state"] == "cancelled"
    hands.work(sweep_id)
    found = client.get(f"/sweeps/{sweep_id}").json()
    assert (found["state"], found["trials_done"]) == ("cancelled", 5)
    client.post(f"/sweeps/{sweep_id}/resume")
    hands.work(sweep_id)
    assert client.get(f"/sweeps/{sweep_id}").json()["trials_done"] == 20
    assert client.post(f"/sweeps/{sweep_id}/cancel").status_code == 409
