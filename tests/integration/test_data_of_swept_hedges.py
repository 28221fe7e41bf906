"""Market data that sweeps of hedges read, on every exchange: refused where not held, pinned, sealed, seen."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sweeping import BASE, copy_exchange
from webservice import Hands, sweep_body

from bot.hedges.runs import load_window, replay_run
from bot.market_store.database import write_transaction
from bot.market_store.deleting import Selection
from bot.market_store.store import HistoricalDataStore
from bot.numbers.money import plain
from bot.timestamps import parse_time_ms
from sweeps.analysis.progress import get_spec
from sweeps.lifecycle.looks import all_looks
from sweeps.lifecycle.run_looks import LookKind
from sweeps.lifecycle.seals import set_seal
from sweeps.work.holdout import look_at_holdout

ETH = "ETH/USDC:USDC@other>ETH/USDT:USDT"
BARE = {"short_exchange": "bare", "symbols": ["ETH/USDC:USDC>ETH/USDT:USDT"]}


def body(base: dict[str, Any], grid: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Return a sweep of hedges of two perps on two exchanges."""
    grid = grid or {"perp_leverage": [1, 2]}
    hedges = {**BASE, "structure": "perp_perp", "symbols": [ETH], "min_funding_rate": "-1", **base}
    shared = {name: value for name, value in hedges.items() if name not in grid}
    return sweep_body(base=shared, grid=grid, reuse=False, **changes)


@pytest.fixture
def other(hands: Hands) -> Hands:
    """Hold the generated markets on two more exchanges, on `bare` without recorded rows."""
    copy_exchange(hands.engine, "other")
    copy_exchange(hands.engine, "bare", with_records=False)
    return hands


def worked(client: TestClient, hands: Hands) -> int:
    """Submit a sweep, replay and judge it, and return its id."""
    answer = client.post("/sweeps", json=body({}))
    assert answer.status_code == 202, answer.text
    sweep_id: int = answer.json()["id"]
    hands.work(sweep_id)
    return sweep_id


@pytest.mark.parametrize(
    ("base", "grid", "field", "words"),
    [
        (
            {"symbols": ["ETH/USDC:USDC@kraken>ETH/USDT:USDT"]},
            None,
            "base.symbols",
            "ETH/USDC:USDC@kraken: nothing of it is held in the range asked, 2024-01-10T00:00:00Z to 2024",
        ),
        (
            {},
            {"symbols": [ETH, "DOT/USDC:USDC@other>DOT/USDT:USDT"]},
            "grid.symbols.values[1]",
            "DOT/USDC:USDC@other: nothing of it is held",
        ),
        (
            {"symbols": ["ETH/USDC:USDC>ETH/USDT:USDT"]},
            {"short_exchange": ["other", "kraken"]},
            "grid.short_exchange.values[1]",
            '"kraken" is not held; held are bare, other, synthetic',
        ),
        (
            {"end": "2024-09-01"},
            None,
            "base.symbols",
            "ETH/USDC:USDC@other: ",
        ),
        (
            {"structure": "reverse", "symbols": ["BTC/USDT:USDT"], "short_exchange": "bare"},
            {"borrow_rate_hourly": ["0.00001", None]},
            "grid.borrow_rate_hourly.values[1]",
            "BTC/USDT@bare: no borrow rate is recorded",
        ),
        (
            BARE,
            {"margin_model": ["flat", "brackets"]},
            "grid.margin_model.values[1]",
            "ETH/USDT:USDT@bare: no margin brackets are recorded",
        ),
        (
            BARE,
            {"fee_model": ["flat", "recorded"]},
            "grid.fee_model.values[1]",
            "no fee schedule of bare is recorded",
        ),
    ],
)
def test_hedges_that_are_not_held_are_refused_by_field_and_value(
    client: TestClient,
    other: Hands,
    base: dict[str, Any],
    grid: dict[str, Any] | None,
    field: str,
    words: str,
) -> None:
    for path in ("/sweeps", "/sweeps/validate"):
        answer = client.post(path, json=body(base, grid))
        assert answer.status_code == 422, answer.text
        (error, *_) = answer.json()["errors"]
        assert error["field"] == field
        assert words in error["message"]
    assert client.get("/sweeps").json()["sweeps"] == []


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        (
            {"symbol": "ETH/USDC:USDC", "series": "funding", "from_": "2024-03-28"},
            "settlements of ETH/USDC:USDC",
        ),
        ({"symbol": "ETH/USDC:USDC", "series": "borrow"}, "borrow rates of ETH/USDC:USDC"),
        ({"symbol": "BTC/USDT:USDT"}, None),
    ],
)
def test_rows_of_the_other_exchange_that_are_deleted_are_told_and_end_the_sweep(
    client: TestClient, other: Hands, gone: dict[str, str], told: str | None
) -> None:
    sweep_id = worked(client, other)
    HistoricalDataStore(other.engine).remove(Selection.parse(exchange="other", **gone))
    changed = client.get(f"/sweeps/{sweep_id}").json()["data_change"]
    extended = client.patch(f"/sweeps/{sweep_id}", json={"add_values": {"perp_leverage": [3]}})
    if told is None:
        assert changed is None
        assert extended.status_code == 200, extended.text
    else:
        assert told in changed
        assert extended.status_code == 409, extended.text


def test_seal_of_any_exchange_is_kept_and_every_exchange_was_looked_at(
    client: TestClient, other: Hands
) -> None:
    sweep_id = worked(client, other)
    with other.engine.connect() as connection:
        looks = [(view.seen.exchange, *view.seen.symbols, view.seen.runs) for view in all_looks(connection)]
    assert looks == [("other", "ETH/USDC:USDC", 2), ("synthetic", "ETH/USDT:USDT", 2)]
    with write_transaction(other.engine) as connection:
        set_seal(connection, "other", "2024-03-01", insist=True)
    refused = client.post("/sweeps", json=body({}))
    assert refused.status_code == 409, refused.text
    assert refused.json()["errors"][0]["field"] == "base.end"
    assert "other is closed from 2024-03-01 on" in refused.json()["errors"][0]["message"]
    assert client.get(f"/sweeps/{sweep_id}/trials/0/trades").status_code == 409


def test_trial_looks_at_the_sealed_days_of_its_other_exchange_up_to_the_seal_of_its_own(
    client: TestClient, other: Hands
) -> None:
    with write_transaction(other.engine) as connection:
        sealed = set_seal(connection, "other", "2024-03-01")
        set_seal(connection, "synthetic", "2024-03-20")
    answer = client.post("/sweeps", json=body({"end": "2024-02-25", "exit_funding_rate": "-1"}))
    assert answer.status_code == 202, answer.text
    sweep_id: int = answer.json()["id"]
    other.work(sweep_id)
    refused = client.post(f"/sweeps/{sweep_id}/trials/0/promote", json={})
    assert refused.status_code == 409, refused.text
    assert "is not validated, and synthetic is sealed" in refused.json()["detail"]
    store = HistoricalDataStore(other.engine)
    look = look_at_holdout(store, sealed.id, sweep_id, 0)
    assert (look.label, look.result["from"], look.result["until"]) == (
        "first",
        "2024-03-01",
        "2024-03-19T23:59:59.999Z",
    )
    assert look.result["days"] == {"earlier": 51, "later": 19}
    with other.engine.connect() as connection:
        config = get_spec(connection, sweep_id).config(0).varied({"end": parse_time_ms("2024-03-20") - 1})
        seen = {view.seen.exchange for view in all_looks(connection) if view.kind is LookKind.HOLDOUT}
    assert seen == {"other", "synthetic"}
    equity = dict(replay_run(config, load_window(config, store, beyond_seals=True)).equity)
    before = [amount for t_ms, amount in equity.items() if t_ms < sealed.from_ms][-1]
    assert look.result["net_pnl"] == plain(equity[max(equity)] - before)
