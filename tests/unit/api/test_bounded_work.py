"""Requests that make the API replay or compile: one after another, and no more than it can bear."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from servers import eventually
from webservice import Hands, sweep_body

from api.errors.http_errors import BusyError
from api.routes import control, sweeps
from api.work import bounded_work
from api.work.bounded_work import BoundedWork
from api.work.replays import Replays


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Return what holds work up until it is set."""
    opened = threading.Event()
    yield opened
    opened.set()


def test_requests_take_turns_and_those_past_the_limit_are_refused_at_once(gate: threading.Event) -> None:
    at_work: list[int] = []
    most_at_once = 0

    async def run() -> list[Any]:
        work = BoundedWork("replays", 3)

        def busy(number: int) -> int:
            nonlocal most_at_once
            at_work.append(number)
            most_at_once = max(most_at_once, len(at_work))
            gate.wait(20)
            at_work.remove(number)
            return number

        tasks = [asyncio.create_task(work.run(lambda number=number: busy(number))) for number in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError, match="3 replays are under way"):
            await work.run(lambda: 9)
        gate.set()
        return [*await asyncio.gather(*tasks), await work.run(lambda: 9)]

    assert asyncio.run(run()) == [0, 1, 2, 9]
    assert most_at_once == 1


@pytest.mark.parametrize(
    ("patience_s", "most_bytes", "reason"), [(0.0, 1000, "slow"), (60.0, 10, "large"), (60.0, 1000, "more")]
)
def test_more_requests_wait_while_their_turns_come_soon_and_they_hold_little(
    gate: threading.Event, monkeypatch: pytest.MonkeyPatch, patience_s: float, most_bytes: int, reason: str
) -> None:
    monkeypatch.setattr(bounded_work, "PATIENCE_S", patience_s)
    monkeypatch.setattr(bounded_work, "MOST_BYTES", most_bytes)
    waiting = 4 if reason == "more" else 2

    async def run() -> list[Any]:
        work = BoundedWork("checks", 2, 4)
        tasks = [asyncio.create_task(work.run(lambda: gate.wait(20), 5)) for _ in range(waiting)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError, match=f"{waiting} checks are under way"):
            await work.run(lambda: True, 5)
        gate.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(run()) == [True] * waiting


def test_a_crowd_of_submissions_waits_and_all_of_it_is_accepted(
    make_client: Callable[..., TestClient], gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    admit = sweeps.admit

    def held(*args: Any) -> Any:
        gate.wait(20)
        return admit(*args)

    monkeypatch.setattr(sweeps, "admit", held)
    crowd = 40
    with ThreadPoolExecutor(crowd) as senders:
        waiting = [senders.submit(client.post, "/sweeps", json=sweep_body()) for _ in range(crowd)]
        checks = client.app.state.compiling  # type: ignore[attr-defined]
        eventually(lambda: checks._requests == crowd, 30, "all submissions wait")
        gate.set()
        answers = [answer.result() for answer in waiting]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == crowd


def test_readers_of_curves_that_are_not_stored_hold_up_nobody_else(
    make_client: Callable[..., TestClient],
    hands: Hands,
    gate: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = make_client(max_replays=50)
    sweep_id = client.post("/sweeps", json=sweep_body(curves="none")).json()["id"]
    hands.work(sweep_id)
    begun = threading.Event()
    replay = Replays.result

    def slow(*args: Any) -> Any:
        begun.set()
        gate.wait(20)
        return replay(*args)

    monkeypatch.setattr(Replays, "result", slow)
    curve = f"/sweeps/{sweep_id}/trials/3/equity"
    with ThreadPoolExecutor(50) as readers:
        waiting = [readers.submit(client.get, curve) for _ in range(50)]
        assert begun.wait(20)
        full = client.app.state.replays.work  # type: ignore[attr-defined]
        eventually(lambda: full._requests == 50, 30, "all readers wait")
        refused = client.get(curve)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
        assert refused.json()["detail"] == "50 replays are under way; try again in a moment"
        for path in ("/healthz", "/sweeps", f"/sweeps/{sweep_id}", f"/sweeps/{sweep_id}/trials", "/metrics"):
            assert client.get(path).status_code == 200
        assert client.get("/sweeps/export", headers={"accept": "application/json"}).status_code == 422
        assert client.get(f"/sweeps/{sweep_id}/export").status_code == 200
        assert client.post("/sweeps", json=sweep_body()).status_code == 202
        gate.set()
        assert {answer.result().status_code for answer in waiting} == {200}
    assert client.get(curve).status_code == 200


def test_checks_of_sweeps_take_turns_and_hold_up_no_reader(
    make_client: Callable[..., TestClient], gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    checks = client.app.state.compiling = BoundedWork("checks of sweeps", 3)  # type: ignore[attr-defined]
    admit = control.admit

    def slow(*args: Any) -> Any:
        gate.wait(20)
        return admit(*args)

    monkeypatch.setattr(control, "admit", slow)
    with ThreadPoolExecutor(3) as senders:
        waiting = [senders.submit(client.post, "/sweeps/validate", json=sweep_body()) for _ in range(3)]
        eventually(lambda: checks._requests == 3, 30, "all checks wait")
        refused = client.post("/sweeps/validate", json=sweep_body())
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
        assert client.get("/sweeps").status_code == 200
        gate.set()
        assert {answer.result().status_code for answer in waiting} == {200}
