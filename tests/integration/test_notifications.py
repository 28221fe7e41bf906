"""Notifications of ended sweeps: signed, sent once the report is there, tried again, never redirected."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from servers import LOOPBACK
from webservice import Hands, sweep_body

from bot.market_store.database import write_transaction
from sweeps.jobs.job_dispatcher import JobDispatcher
from sweeps.jobs.job_runner import JobRunner
from sweeps.storage.notifications import signing_secret
from sweeps.storage.tables import job


@dataclass
class Receiver:
    """A receiver on this machine: what it was sent, and what it answers, in turn, then 204."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    taken: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a receiver that listens."""
    mine = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            mine.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = mine.statuses.pop(0) if mine.statuses else 204
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{mine.url}/elsewhere")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    mine.url = f"http://{LOOPBACK}:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield mine
    server.shutdown()
    server.server_close()


class _Jobs:
    """A queue of jobs whose messages are worked off at once."""

    def __init__(self, engine: sa.Engine) -> None:
        self._runner = JobRunner(engine)

    def publish_job(self, job_id: int, *, behind: bool = False) -> None:
        self._runner.run(job_id)


def _work_off(engine: sa.Engine) -> None:
    """Do the jobs that are to be done and those that they lead to; the wait for a retry is over at once."""
    dispatcher = JobDispatcher(engine, _Jobs(engine))
    for _ in range(8):
        dispatcher.step()
        with write_transaction(engine) as connection:
            waiting = job.c.lease_until_ms.is_not(None), job.c.state == "running"
            connection.execute(job.update().where(*waiting).values(lease_until_ms=0, published_ms=None))


def _submitted(client: TestClient, receiver: Receiver) -> int:
    answer = client.post("/sweeps", json=sweep_body(notify_url=receiver.url))
    assert answer.status_code == 202
    return int(answer.json()["id"])


def test_a_completed_sweep_tells_once_signed_and_with_its_sentence(
    client: TestClient, hands: Hands, receiver: Receiver
) -> None:
    sweep_id = _submitted(client, receiver)
    _work_off(hands.engine)
    assert receiver.taken == []
    path = f"/sweeps/{sweep_id}/notification"
    assert client.get(path).json() == {
        "host": LOOPBACK,
        "state": "queued",
        "delivered_at": None,
        "error": None,
    }
    hands.work(sweep_id)
    _work_off(hands.engine)

    ((headers, body),) = receiver.taken
    message = json.loads(body)
    assert message["type"] == "sweep.completed"
    data, report = message["data"], client.get(f"/sweeps/{sweep_id}/selection").json()
    assert data["sentence"] == report["sentence"]
    assert (data["id"], data["trials_done"], data["trials_failed"]) == (sweep_id, 20, 0)
    with write_transaction(hands.engine) as connection:
        key = base64.b64decode(signing_secret(connection).removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    told = client.get(path).json()
    assert (told["state"], told["error"]) == ("completed", None)
    assert told["delivered_at"] is not None

    assert client.post(path).status_code == 202
    _work_off(hands.engine)
    assert len(receiver.taken) == 2
    assert receiver.url not in client.get(f"/sweeps/{sweep_id}").text


def test_a_receiver_that_fails_is_tried_again_and_one_that_redirects_is_not_followed(
    client: TestClient, hands: Hands, receiver: Receiver
) -> None:
    receiver.statuses = [500, 302]
    sweep_id = _submitted(client, receiver)
    hands.work(sweep_id)
    _work_off(hands.engine)
    assert len(receiver.taken) == 3
    assert client.get(f"/sweeps/{sweep_id}/notification").json()["state"] == "completed"
    assert len({headers["webhook-id"] for headers, _ in receiver.taken}) == 1


def test_a_receiver_that_never_takes_it_is_given_up_and_said_why(
    client: TestClient, hands: Hands, receiver: Receiver
) -> None:
    receiver.statuses = [302] * 9
    sweep_id = _submitted(client, receiver)
    client.post(f"/sweeps/{sweep_id}/cancel")
    _work_off(hands.engine)
    told = client.get(f"/sweeps/{sweep_id}/notification").json()
    assert told["state"] == "failed"
    assert told["error"] == f"{LOOPBACK} answered 302, and redirects are not followed, 3 times"
    assert len(receiver.taken) == 3
    assert json.loads(receiver.taken[0][1])["type"] == "sweep.cancelled"


def test_a_sweep_that_tells_nobody_says_so(client: TestClient) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
    refused = client.get(f"/sweeps/{sweep_id}/notification")
    assert refused.status_code == 409
    assert "submitted without notify_url" in refused.json()["detail"]


def test_a_key_answers_the_sweep_that_tells_the_same_address_and_no_other(
    client: TestClient, receiver: Receiver
) -> None:
    def status(**changes: Any) -> int:
        return client.post(
            "/sweeps", json=sweep_body(**changes), headers={"Idempotency-Key": "k"}
        ).status_code

    assert [status(notify_url=receiver.url), status(notify_url=receiver.url)] == [202, 202]
    assert [status(notify_url=f"{receiver.url}/2"), status()] == [409, 409]
