"""Sweeps whose trials are replayed as hedges: the numbers of single runs, beside trials of the kernel."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sweeping import BASE, copy_exchange, forget_columns, metrics_of_trials, sweep_spec, worked
from webservice import Hands, sweep_body

from bot.config.hedge_checks import needs_hedge_engine
from bot.hedges.runs import load_window, replay_run
from bot.kernel.unfit import Reason
from bot.market_store.store import HistoricalDataStore
from bot.numbers.money import plain
from bot.statistics.trial_metrics import OF_HEDGES
from sweeps.analysis.queries import one_trial, stored_trades
from sweeps.queue.rates import measured_rates
from sweeps.spec.spec import SweepSpec
from sweeps.storage.states import TrialState
from sweeps.work.replay import WindowCache
from sweeps.work.telemetry import telemetry
from sweeps.work.verifying import row_compatibility, verify_trials

_CELL = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>", re.DOTALL)
HTML = {"Accept": "text/html"}
TRADED = {"min_funding_rate": "0.00005", "exit_funding_rate": "0.00001"}


def assert_trials_are_single_runs(engine: sa.Engine, spec: SweepSpec) -> list[dict[str, Any]]:
    """Replay each trial by itself, compare metrics and trades, and return the documents."""
    return compared_with_single_runs(engine, spec, worked(engine, spec))


def compared_with_single_runs(engine: sa.Engine, spec: SweepSpec, sweep_id: int) -> list[dict[str, Any]]:
    """Compare metrics and trades of each trial of a sweep with its single run, and return the documents."""
    store, documents, kept = HistoricalDataStore(engine), [], 0
    for number in range(spec.trial_count):
        config = spec.config(number)
        document = replay_run(config, load_window(config, store)).document()
        with engine.connect() as connection:
            trial = one_trial(connection, sweep_id, number)
            trades = stored_trades(connection, sweep_id, number)
        assert trial.state is TrialState.COMPLETED, trial.error
        assert trial.run_key == document["run_key"]
        assert trial.metrics is not None
        of_hedges = needs_hedge_engine(config)
        expected = metrics_of_trials(document["metrics"], of_hedges=of_hedges)
        assert of_hedges or not {*OF_HEDGES} & {*trial.metrics}
        for name, value in expected.items():
            stored = trial.metrics[name]
            assert (plain(stored) if isinstance(stored, Decimal) else stored) == value, name
        kept += trades is not None
        assert trades in (None, document["trades"])
        documents.append(document)
    assert kept, "the best keep their trades"
    return documents


def test_an_axis_of_market_impact_mixes_both_engines(engine: sa.Engine) -> None:
    spec = sweep_spec(base={**BASE, **TRADED}, grid={"impact_bps": [0, 20], "perp_leverage": [1, 3]})
    documents = assert_trials_are_single_runs(engine, spec)
    assert len({document["metrics"]["net_pnl"] for document in documents}) == 4
    with engine.connect() as connection:
        assert telemetry(connection).trials_left[Reason.HEDGES] == 2


def test_sweeps_of_hedges_are_timed_apart_from_those_of_the_kernel(engine: sa.Engine) -> None:
    hedges = sweep_spec(base={**BASE, **TRADED}, grid={"impact_bps": [10, 20]})
    worked(engine, hedges, size=1)  # the first chunk reads the window, the second is measured
    with engine.connect() as connection:
        rates = measured_rates(connection)
    usual = sweep_spec(base={**BASE, **TRADED}, grid={"perp_leverage": [1, 2]})
    assert (rates.measured(hedges), rates.measured(usual)) == (True, False)
    assert rates.trial_seconds(hedges) > 10 * rates.trial_seconds(usual)


@pytest.mark.parametrize("curves", ["all", "none"])
def test_trials_of_hedges_are_counted_as_such_together_and_alone(engine: sa.Engine, curves: str) -> None:
    worked(engine, sweep_spec(base={**BASE, **TRADED}, grid={"impact_bps": [10, 20]}, curves=curves))
    with engine.connect() as connection:
        assert telemetry(connection).trials_left[Reason.HEDGES] == 2


def test_policies_of_margin_are_an_axis(engine: sa.Engine) -> None:
    spec = sweep_spec(
        base={**BASE, **TRADED, "perp_leverage": 10, "margin_trigger": "0.05"},
        grid={"margin_policy": ["none", "top_up", "rebalance"], "fill_lag_candles": [0, 1]},
    )
    documents = assert_trials_are_single_runs(engine, spec)
    assert any(document["metrics"]["top_ups"] for document in documents)


def test_borrowed_spot_is_swept_at_recorded_rates(engine: sa.Engine) -> None:
    spec = sweep_spec(
        base={**BASE, "structure": "reverse", "min_funding_rate": "-0.01", "exit_funding_rate": "-0.02"},
        grid={"borrow_leverage": [1, 2], "perp_leverage": [1, 2]},
    )
    documents = assert_trials_are_single_runs(engine, spec)
    assert all(document["metrics"]["borrow_cost"] != "0" for document in documents)


def test_recorded_fees_are_swept_by_the_plain_replay(engine: sa.Engine) -> None:
    spec = sweep_spec(
        base={**BASE, **TRADED, "fee_model": "recorded"}, grid={"fee_base_volume": ["0", "50000000"]}
    )
    first, second = assert_trials_are_single_runs(engine, spec)
    assert first["metrics"]["total_fees"] != second["metrics"]["total_fees"]


def test_a_sweep_of_hedges_is_verified(engine: sa.Engine) -> None:
    spec = sweep_spec(base={**BASE, **TRADED}, grid={"impact_bps": [10, 20]})
    sweep_id = worked(engine, spec)
    with engine.connect() as connection:
        found = row_compatibility(connection, sweep_id)
    windows = WindowCache(HistoricalDataStore(engine))
    assert list(verify_trials(engine, found, range(2), windows)) == [(0, []), (1, [])]


def test_trade_whose_borrowed_leg_the_exchange_took_is_shown_with_its_costs(
    client: TestClient, hands: Hands
) -> None:
    base = {**BASE, "structure": "reverse", "min_funding_rate": "-0.01", "exit_funding_rate": "-0.02"}
    body = sweep_body(base=base, grid={"borrow_leverage": [20]}, curves="all")
    sweep_id = client.post("/sweeps", json=body).json()["id"]
    hands.work(sweep_id)
    (trade, *_) = client.get(f"/sweeps/{sweep_id}/trials/0/trades").json()["trades"]
    assert (trade["reason"], trade["spot_exit"]) == ("liquidation", None)
    assert Decimal(trade["borrow_cost"]) > 0
    page = client.get(f"/dashboard/sweeps/{sweep_id}/trials/0/trades", headers={"Accept": "text/html"})
    assert page.status_code == 200, page.text
    (heads, first, *_) = (re.findall(_CELL, row) for row in re.findall(r"<tr>.*?</tr>", page.text, re.DOTALL))
    cells = [re.sub(r"<[^>]+>", "", cell) for cell in first]
    shown = dict(zip(heads, cells, strict=True))
    assert (shown["Reason"], shown["Spot out"]) == ("liquidation", "none")
    assert shown["Interest"] == "0.04"


LOOSE = {"min_funding_rate": "0.00001", "exit_funding_rate": "-0.0001", "min_holding_periods": 500}
STRUCTURES = {
    "perp_perp of one name on two exchanges": (
        {
            "structure": "perp_perp",
            "long_exchange": "other",
            "symbols": ["BTC/USDT:USDT"],
            "order_style": "maker",
            "perp_maker": "-0.0001",
            "exit_funding_rate": "-1",
        },
        {"stress": [[], {"at": "2024-02-01", "adverse_bps": "30"}], "min_funding_rate": ["-1", "0.00001"]},
    ),
    "perp_perp by full names": (
        {"structure": "perp_perp", "perp_leverage": 3, "short_exchange": "other"},
        {
            "symbols": [
                ["ETH/USDC:USDC@other<>ETH/USDT:USDT", "BTC/USDT:USDT>BTC/USDT:USDT"],
                "ETH/USDC:USDC<>ETH/USDT:USDT",
            ],
            "wallet_trigger": [None, "0.02"],
        },
    ),
    "inverse": (
        {"structure": "inverse", "symbols": ["BTC/USD:BTC", "ETH/USD:ETH"]},
        {"perp_leverage": [2, 3], "max_simultaneous_positions": [1, 2]},
    ),
    "spot on one exchange against a perp on another": (
        {"symbols": ["BTC/USDT:USDT"], "short_exchange": "other"},
        {"capital_shares": [None, {"other": "0.3", "synthetic": "0.7"}], "perp_leverage": [1, 2]},
    ),
    "spot by full name, brackets": (
        {"symbols": ["ETH/USDT@other>ETH/USDC:USDC"], "perp_leverage": 20},
        {"margin_model": ["flat", "brackets"], "liquidation_fee": [None, "0.0125"]},
    ),
    "structures as an axis": (
        {"symbols": ["BTC/USDT:USDT"], "short_exchange": "other"},
        {
            "structure": ["spot_perp", "reverse", "perp_perp"],
            "borrow_leverage": {"values": [1, 2], "when": {"structure": ["reverse"]}},
        },
    ),
    "exchanges as an axis": (
        {"structure": "perp_perp", "symbols": ["ETH/USDC:USDC>ETH/USDT:USDT"]},
        {"short_exchange": ["other", "synthetic"], "transfer_fee": ["0", "1"]},
    ),
}


def submitted(client: TestClient, hands: Hands, body: dict[str, Any]) -> int:
    """Submit a sweep over HTTP, replay and judge it, and return its id."""
    answer = client.post("/sweeps", json=body)
    assert answer.status_code == 202, answer.text
    sweep_id: int = answer.json()["id"]
    hands.work(sweep_id)
    return sweep_id


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_structure_is_swept_as_single_runs_replay_it(
    client: TestClient, hands: Hands, name: str
) -> None:
    copy_exchange(hands.engine, "other")
    base, grid = STRUCTURES[name]
    base = {name: value for name, value in {**BASE, **LOOSE, **base}.items() if name not in grid}
    body = sweep_body(base=base, grid=grid, curves="all")
    planned = client.post("/sweeps/validate", json=body).json()
    sweep_id = submitted(client, hands, body)
    spec = SweepSpec.parse(body)
    assert planned["trials"] == spec.trial_count
    documents = compared_with_single_runs(hands.engine, spec, sweep_id)
    assert any(document["metrics"]["total_trades"] for document in documents)
    assert client.get(f"/sweeps/{sweep_id}").json()["state"] == "completed"


def test_metrics_of_hedges_sort_filter_map_and_leave_with_the_trials_that_have_them(
    client: TestClient, hands: Hands
) -> None:
    base = {**BASE, **TRADED, "perp_leverage": 3}
    body = sweep_body(
        base=base,
        grid={"impact_bps": [0, 10], "max_participation": [None, "0.0001"]},
        objective={"metric": "return_on_capital_tied"},
    )
    sweep_id = submitted(client, hands, body)
    trials = client.get(f"/sweeps/{sweep_id}/trials?sort=number").json()["trials"]
    assert {*OF_HEDGES}.isdisjoint(trials[0]["metrics"])  # spot against a perp at its defaults
    assert [trial["metrics"].get("capacity") is None for trial in trials] == [True, False, True, False]
    assert all({*OF_HEDGES} <= {*trial["metrics"]} for trial in trials[1:])
    best = client.get(f"/sweeps/{sweep_id}").json()["best_trial"]
    ranked = client.get(f"/sweeps/{sweep_id}/trials?sort=-return_on_capital_tied&max_margin_used=1..").json()
    assert ranked["trials"][0]["number"] == best["number"]
    assert {trial["number"] for trial in ranked["trials"]} == {1, 2, 3}
    drawn = client.get(f"/sweeps/{sweep_id}/heatmap?metric=capped_entries&x=impact_bps&y=max_participation")
    assert drawn.status_code == 200, drawn.text
    lines = client.get(f"/sweeps/{sweep_id}/export?format=jsonl").text.splitlines()
    for line, trial in zip(map(json.loads, lines), trials, strict=True):
        own = dict.fromkeys(OF_HEDGES) | trial["metrics"]
        assert {name: line["metrics"][name] for name in OF_HEDGES} == {name: own[name] for name in OF_HEDGES}
    head, first, *_ = client.get(f"/sweeps/{sweep_id}/export?format=csv").text.splitlines()
    assert head.split(",")[-len(OF_HEDGES) :] == list(OF_HEDGES)
    assert first.split(",")[-len(OF_HEDGES) :] == [""] * len(OF_HEDGES)
    parquet = client.get(f"/sweeps/{sweep_id}/export?format=parquet").content
    assert b"min_liquidation_distance" in parquet
    page = client.get(f"/dashboard/sweeps/{sweep_id}?cols=borrow_cost,capacity", headers=HTML).text
    assert "Capacity" in page
    run = client.get(f"/dashboard/sweeps/{sweep_id}/trials/1", headers=HTML).text
    assert "Capital tied" in run
    assert "Capital tied" not in client.get(f"/dashboard/sweeps/{sweep_id}/trials/0", headers=HTML).text


def test_sweep_without_hedges_knows_no_metric_of_them(client: TestClient) -> None:
    body = sweep_body(objective={"metric": "capacity"})
    answer = client.post("/sweeps", json=body)
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error["field"] == "objective.metric"
    assert error["message"] == '"capacity" is known of hedges alone, which no trial asks for'
    exported = client.post("/sweeps", json=sweep_body()).json()["id"]
    columns = client.get(f"/sweeps/{exported}/export/manifest").json()["columns"]
    assert {*OF_HEDGES}.isdisjoint(one["name"] for one in columns)


def test_results_of_hedges_are_taken_over_with_their_metrics(engine: sa.Engine) -> None:
    spec = sweep_spec(base={**BASE, **TRADED}, grid={"impact_bps": [10, 20]}, reuse=True)
    before, after = worked(engine, spec), worked(engine, spec)
    with engine.connect() as connection:
        first, second = (one_trial(connection, sweep_id, 1) for sweep_id in (before, after))
    assert second.reused_from == (before, 1)
    assert second.metrics == first.metrics
    assert first.metrics is not None
    assert first.metrics["long_pnl"] is not None
    forget_columns(engine, before, OF_HEDGES)
    forget_columns(engine, after, OF_HEDGES)
    replayed = worked(engine, spec)
    with engine.connect() as connection:
        third = one_trial(connection, replayed, 1)
    assert (third.reused_from, third.metrics) == (None, first.metrics)
