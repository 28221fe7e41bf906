"""The verdict on a sweep: candidate, funnel, years and sentence follow from its trials."""

import json
import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from fastapi.testclient import TestClient
from webservice import BASE, Hands, Reader, sweep_body

from api.presentation.formats import unbroken

PAGE = {"Accept": "text/html"}


@pytest.fixture
def verdict(reader: Reader) -> dict[str, Any]:
    return reader.client.get(f"/sweeps/{reader.sweep_id}/verdict").raise_for_status().json()


@pytest.fixture
def trials(reader: Reader) -> list[dict[str, Any]]:
    return reader.client.get(f"/sweeps/{reader.sweep_id}/trials?limit=100").json()["trials"]


def booked(metrics: dict[str, Any]) -> tuple[Any, ...]:
    names = ("net_pnl", "total_fees", "max_drawdown", "total_trades", "funding_payments", "liquidations")
    return tuple(metrics[name] for name in names)


def test_funnel_counts_each_step_among_those_before_and_equal_results_once(
    verdict: dict[str, Any], trials: list[dict[str, Any]]
) -> None:
    distinct = {booked(trial["metrics"]): trial for trial in trials}
    traded = [one for one in distinct.values() if one["metrics"]["total_trades"]]
    ahead = [one for one in traded if Decimal(one["metrics"]["net_pnl_over_hold"]) > 0]
    safe = [one for one in ahead if not one["metrics"]["liquidations"]]
    assert verdict["funnel"] == {
        "trials": 20,
        "finished": len(trials),
        "distinct": len(distinct),
        "traded": len(traded),
        "beat_holding": len(ahead),
        "safe": len(safe),
        "eligible": sum(one["eligible"] for one in safe),
    }
    assert verdict["settings"] == 20
    beat = [one for one in trials if Decimal(one["metrics"]["net_pnl_over_hold"]) > 0]
    assert verdict["beat_holding"] == len(beat)


def test_last_step_of_the_funnel_counts_trials_in_profit_every_year_by_replay(
    reader: Reader, verdict: dict[str, Any], trials: list[dict[str, Any]]
) -> None:
    path = f"/sweeps/{reader.sweep_id}"
    found = reader.client.get(f"{path}/verdict/positive-years").json()
    distinct = {booked(trial["metrics"]): trial for trial in reversed(trials)}
    ahead = [one for one in distinct.values() if Decimal(one["metrics"]["net_pnl_over_hold"]) > 0]
    left = [one for one in ahead if one["eligible"] and not one["metrics"]["liquidations"]]
    years = [reader.client.get(f"{path}/trials/{one['number']}/years").json()["years"] for one in left]
    rising = sum(all(Decimal(year["net_pnl"]) > 0 for year in one) for one in years)
    assert found == {"among": verdict["funnel"]["eligible"], "count": rising, "missing": None}
    fragment = reader.client.get(f"/dashboard/sweeps/{reader.sweep_id}/positive-years").text
    assert f"<strong>{rising}</strong>" in fragment
    assert reader.client.get("/sweeps/99/verdict/positive-years").status_code == 404


def test_candidate_is_the_plateau_of_the_heatmap_and_its_years_add_up(
    reader: Reader, verdict: dict[str, Any]
) -> None:
    candidate = verdict["candidate"]
    sides = {"x": "min_funding_rate", "y": "exit_funding_rate"}
    matrix = reader.client.get(f"/sweeps/{reader.sweep_id}/heatmap", params=sides).json()
    row, column = matrix["plateau"]
    params = candidate["trial"]["params"]
    assert [params[name] for name in sides.values()] == [
        matrix["x"]["values"][column],
        matrix["y"]["values"][row],
    ]
    metrics, yearly = candidate["trial"]["metrics"], candidate["yearly"]
    assert sum(Decimal(year["net_pnl"]) for year in yearly["years"]) == Decimal(metrics["net_pnl"])
    assert sum(Decimal(year["hold_net_pnl"]) for year in yearly["years"]) == Decimal(metrics["hold_net_pnl"])
    assert yearly["last_year"]["net_pnl"] == metrics["net_pnl"]  # the window is shorter than a year
    assert yearly["last_year"]["name"] == "whole window"
    assert yearly["annualized_return"] == metrics["annualized_return"]
    assert {badge["name"] for badge in candidate["badges"]} >= {"few_trades"}


def test_map_of_the_page_frames_the_candidate_where_costs_are_swept(client: TestClient, hands: Hands) -> None:
    grid = {
        "min_funding_rate": ["0.00002", "0.00004", "0.00006", "0.5"],
        "perp_leverage": [1, 2, 3],
        "slippage_bps": [0, 5, 20],
    }
    sweep_id = client.post("/sweeps", json=sweep_body(grid=grid)).json()["id"]
    hands.work(sweep_id)
    page = client.get(f"/dashboard/sweeps/{sweep_id}", headers=PAGE).text
    [view] = re.findall(r'id="view">(.*?)</script>', page)
    shown = json.loads(view)["defaults"]
    asked = ("x", "y", "metric", "agg", "scenarios", "scenario_rank")
    matrix = client.get(f"/sweeps/{sweep_id}/heatmap", params={name: shown[name] for name in asked}).json()
    verdict = client.get(f"/sweeps/{sweep_id}/verdict").json()
    assert verdict["scenarios"] == {"axes": ["slippage_bps"], "rank": "worst"}
    row, column = matrix["plateau"]
    params = verdict["candidate"]["trial"]["params"]
    assert [params[shown["x"]], params[shown["y"]]] == [
        matrix["x"]["values"][column],
        matrix["y"]["values"][row],
    ]
    assert params["slippage_bps"] == "20"


def test_page_says_the_sentence_and_the_badges_of_the_api(reader: Reader, verdict: dict[str, Any]) -> None:
    text = unescape(reader.client.get(f"/dashboard/sweeps/{reader.sweep_id}/verdict", headers=PAGE).text)
    assert unbroken(verdict["sentence"]) in text
    assert "<dt>Whole window</dt>" in text
    assert f"trial {verdict['candidate']['trial']['number']}</a>" in text
    for badge in verdict["candidate"]["badges"]:
        assert badge["rule"] in text


def badges_on_page(client: TestClient, sweep_id: int, number: int) -> list[str]:
    page = client.get(f"/dashboard/sweeps/{sweep_id}/trials/{number}/badges", headers=PAGE)
    return re.findall(r'data-keep="badge-(\w+)"', page.raise_for_status().text)


def test_page_of_a_trial_has_the_badges_of_the_candidate_by_the_same_rules(
    client: TestClient, hands: Hands
) -> None:
    grid = {"min_funding_rate": ["0.00002", "0.5"], "perp_leverage": [1, 10, 20], "slippage_bps": [0, 5]}
    sweep_id = client.post("/sweeps", json=sweep_body(grid=grid)).json()["id"]
    hands.work(sweep_id)
    candidate = client.get(f"/sweeps/{sweep_id}/verdict").json()["candidate"]
    names = [badge["name"] for badge in candidate["badges"]]
    assert badges_on_page(client, sweep_id, candidate["trial"]["number"]) == names
    trials = client.get(f"/sweeps/{sweep_id}/trials?limit=100").json()["trials"]
    for trial in trials:
        found, metrics = badges_on_page(client, sweep_id, trial["number"]), trial["metrics"]
        assert ("never_traded" in found) == (metrics["total_trades"] == 0)
        assert ("liquidated" in found) == (metrics["liquidations"] > 0)
        assert ("alike" in found) == (metrics["total_trades"] == 0)


def test_trial_without_a_result_has_no_badges(client: TestClient, hands: Hands) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
    assert badges_on_page(client, sweep_id, 3) == []


def test_sweep_without_results_has_no_candidate_and_says_so(client: TestClient, hands: Hands) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
    found = client.get(f"/sweeps/{sweep_id}/verdict").json()
    assert found["sentence"] == "No trial has completed yet."
    assert found["candidate"] is None
    assert found["funnel"]["finished"] == 0
    assert (
        "No trial has completed yet."
        in client.get(f"/dashboard/sweeps/{sweep_id}/verdict", headers=PAGE).text
    )


def test_settings_that_never_trade_are_said_to_and_none_is_a_candidate(
    client: TestClient, hands: Hands
) -> None:
    body = sweep_body(grid={"min_funding_rate": ["0.5", "0.6", "0.7"]})
    sweep_id = client.post("/sweeps", json=body).json()["id"]
    hands.work(sweep_id)
    found = client.get(f"/sweeps/{sweep_id}/verdict").json()
    assert found["sentence"] == (
        "None of 3 settings ever traded. "
        "None is eligible by the rules of the sweep, so there is no candidate."
    )
    assert found["funnel"]["distinct"] == 1


@pytest.mark.parametrize(
    ("grid", "told"),
    [
        (
            {"min_funding_rate": ["0.00002", "0.5", "0.6"], "exit_funding_rate": ["0", "0.00001"]},
            (
                "2 of 6 settings beat holding on the same account. 4 of 6 never traded. "
                "Best region: min_funding_rate 0.00002 (0.2 bp per 8 h), exit_funding_rate "
            ),
        ),
        (
            {"min_funding_rate": ["0.00002", "0.5", "0.6"]},
            (
                "1 of 3 settings beat holding on the same account. 2 of 3 never traded. "
                "There is no plateau: the one next to it is not eligible; "
                "the best one is trial 0, Sharpe 1.01"
            ),
        ),
        (
            {"min_funding_rate": ["0.00002", "0.5"], "perp_leverage": [1, 10, 20]},
            (
                "3 of 6 settings beat holding on the same account: 1 was liquidated. 3 of 6 never traded. "
                "Best region: min_funding_rate 0.00002 (0.2 bp per 8 h), perp_leverage 1 to 20, "
                "around trial 1: Sharpe 1.01, at its worst neighbour -2.67; "
                "1 of its 3 neighbours is not eligible"
            ),
        ),
    ],
)
def test_mostly_untraded_sweep_says_so_and_no_setting_that_cannot_win_makes_a_region(
    client: TestClient, hands: Hands, grid: dict[str, Any], told: str
) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body(grid=grid)).json()["id"]
    hands.work(sweep_id)
    assert told in client.get(f"/sweeps/{sweep_id}/verdict").json()["sentence"]


def test_unknown_sweep_has_no_verdict(client: TestClient) -> None:
    assert client.get("/sweeps/77/verdict").status_code == 404


def test_sentence_names_what_is_held_where_it_differs_from_setting_to_setting(
    client: TestClient, hands: Hands
) -> None:
    grid = {"symbols": [["BTC/USDT:USDT"], ["ETH/USDT:USDT"]], "allocation": ["0.3", "0.6"]}
    base = {name: value for name, value in BASE.items() if name != "symbols"}
    body = sweep_body(base=base, grid=grid)
    sweep_id = client.post("/sweeps", json=body).json()["id"]
    hands.work(sweep_id)
    found = client.get(f"/sweeps/{sweep_id}/verdict").json()
    held = found["candidate"]["trial"]["params"]["symbols"]
    assert found["sentence"].startswith(f"Holding {held} on the candidate's account made ")


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        ("max_drawdown_pct", "around trial 12: max drawdown 0.11 %, at its worst neighbour 0.21 %."),
        ("total_fees", "The lowest, trial 0, has 12.66 USDT, but 23.18 USDT one step away."),
        ("net_pnl", "The highest, trial 1, has 79.26 USDT, but -106.69 USDT one step away."),
    ],
)
def test_sentence_calls_the_best_by_itself_the_lowest_where_little_is_good(
    client: TestClient, hands: Hands, metric: str, told: str
) -> None:
    grid = {
        "min_funding_rate": ["0.00002", "0.00005", "0.0001", "0.0002"],
        "exit_funding_rate": ["0", "0.00002", "0.00005"],
        "perp_leverage": [1, 10, 20],
    }
    sweep_id = client.post("/sweeps", json=sweep_body(grid=grid, objective={"metric": metric})).json()["id"]
    hands.work(sweep_id)
    assert told in client.get(f"/sweeps/{sweep_id}/verdict").json()["sentence"]
