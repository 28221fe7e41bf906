"""Backtests of hedges over HTTP: admitted where their data are held, else refused by name, nothing stored."""

from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sweeping import copy_exchange
from webservice import Hands, with_second_exchange

from bot.market_store.deleting import Selection
from bot.market_store.store import HistoricalDataStore
from bot.notation import quoted
from sweeps.jobs.job_runner import JobRunner

LINEAR, INVERSE = "BTC/USDT:USDT", "BTC/USD:BTC"
BASE = {
    "exchange": "synthetic",
    "start": "2024-01-05",
    "end": "2024-01-20",
    "min_volume_24h": 0,
    "min_holding_periods": 10_000,
    "min_funding_rate": "-0.01",
    "exit_funding_rate": "-0.02",
    "margin_model": "brackets",
    "fee_model": "recorded",
}
RUNS: dict[str, dict[str, Any]] = {
    "spot_perp": {"symbols": [LINEAR]},
    "reverse": {"structure": "reverse", "symbols": [LINEAR]},
    "inverse": {"structure": "inverse", "symbols": [INVERSE]},
    "perp_perp": {"structure": "perp_perp", "symbols": [LINEAR], "short_exchange": "synthetic-2"},
    "full": {"structure": "perp_perp", "symbols": [f"{LINEAR}@synthetic<>{LINEAR}@synthetic-2"]},
    "usual": {"symbols": [LINEAR], "margin_model": "flat"},
}


@pytest.fixture(scope="module")
def market_template(market_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the markets with a month of a second exchange beside three of the first."""
    return with_second_exchange(market_template, tmp_path_factory.mktemp("exchanges"))


@pytest.fixture
def store(hands: Hands) -> HistoricalDataStore:
    return HistoricalDataStore(hands.engine)


def refused(client: TestClient, body: dict[str, Any]) -> dict[str, str]:
    """Return the only error of a run that is refused, validated and submitted alike; no job is stored."""
    first, second = (client.post(path, json=body) for path in ("/backtests/validate", "/backtests"))
    assert (first.status_code, second.status_code) == (422, 422), second.text
    assert first.json()["errors"] == second.json()["errors"]
    assert client.get("/backtests/1").status_code == 404
    [error] = second.json()["errors"]
    found: dict[str, str] = error
    return found


@pytest.mark.parametrize("structure", RUNS)
def test_backtest_of_each_structure_is_admitted_and_replayed(
    client: TestClient, hands: Hands, store: HistoricalDataStore, structure: str
) -> None:
    body = BASE | RUNS[structure]
    assert client.post("/backtests/validate", json=body).json()["trials"] == 1
    job = client.post("/backtests", json=body).json()
    JobRunner(hands.engine).run(job["id"])
    found = client.get(f"/backtests/{job['id']}").json()
    assert found["state"] == "completed", found
    # At these borrow rates the reverse hedge has no carry to enter for.
    assert found["result"]["metrics"]["total_trades"] == (0 if structure == "reverse" else 1)
    exchanges = "synthetic, synthetic-2" if structure in ("perp_perp", "full") else "synthetic"
    page = unescape(client.get(f"/dashboard/backtests/{job['id']}").text)
    assert f"{', '.join(body['symbols'])} on {exchanges} · 2024-01-05" in page
    assert "<dt>Taker fees</dt><dd>as recorded</dd>" in page


@pytest.mark.parametrize(
    "markets",
    [
        {"symbols": [f"{LINEAR}@synthetic-2<>{LINEAR}@synthetic"]},
        {"symbols": [LINEAR], "long_exchange": "synthetic-2", "short_exchange": "synthetic"},
    ],
)
def test_exchange_is_that_of_the_first_leg_where_every_leg_names_its_own(
    client: TestClient, hands: Hands, store: HistoricalDataStore, markets: dict[str, Any]
) -> None:
    copy_exchange(hands.engine, "bybit")
    body = BASE | {"structure": "perp_perp", "end": "2024-01-06"} | markets
    del body["exchange"]
    job = client.post("/backtests", json=body).json()
    JobRunner(hands.engine).run(job["id"])
    found = client.get(f"/backtests/{job['id']}").json()["result"]["config"]
    assert found["exchange"] == "synthetic-2"
    sent = client.post("/sweeps/validate", json={"name": "one", "base": body, "grid": {}}).json()
    assert sent["spec"]["base"]["exchange"] == "synthetic-2"


def test_exchange_is_asked_for_where_a_leg_names_none_and_several_are_held(
    client: TestClient, hands: Hands, store: HistoricalDataStore
) -> None:
    copy_exchange(hands.engine, "bybit")
    body = BASE | {"structure": "perp_perp", "symbols": [f"{LINEAR}@bybit<>{LINEAR}"]}
    del body["exchange"]
    assert refused(client, body) == {
        "field": "exchange",
        "message": "none is named; held are bybit, synthetic, synthetic-2",
    }


def test_page_of_a_trial_of_no_hedge_tells_the_exchanges_of_its_own_setting(
    client: TestClient, store: HistoricalDataStore
) -> None:
    exchanges = ["synthetic", "synthetic-2"]
    body = {
        "name": "exchanges",
        "base": BASE | {"structure": "perp_perp", "symbols": [LINEAR]},
        "grid": {"long_exchange": exchanges, "short_exchange": exchanges},
    }
    assert client.post("/sweeps", json=body).status_code == 202
    told = ["synthetic", "synthetic, synthetic-2", "synthetic-2, synthetic", "synthetic-2"]
    for number, names in enumerate(told):
        page = client.get(f"/dashboard/sweeps/1/trials/{number}").text
        assert f"{LINEAR} on {names} · 2024-01-05" in page


def test_inverse_names_crossed_with_structures_are_refused_with_the_way_out_which_works(
    client: TestClient, store: HistoricalDataStore
) -> None:
    grid = {"symbols": [[LINEAR], [INVERSE]], "structure": ["spot_perp", "inverse"]}
    body: dict[str, Any] = {"name": "structures", "base": BASE | {"margin_model": "flat"}, "grid": grid}
    [error] = client.post("/sweeps/validate", json=body).json()["errors"]
    assert error == {
        "field": "grid.symbols.values[1]",
        "message": f"{quoted(INVERSE)} is an inverse market, which structure inverse is for, not spot_perp; "
        'values of the two axes go together under "linked": [["symbols", "structure"]]',
    }
    body["linked"] = [["symbols", "structure"]]
    assert client.post("/sweeps/validate", json=body).json()["trials"] == 2


def test_name_in_lower_case_is_refused_with_the_name_in_upper_case(
    client: TestClient, store: HistoricalDataStore
) -> None:
    symbols = [f"btc/usdt:usdt@synthetic-2>{LINEAR.lower()}@synthetic"]
    error = refused(client, BASE | {"structure": "perp_perp", "symbols": symbols, "margin_model": "flat"})
    assert error["message"].startswith(
        "btc/usdt:usdt@synthetic-2: nothing of it is held (names are in upper case: BTC/USDT:USDT) in"
    )


@pytest.mark.parametrize(
    ("fees", "told"),
    [
        ({}, "perp 0.055 %"),
        ({"short_taker": "0.0002"}, "long perp 0.055 %, short perp 0.02 %"),
        ({"long_taker": 0, "fee_model": "recorded"}, "long perp 0 %, short perp as recorded"),
    ],
)
def test_page_of_two_perps_tells_the_fees_of_its_own_legs(
    client: TestClient, hands: Hands, store: HistoricalDataStore, fees: dict[str, Any], told: str
) -> None:
    body = BASE | RUNS["perp_perp"] | {"fee_model": "flat", "end": "2024-01-06"} | fees
    job = client.post("/backtests", json=body).json()
    JobRunner(hands.engine).run(job["id"])
    page = unescape(client.get(f"/dashboard/backtests/{job['id']}").text)
    assert f"<dt>Taker fees</dt><dd>{told}</dd>" in page


@pytest.mark.parametrize(
    ("structure", "series", "symbol", "exchange", "field", "named"),
    [
        ("reverse", "borrow", LINEAR, "synthetic", "borrow_rate_hourly", "BTC/USDT: no borrow rate is"),
        ("spot_perp", "brackets", LINEAR, "synthetic", "margin_model", f"{LINEAR}: no margin brackets are"),
        ("inverse", "brackets", INVERSE, "synthetic", "margin_model", f"{INVERSE}: no margin brackets are"),
        ("perp_perp", "brackets", LINEAR, "synthetic-2", "margin_model", f"{LINEAR}@synthetic-2: no margin"),
        ("perp_perp", "fees", None, "synthetic-2", "fee_model", f"{LINEAR}@synthetic-2: no fee schedule of"),
        ("usual", "fees", None, "synthetic", "fee_model", "BTC/USDT: no fee schedule of synthetic is"),
        ("perp_perp", "funding", LINEAR, "synthetic-2", "symbols", f"{LINEAR}@synthetic-2: only 0 of"),
        ("full", "perp", LINEAR, "synthetic-2", "symbols", f"{LINEAR}@synthetic-2: no perp candles are"),
        ("inverse", "spot", LINEAR, "synthetic", "symbols", "BTC/USDT: no spot candles are"),
        ("reverse", "spot", LINEAR, "synthetic", "symbols", f"{LINEAR}: no spot candles are"),
    ],
)
def test_backtest_is_refused_by_the_name_of_the_series_that_is_not_held(
    client: TestClient,
    store: HistoricalDataStore,
    structure: str,
    series: str,
    symbol: str | None,
    exchange: str,
    field: str,
    named: str,
) -> None:
    store.remove(Selection.parse(exchange=exchange, symbol=symbol, series=series))
    error = refused(client, BASE | RUNS[structure])
    assert error["field"] == field
    assert error["message"].startswith(named)
    assert "in the range asked, 2024-01-05T00:00:00Z to 2024-01-20T00:00:00Z" in error["message"]


def test_contract_that_does_not_live_in_the_window_is_refused_by_name(
    client: TestClient, store: HistoricalDataStore
) -> None:
    # The generated DOGE perp of the second exchange ends on 2024-01-24.
    body = (
        BASE | RUNS["perp_perp"] | {"symbols": ["DOGE/USDT:USDT"], "start": "2024-01-25", "end": "2024-01-31"}
    )
    error = refused(client, body)
    assert error["field"] == "symbols"
    assert error["message"].startswith(
        "DOGE/USDT:USDT@synthetic-2: no contract of it lives in the range asked"
    )


@pytest.mark.parametrize(
    ("changes", "field", "named"),
    [
        ({"structure": "spread"}, "structure", '"spread"'),
        ({"structure": "inverse"}, "symbols", f'"{LINEAR}": a linear perpetual'),
        ({"structure": "perp_perp"}, "symbols", f'"{LINEAR}": one market on one exchange'),
        ({"symbols": [INVERSE]}, "symbols", f'"{INVERSE}"'),
        ({"symbols": ["BTC/USDT>ETH/USDT:USDT"]}, "symbols", '"BTC/USDT>ETH/USDT:USDT": its legs are of two'),
        ({"symbols": [f"{LINEAR}>BTC/USDT"]}, "symbols", f'"{LINEAR}>BTC/USDT"'),
        (
            {"symbols": [f"{LINEAR}@synthetic"]},
            "symbols",
            f'"{LINEAR}@synthetic": a short name has no exchange',
        ),
        ({**RUNS["perp_perp"], "short_exchange": "nowhere"}, "short_exchange", '"nowhere" is not held'),
        (
            {**RUNS["perp_perp"], "capital_shares": {"synthetic": "0.5", "synthetic-2": "0.4"}},
            "capital_shares",
            '{"synthetic": "0.5", "synthetic-2": "0.4"} sums to 0.9, not to 1',
        ),
        (
            {"margin_policy": "top_up", "margin_trigger": "0.9"},
            "margin_trigger",
            "0.9 is not below margin_exit_ratio 0.8",
        ),
        (
            {"instrument": {"brackets": [{"cap": "9", "mmr": "0.1"}, {"cap": "8", "mmr": "0.2"}]}},
            "instrument.brackets[1].cap",
            "8 is not above 9",
        ),
    ],
)
def test_bad_hedges_are_refused_with_one_error_that_names_field_and_value(
    client: TestClient, store: HistoricalDataStore, changes: dict[str, Any], field: str, named: str
) -> None:
    error = refused(client, BASE | {"symbols": [LINEAR]} | changes)
    assert error["field"].removesuffix("[0]") == field
    assert error["message"].startswith(named)


@pytest.mark.parametrize(
    ("base", "grid", "path", "named"),
    [
        ({}, {"structure": ["reverse", "spread"]}, "structure.values[1]", '"spread"'),
        ({}, {"structure": ["reverse", "inverse"]}, "structure.values[1]", f'symbols: "{LINEAR}": a linear'),
        (
            {},
            {"symbols": [LINEAR, "BTC/USDT>ETH/USDT:USDT"]},
            "symbols.values[1]",
            '"BTC/USDT>ETH/USDT:USDT"',
        ),
        (
            RUNS["perp_perp"],
            {"capital_shares": [None, {"synthetic": "0.5", "synthetic-2": "0.4"}]},
            "capital_shares.values[1]",
            '{"synthetic": "0.5", "synthetic-2": "0.4"} sums to 0.9',
        ),
        (
            RUNS["perp_perp"],
            {"capital_shares": [None, {"synthetic": "1"}]},
            "capital_shares.values[1]",
            '{"synthetic": "1"} has no share for "synthetic-2"',
        ),
        (
            {"margin_policy": "top_up"},
            {"margin_trigger": ["0.5", "0.9"]},
            "margin_trigger.values[1]",
            "0.9 is not below margin_exit_ratio 0.8",
        ),
        (
            {"structure": "perp_perp"},
            {"short_exchange": ["synthetic-2", "nowhere"]},
            "short_exchange.values[1]",
            '"nowhere" is not held',
        ),
        (
            {"end_dead_markets": True, "margin_model": "flat", "fee_model": "flat"},
            {"impact_bps": [0, 5]},
            "impact_bps.values[1]",
            "end_dead_markets: true is read by runs of spot against a perp alone",
        ),
    ],
)
def test_value_of_an_axis_under_which_no_trial_is_a_hedge_is_refused_with_the_sweep(
    client: TestClient,
    store: HistoricalDataStore,
    base: dict[str, Any],
    grid: dict[str, Any],
    path: str,
    named: str,
) -> None:
    fixed = {name: value for name, value in (BASE | {"symbols": [LINEAR]} | base).items() if name not in grid}
    body = {"base": fixed, "grid": grid}
    response = client.post("/sweeps", json=body)
    assert response.status_code == 422, response.text
    [error] = response.json()["errors"]
    assert error["field"] == f"grid.{path}"
    assert error["message"].startswith(named)
    assert client.get("/sweeps").json()["sweeps"] == []


def test_value_that_works_beside_some_others_stays_in_the_sweep(
    client: TestClient, store: HistoricalDataStore
) -> None:
    fixed = {name: value for name, value in BASE.items() if name not in {"margin_model", "fee_model"}}
    grid = {"structure": ["reverse", "perp_perp"], "symbols": [LINEAR, RUNS["full"]["symbols"][0]]}
    response = client.post("/sweeps", json={"base": fixed, "grid": grid})
    assert response.json()["trials_total"] == 4, response.text
