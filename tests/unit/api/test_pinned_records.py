"""Sweeps whose borrow rates, brackets, fees or lives are changed after they were submitted: they say so."""

from collections.abc import Sequence
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sweeping import BASE
from webservice import Hands, sweep_body

from bot.market.records.contract_life import Epoch
from bot.market.records.kinds import RecordKey, RecordKind
from bot.market_store.database import write_transaction
from bot.market_store.deleting import Selection
from bot.market_store.records import merge_records
from bot.market_store.store import HistoricalDataStore
from bot.timestamps import parse_time_ms

LINEAR = "BTC/USDT:USDT"
SPECS: dict[RecordKind, dict[str, Any]] = {
    RecordKind.BORROW: {"structure": "reverse"},
    RecordKind.BRACKETS: {"margin_model": "brackets"},
    RecordKind.LIFE: {"impact_bps": 1},
    RecordKind.FEES: {"fee_model": "recorded"},
}


def key_of(kind: RecordKind) -> RecordKey:
    return RecordKey("synthetic", "" if kind is RecordKind.FEES else LINEAR, kind)


def changed_rows(kind: RecordKind, rows: Sequence[Any]) -> list[Any]:
    """Return the first row with another value: what a corrected file would bring."""
    first = rows[0]
    if kind is RecordKind.BORROW:
        return [first._replace(hourly_rate=first.hourly_rate * 2)]
    if kind is RecordKind.BRACKETS:
        doubled = first.brackets[0]._replace(mmr=first.brackets[0].mmr / 2)
        return [first._replace(brackets=type(first.brackets)([doubled, *first.brackets[1:]]))]
    if kind is RecordKind.LIFE:
        return [Epoch("perp", first.from_ms, parse_time_ms("2024-03-01"))]
    return [first._replace(taker=first.taker * 2)]


def replace_rows(store: HistoricalDataStore, key: RecordKey, rows: Sequence[Any]) -> None:
    """Store rows in the place of those that they contradict."""
    with write_transaction(store.engine) as connection:
        merge_records(connection, key, rows, "corrected", synthetic=True, replace_held=True)


@pytest.fixture
def store(hands: Hands) -> HistoricalDataStore:
    return HistoricalDataStore(hands.engine)


@pytest.mark.parametrize("kind", SPECS)
@pytest.mark.parametrize("way", ["replaced", "deleted"])
def test_sweep_says_that_rows_it_reads_were_changed_until_they_are_back(
    client: TestClient, store: HistoricalDataStore, kind: RecordKind, way: str
) -> None:
    base = {name: value for name, value in BASE.items() if name not in SPECS[kind]} | SPECS[kind]
    body = sweep_body(base=base, grid={"perp_leverage": [1, 2]})
    sweep_id = client.post("/sweeps", json=body).json()["id"]
    key = key_of(kind)
    before = store.records(key)
    assert client.get(f"/sweeps/{sweep_id}").json()["data_changed"] is False
    if way == "deleted":
        store.remove(Selection.parse(exchange="synthetic", symbol=key.symbol or None, series=kind.value))
    else:
        replace_rows(store, key, changed_rows(kind, before))
    found = client.get(f"/sweeps/{sweep_id}").json()
    assert found["data_changed"] is True
    replace_rows(store, key, before)
    assert client.get(f"/sweeps/{sweep_id}").json()["data_changed"] is False


@pytest.mark.parametrize("kind", SPECS)
def test_sweep_under_way_ends_with_the_reason_once_rows_it_reads_are_replaced(
    client: TestClient, hands: Hands, store: HistoricalDataStore, kind: RecordKind
) -> None:
    body = sweep_body(base={**BASE, **SPECS[kind]}, grid={"perp_leverage": [1, 2]})
    sweep_id = client.post("/sweeps", json=body).json()["id"]
    key = key_of(kind)
    replace_rows(store, key, changed_rows(kind, store.records(key)))
    hands.work(sweep_id)
    found = client.get(f"/sweeps/{sweep_id}").json()
    assert (found["state"], found["trials_done"]) == ("cancelled", 0)
    assert "the market data it reads were changed after it was submitted" in found["reason"]
