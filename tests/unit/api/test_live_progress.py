"""Progress as it happens: events that continue where a connection broke, and who is alive."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from webservice import Hands, serving, sweep_body

from bot.market_store.database import write_transaction
from sweeps.queue.heartbeats import Component, beat

Event = dict[str, Any]


@pytest.fixture
def address(home: Path) -> Iterator[str]:
    with serving(home) as address:
        yield address


def events(client: httpx2.Client, url: str, last: str | None = None) -> Iterator[Event]:
    """Yield the events of one connection, as a browser would read them."""
    headers = {} if last is None else {"Last-Event-ID": last}
    with client.stream("GET", url, headers=headers, timeout=20) as response:
        fields: Event = {}
        for line in response.iter_lines():
            if not line and fields:
                yield {**fields, "data": json.loads(fields["data"])}
                fields = {}
            name, _, value = line.partition(": ")
            if name in {"id", "event", "data"}:
                fields[name] = value


def test_events_go_on_after_a_lost_connection_without_repeating_themselves(
    address: str, hands: Hands
) -> None:
    with httpx2.Client(timeout=60) as client:
        sweep_id = client.post(f"{address}/sweeps", json=sweep_body()).json()["id"]
        url = f"{address}/sweeps/{sweep_id}/events"
        hands.split(sweep_id, 5)
        first = next(events(client, url))
        assert (first["event"], first["data"]["trials_done"]) == ("progress", 0)
        hands.work(sweep_id, chunks=2)
        after = next(events(client, url, first["id"]))
        assert (after["event"], after["data"]["trials_done"]) == ("progress", 10)
        assert after["data"]["rate"] > 0
        assert after["data"]["eta"] > 0
        assert after["data"]["best_trial"]["number"] < 20
        hands.work(sweep_id)
        rest = list(events(client, url, after["id"]))
        assert [event["event"] for event in rest] == ["end"]
        assert (rest[0]["data"]["state"], rest[0]["data"]["trials_done"]) == ("completed", 20)
        assert list(events(client, url, rest[0]["id"]))[-1]["event"] == "end"


@pytest.mark.parametrize("last", [None, "running-5-0", "not one of ours"])
def test_events_of_an_ended_sweep_are_its_end_whatever_was_seen(
    address: str, hands: Hands, last: str | None
) -> None:
    with httpx2.Client(base_url=address, timeout=60) as client:
        sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
        hands.split(sweep_id, 5)
        hands.work(sweep_id, chunks=1)
        client.post(f"/sweeps/{sweep_id}/cancel")
        (cancelled,) = events(client, f"/sweeps/{sweep_id}/events", last)
        assert (cancelled["event"], cancelled["id"]) == ("end", "cancelled-5-0")
        assert cancelled["data"]["state"] == "cancelled"
        client.post(f"/sweeps/{sweep_id}/resume")
        hands.work(sweep_id)
        (completed,) = events(client, f"/sweeps/{sweep_id}/events", last)
        assert (completed["event"], completed["id"]) == ("end", "completed-20-0")


def test_events_of_a_paused_sweep_wait_and_go_on_when_it_is_resumed(address: str, hands: Hands) -> None:
    with httpx2.Client(base_url=address, timeout=60) as client:
        sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
        client.post(f"/sweeps/{sweep_id}/pause")
        heard = events(client, f"/sweeps/{sweep_id}/events")
        paused = next(heard)
        assert (paused["event"], paused["data"]["state"]) == ("progress", "paused")
        client.post(f"/sweeps/{sweep_id}/resume")
        assert next(heard)["data"]["state"] == "queued"
        reconnected = events(client, f"/sweeps/{sweep_id}/events", paused["id"])
        assert next(reconnected)["data"]["state"] == "queued"
        hands.work(sweep_id)
        assert [event["event"] for event in heard][-1] == "end"
        assert [event["event"] for event in reconnected][-1] == "end"


def test_events_of_a_sweep_that_is_deleted_meanwhile_stop(address: str) -> None:
    with httpx2.Client(base_url=address, timeout=60) as client:
        sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
        heard = events(client, f"/sweeps/{sweep_id}/events")
        next(heard)
        client.delete(f"/sweeps/{sweep_id}")
        assert list(heard) == []
        assert client.get(f"/sweeps/{sweep_id}/events").status_code == 404


def test_partial_results_can_be_used_at_once(client: TestClient, hands: Hands) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
    hands.split(sweep_id, 5)
    hands.work(sweep_id, chunks=1)
    path = f"/sweeps/{sweep_id}"
    assert len(client.get(f"{path}/trials").json()["trials"]) == 5
    counts = client.get(f"{path}/heatmap?x=min_funding_rate&y=perp_leverage").json()["counts"]
    assert sum(map(sum, counts)) == 5
    assert len(client.get(f"{path}/export").text.splitlines()) == 6


def test_readiness_counts_who_is_alive(client: TestClient, hands: Hands) -> None:
    with write_transaction(hands.engine) as connection:
        beat(connection, Component.WORKER, "one", slots=2)
        beat(connection, Component.WORKER, "two", slots=3)
        beat(connection, Component.DISPATCHER, "only")
    found = client.get("/readyz").json()
    assert found["processes"] == {"dispatcher": 1, "worker": 2}
    assert found["slots"] == 5
    assert (found["components"]["worker"], found["components"]["dispatcher"]) == ("ok", "ok")
