"""Borrow rates, brackets, fees and lives over HTTP: imported, listed, replaced, deleted, or refused."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from webservice import Hands

from bot.timestamps import parse_time_ms
from sweeps.jobs.job_runner import JobRunner

DAY, NEXT = parse_time_ms("2024-01-01"), parse_time_ms("2024-01-02")
BORROW = "timestamp_ms,hourly_rate,max_quantity\n{},{},\n"
BRACKETS = [{"from_ms": 0, "brackets": [{"cap": "50000", "mmr": "0.004"}, {"cap": None, "mmr": "0.005"}]}]
FEE = {
    "from_ms": 0,
    "market": "linear",
    "tier": "VIP0",
    "min_volume": "0",
    "maker": "0.0002",
    "taker": "0.0005",
}
FILES = {
    "NEWUSDT-borrow.csv": BORROW.format(DAY, "0.00001"),
    "NEWUSDT-brackets.json": json.dumps(BRACKETS),
    "NEWUSDT-life.json": json.dumps([{"from_ms": DAY}]),
    "fees.json": json.dumps({"rows": [FEE]}),
}


def imported(client: TestClient, hands: Hands, name: str, text: str, **query: Any) -> dict[str, Any]:
    """Return the job that has imported a file, or has failed to."""
    response = client.post(
        "/data/imports",
        params={"exchange": "acme", "name": name, **query},
        content=text.encode(),
        headers={"Content-Type": "application/octet-stream"},
    )
    assert response.status_code == 202, response.text
    JobRunner(hands.engine).run(response.json()["id"])
    document: dict[str, Any] = client.get(response.headers["location"]).json()
    return document


def held(client: TestClient) -> dict[str, int]:
    """Return the number of rows of each kind that the exchange `acme` has."""
    listed = client.get("/data/coverage").json()["exchanges"]
    found = [one for one in listed if one["exchange"] == "acme"]
    records = [row for one in found for row in one["records"]]
    records += [row for one in found for symbol in one["symbols"] for row in symbol["records"]]
    return {row["kind"]: row["rows"] for row in records}


def test_each_kind_is_imported_listed_replaced_and_deleted(client: TestClient, hands: Hands) -> None:
    for name, text in FILES.items():
        assert imported(client, hands, name, text)["result"]["new"] == 1
    assert held(client) == {"borrow": 1, "brackets": 1, "life": 1, "fees": 1}
    other = BORROW.format(DAY, "0.00002")
    refused = imported(client, hands, "NEWUSDT-borrow.csv", other)
    assert refused["state"] == "failed"
    assert f"hourly_rate 0.00002 of timestamp_ms {DAY} contradicts 0.00001" in refused["error"]["detail"]
    assert imported(client, hands, "NEWUSDT-borrow.csv", other, replace=True)["result"]["replaced"] == 1
    for number, kind in enumerate(("borrow", "brackets", "life", "fees"), 1):
        asked = {"exchange": "acme", "series": kind}
        assert client.delete("/data/rows", params=asked | {"dry_run": True}).json()["rows"] == 1
        assert client.delete("/data/rows", params=asked).json()["deleted"] is True
        assert len(held(client)) == 4 - number


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "NEWUSDT-brackets.json",
            json.dumps(
                [{"from_ms": 0, "brackets": [{"cap": "9", "mmr": "0.1"}, {"cap": "8", "mmr": "0.2"}]}]
            ),
            "row 1: brackets[1].cap 8 is not above 9 of the bracket before",
        ),
        (
            "NEWUSDT-life.json",
            json.dumps([{"from_ms": 0, "to_ms": DAY}, {"from_ms": NEXT, "carried": True}]),
            f"row 2: from_ms {NEXT} leaves a gap after to_ms {DAY}, but carried is true",
        ),
        (
            "NEWUSDT-life.json",
            json.dumps([{"from_ms": 0, "to_ms": NEXT}, {"from_ms": DAY}]),
            f"row 2: from_ms {DAY} overlaps the epoch before, which ends at to_ms {NEXT}",
        ),
        (
            "NEWUSDT-borrow.csv",
            BORROW.format(DAY, "-1"),
            'line 2: hourly_rate "-1" is not at least 0 and below 1',
        ),
        ("fees.json", json.dumps({"rows": [FEE | {"taker": "-1"}]}), 'row 1: taker "-1" is not at least 0'),
    ],
)
def test_bad_file_is_refused_with_one_error_and_nothing_of_it_is_stored(
    client: TestClient, hands: Hands, name: str, text: str, said: str
) -> None:
    job = imported(client, hands, name, text)
    assert job["state"] == "failed"
    assert job["error"]["detail"].startswith(f"{name}: {said}")
    assert held(client) == {}
