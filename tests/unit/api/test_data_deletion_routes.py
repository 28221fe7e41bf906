"""Rows of market data deleted over HTTP: told before, gone after, refused by name, and never by readers."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from webservice import Hands, sweep_body

from bot.market_store.database import write_transaction
from sweeps.storage.access.scopes import Scope
from sweeps.storage.access.tokens import create_token

BTC = "BTC/USDT:USDT"
DAY = {"exchange": "synthetic", "symbol": BTC, "series": "perp-1h", "from": "2024-02-01", "to": "2024-02-02"}
GONE = {
    "symbol": BTC,
    "kind": "perp",
    "timeframe_ms": 3_600_000,
    "rows": 24,
    "first_ms": 1_706_745_600_000,
    "last_ms": 1_706_828_400_000,
}


def perp_rows(client: TestClient) -> int:
    (exchange,) = client.get("/data/coverage").json()["exchanges"]
    btc = next(one for one in exchange["symbols"] if one["symbol"] == BTC)
    return int(next(one["rows"] for one in btc["series"] if one["kind"] == "perp"))


def test_rows_are_told_first_and_then_deleted(client: TestClient) -> None:
    before = perp_rows(client)
    told = client.delete("/data/rows", params={**DAY, "dry_run": True})
    assert told.status_code == 200
    report: dict[str, Any] = {"exchange": "synthetic", "series": [GONE], "rows": 24, "reinferred": 0}
    assert told.json() == {**report, "deleted": False}
    assert perp_rows(client) == before
    assert client.delete("/data/rows", params=DAY).json() == {**report, "deleted": True}
    assert perp_rows(client) == before - 24
    again = client.delete("/data/rows", params=DAY).json()
    assert again == {**report, "series": [], "rows": 0, "deleted": False}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"exchange": "kraken"}, "exchange"),
        ({"symbol": "NO"}, "symbol"),
        ({"series": "candles"}, "series"),
        ({"series": "perp-7h"}, "series"),
        ({"series": "funding-8h"}, "series"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2024-02-30"}, "to"),
        ({"to": "2024-01-31"}, "to"),
        ({"dry_run": "perhaps"}, "dry_run"),
    ],
)
def test_refused_deletion_names_the_field(client: TestClient, changes: dict[str, str], field: str) -> None:
    before = perp_rows(client)
    response = client.delete("/data/rows", params={**DAY, **changes})
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
    assert response.json()["errors"][0]["field"] == field
    assert perp_rows(client) == before


def test_the_data_set_must_be_named(client: TestClient) -> None:
    response = client.delete("/data/rows")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "exchange")


def test_a_token_that_only_reads_deletes_nothing(make_client: Any, hands: Hands) -> None:
    client = make_client(api_token=SecretStr("all of it"))
    with write_transaction(hands.engine) as connection:
        token = create_token(connection, "guest", Scope.READ)
    guest, owner = ({"Authorization": f"Bearer {one}"} for one in (token, "all of it"))
    assert client.delete("/data/rows", params=DAY, headers=guest).status_code == 403
    assert client.delete("/data/rows", params=DAY).status_code == 401
    assert client.delete("/data/rows", params=DAY, headers=owner).json()["rows"] == 24


def test_a_sweep_says_that_its_data_are_no_longer_held(client: TestClient, hands: Hands) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
    hands.work(sweep_id)
    assert client.get(f"/sweeps/{sweep_id}").json()["data_changed"] is False
    assert "data changed" not in client.get("/", headers={"Accept": "text/html"}).text
    client.delete("/data/rows", params=DAY)
    shown = client.get(f"/sweeps/{sweep_id}").json()
    (listed,) = client.get("/sweeps").json()["sweeps"]
    assert (shown["state"], shown["data_changed"], listed["data_changed"]) == ("completed", True, True)
    reason = shown["data_change"]
    assert reason.startswith("the market data that it was submitted on are no longer held: 24 perp candles")
    assert client.get(f"/sweeps/{sweep_id}/export/manifest").json()["data_changed"] == reason
    page = client.get(f"/dashboard/sweeps/{sweep_id}", headers={"Accept": "text/html"}).text
    assert reason in page
    assert "data changed" in client.get("/", headers={"Accept": "text/html"}).text
