"""Trials beside holding, settings over symbols: what the API tells besides a trial's own run."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from webservice import Hands, Reader, sweep_body

from bot.backtest import Baselines, ReplayWindow, explain, replay
from bot.config.run_config import RunConfig
from bot.market_store.store import HistoricalDataStore


def insight_of(hands: Hands, trial: dict[str, Any]) -> dict[str, Any]:
    config = RunConfig.parse(trial["config"])
    data = HistoricalDataStore(hands.engine).load(config.exchange, config.symbols, config.end)
    window = ReplayWindow.build(config, data)
    return explain(replay(config, window), window, Baselines(window)).document()


def test_trial_shows_what_holding_would_have_earned(client: TestClient, finished: int, hands: Hands) -> None:
    trial = client.get(f"/sweeps/{finished}/trials/0").json()
    expected = insight_of(hands, trial)
    hold = dict(expected["hold_baseline"])
    hold["metrics"] = {"net_pnl": hold["metrics"]["net_pnl"]}
    assert trial["hold_baseline"] == hold
    assert trial["metrics"]["hold_net_pnl"] == hold["metrics"]["net_pnl"]
    assert trial["blocked_entries"] == []


def test_trial_without_trades_says_what_kept_it_from_trading(client: TestClient, hands: Hands) -> None:
    body = sweep_body(grid={"min_funding_rate": ["0.9", "0.00002"]})
    sweep_id = client.post("/sweeps", json=body).json()["id"]
    hands.work(sweep_id)
    trial = client.get(f"/sweeps/{sweep_id}/trials/0").json()
    assert trial["metrics"]["total_trades"] == 0
    assert trial["blocked_entries"] == insight_of(hands, trial)["blocked_entries"] != []


def test_pending_trial_has_neither(client: TestClient) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
    trial = client.get(f"/sweeps/{sweep_id}/trials/0").json()
    assert (trial["hold_baseline"], trial["blocked_entries"]) == (None, None)


def test_heatmap_and_order_take_the_metrics_beside_holding(reader: Reader) -> None:
    path = f"/sweeps/{reader.sweep_id}"
    query = {"x": "min_funding_rate", "y": "perp_leverage", "metric": "captured_share", "agg": "median"}
    found = reader.client.get(f"{path}/heatmap", params=query).json()
    assert {count for row in found["counts"] for count in row} <= {0, 1, 2}
    rows = reader.client.get(f"{path}/trials?sort=-captured_share").json()["trials"]
    shares = [row["metrics"]["captured_share"] for row in rows]
    known = [share for share in shares if share is not None]
    assert shares == sorted(known, reverse=True) + [None] * (len(shares) - len(known))


def test_settings_stand_at_the_worst_scenario_that_is_asked_for(reader: Reader) -> None:
    path, asked = f"/sweeps/{reader.sweep_id}", "scenarios=perp_leverage&metric=net_pnl"
    rows = [
        row for row in reader.client.get(f"{path}/trials").json()["trials"] if row["state"] == "completed"
    ]
    rates = {row["params"]["min_funding_rate"] for row in rows}
    found = reader.client.get(f"{path}/heatmap?x=min_funding_rate&y=exit_funding_rate&{asked}").json()
    assert found["scenarios"] == {"axes": ["perp_leverage"], "rank": "worst"}
    assert {count for row in found["counts"] for count in row} == {1}
    assert len(found["x"]["values"]) == len(rates)
    none = reader.client.get(f"{path}/heatmap?x=min_funding_rate&y=exit_funding_rate&scenarios=none").json()
    assert none["scenarios"] == {"axes": [], "rank": "worst"}
    every = reader.client.get(f"{path}/overview?metric=net_pnl").json()["finished"]
    assert 0 < reader.client.get(f"{path}/overview?{asked}").json()["finished"] < every
    page = reader.client.get(f"{path}/trials?sort=-net_pnl&scenarios=perp_leverage").json()["trials"]
    assert len(page) == len(reader.client.get(f"{path}/trials").json()["trials"])


def test_settings_are_summed_up_over_an_axis_in_pages(reader: Reader) -> None:
    path = f"/sweeps/{reader.sweep_id}/aggregate"
    query = {"over": "perp_leverage", "metric": "net_pnl", "sort": "-worst", "limit": "3"}
    settings: list[dict[str, Any]] = []
    while True:
        page = reader.client.get(path, params=query).json()
        settings += page["settings"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(settings) == 10
    assert {setting["trials"] for setting in settings} == {2}
    worst = [float(setting["worst"]["value"]) for setting in settings]
    assert worst == sorted(worst, reverse=True)
    trial = reader.client.get(f"/sweeps/{reader.sweep_id}/trials/{settings[0]['worst']['trial']}").json()
    assert trial["metrics"]["net_pnl"] == settings[0]["worst"]["value"]
    assert settings[0]["params"].items() <= trial["params"].items()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "over"),
        ("over=nope", "over"),
        ("over=perp_leverage&metric=luck", "metric"),
        ("over=perp_leverage&sort=luck", "sort"),
        ("over=perp_leverage&cursor=zz", "cursor"),
        ("over=perp_leverage&limit=0", "limit"),
        ("over=perp_leverage&min_funding_rate=7", "min_funding_rate"),
    ],
)
def test_aggregate_that_makes_no_sense_is_refused_by_name(reader: Reader, query: str, field: str) -> None:
    response = reader.client.get(f"/sweeps/{reader.sweep_id}/aggregate?{query}")
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_overview_of_a_selection_agrees_with_the_pages_of_its_trials(reader: Reader) -> None:
    path = f"/sweeps/{reader.sweep_id}"
    query = {"min_funding_rate": "0.00004..0.00009", "net_pnl": "0.."}
    found = reader.client.get(f"{path}/overview", params={**query, "metric": "net_pnl"}).json()
    rows = reader.client.get(f"{path}/trials", params={**query, "sort": "number"}).json()["trials"]
    assert (found["finished"], found["selected"], found["complete"]) == (20, len(rows), True)
    assert found["points"]["trials"] == [row["number"] for row in rows]
    assert found["points"]["metrics"]["net_pnl"] == [float(row["metrics"]["net_pnl"]) for row in rows]
    assert {one["axis"] for one in found["importance"]} == set(rows[0]["params"])
    assert sum(found["distribution"]["counts"]) == len(rows) < sum(found["distribution"]["every"]) == 20
    assert set(found["front"]["trials"]) <= {row["number"] for row in rows}


def test_heatmap_to_be_drawn_merges_neighbours_and_panels_split_it(reader: Reader) -> None:
    path = f"/sweeps/{reader.sweep_id}"
    sides = {"x": "min_funding_rate", "y": "exit_funding_rate", "metric": "net_pnl"}
    whole = reader.client.get(f"{path}/heatmap", params=sides).json()
    assert (whole["x"]["until"], len(whole["x"]["values"])) == (None, 5)
    merged = reader.client.get(f"{path}/heatmap", params={**sides, "most": "6"}).json()
    assert merged["x"]["values"] == ["0.00002", "0.00006", "0.0001"]
    assert merged["x"]["until"] == ["0.00004", "0.00008", "0.0001"]
    assert sum(map(sum, merged["counts"])) == 20
    panels = reader.client.get(f"{path}/panels", params={**sides, "z": "perp_leverage"}).json()
    assert (panels["name"], panels["values"], panels["omitted"]) == ("perp_leverage", ["1", "5"], 0)
    alone = reader.client.get(f"{path}/heatmap", params={**sides, "perp_leverage": "5"}).json()
    assert panels["heatmaps"][1]["cells"] == alone["cells"]


@pytest.mark.parametrize(
    ("route", "field"),
    [
        ("overview?metric=luck", "metric"),
        ("overview?risk=luck", "risk"),
        ("overview?points=0", "points"),
        ("overview?sharpe=a..b", "sharpe"),
        ("overview?sharpe=1..0", "sharpe"),
        ("trials?perp_leverage=5..1", "perp_leverage"),
        ("overview?scenarios=luck", "scenarios"),
        ("trials?scenario_rank=median", "scenario_rank"),
        ("panels?x=min_funding_rate&y=perp_leverage&z=luck", "z"),
        ("panels?x=min_funding_rate&y=perp_leverage&z=perp_leverage", "z"),
        ("heatmap?x=min_funding_rate&y=perp_leverage&most=0", "most"),
    ],
)
def test_view_that_makes_no_sense_is_refused_by_name(reader: Reader, route: str, field: str) -> None:
    response = reader.client.get(f"/sweeps/{reader.sweep_id}/{route}")
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_every_view_takes_an_axis_whose_values_are_lists_of_objects(client: TestClient, hands: Hands) -> None:
    stresses = [[{"at": f"2024-01-{day}", "leg": "short"}] for day in (20, 15)]
    grid = {"stress": [[], *stresses], "min_funding_rate": ["0.00001", "0.00002"]}
    sweep_id = client.post("/sweeps", json=sweep_body(grid=grid)).json()["id"]
    hands.work(sweep_id)
    path = f"/sweeps/{sweep_id}"
    page = client.get(f"/dashboard{path}", headers={"Accept": "text/html"}).text
    assert '"values": ["[]", "at 2024-01-15T00:00:00Z, ' in page
    ranked = client.get(f"{path}/trials?sort=stress,number").json()["trials"]
    assert [one["number"] for one in ranked] == [0, 1, 4, 5, 2, 3]
    for view in (
        "heatmap?x=stress&y=min_funding_rate",
        "overview",
        "slices",
        "verdict",
        "aggregate?over=stress",
    ):
        assert client.get(f"{path}/{view}").status_code == 200
    for query, numbers in (
        ("stress=[]", [0, 1]),
        ("stress=[]&min_funding_rate=0.00002", [1]),
    ):
        found = client.get(f"{path}/trials?{query}&sort=number").json()["trials"]
        assert [one["number"] for one in found] == numbers
