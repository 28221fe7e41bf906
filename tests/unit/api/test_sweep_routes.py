"""Sweeps over HTTP: accepted once, followed, ranked, ended."""

from decimal import Decimal
from typing import Any

from fastapi.testclient import TestClient
from sweeping import metrics_of_trials, partly_failing
from webservice import Hands, sweep_body

from bot.backtest import run_backtest
from bot.config.run_config import RunConfig
from bot.market_store.store import HistoricalDataStore


def test_submitted_sweep_is_accepted_with_its_location(client: TestClient) -> None:
    response = client.post("/sweeps", json=sweep_body())
    sweep = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == f"/sweeps/{sweep['id']}"
    assert (sweep["state"], sweep["trials_total"], sweep["trials_done"]) == ("queued", 20, 0)
    assert sweep["best_trial"] is None
    assert sweep["spec"]["base"]["exchange"] == "synthetic"
    assert client.get(response.headers["location"]).json()["id"] == sweep["id"]


def test_exchange_left_out_is_the_only_one_held_and_written_down(client: TestClient) -> None:
    body = sweep_body()
    del body["base"]["exchange"]
    assert client.post("/sweeps", json=body).json()["spec"]["base"]["exchange"] == "synthetic"


def test_same_idempotency_key_and_body_answer_the_same_sweep(client: TestClient) -> None:
    headers = {"Idempotency-Key": "once"}
    first = client.post("/sweeps", json=sweep_body(), headers=headers)
    second = client.post("/sweeps", json=sweep_body(), headers=headers)
    other = client.post("/sweeps", json=sweep_body(name="other"), headers=headers)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    assert other.status_code == 409
    assert other.json()["type"].endswith("idempotency_conflict")
    assert len(client.get("/sweeps").json()["sweeps"]) == 1


def test_numbers_written_as_json_numbers_stay_exact(client: TestClient) -> None:
    body = b"""{"grid": {"min_funding_rate": [0.0001, 0.0003]}, "base": {"symbols": ["BTC/USDT:USDT"],
        "start": "2024-01-10", "end": "2024-03-30", "spot_taker": 0.00075}}"""
    response = client.post("/sweeps", content=body, headers={"Content-Type": "application/json"})
    spec = response.json()["spec"]
    assert spec["grid"]["min_funding_rate"] == ["0.0001", "0.0003"]
    assert spec["base"]["spot_taker"] == "0.00075"


def test_sweeps_are_listed_newest_first_in_pages(client: TestClient) -> None:
    ids = [client.post("/sweeps", json=sweep_body(name=f"n{index}")).json()["id"] for index in range(3)]
    first = client.get("/sweeps", params={"limit": 2}).json()
    second = client.get("/sweeps", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [sweep["id"] for sweep in first["sweeps"] + second["sweeps"]] == ids[::-1]
    assert second["next_cursor"] is None
    assert client.get("/sweeps", params={"state": "failed"}).json()["sweeps"] == []


def test_finished_sweep_reports_counts_rate_and_best_trial(client: TestClient, finished: int) -> None:
    sweep = client.get(f"/sweeps/{finished}").json()
    assert (sweep["state"], sweep["trials_done"], sweep["trials_failed"]) == ("completed", 20, 0)
    assert sweep["eta"] is None
    assert sweep["finished_at"].endswith("Z")
    best = client.get(f"/sweeps/{finished}/trials", params={"limit": 1}).json()["trials"][0]
    assert sweep["best_trial"]["number"] == best["number"]
    assert isinstance(best["metrics"]["net_pnl"], str)


def test_trials_are_sorted_filtered_and_paged_by_the_server(client: TestClient, finished: int) -> None:
    path = f"/sweeps/{finished}/trials"
    query = {"sort": "-net_pnl", "perp_leverage": "5", "limit": "4"}
    rows: list[dict[str, Any]] = []
    while True:
        page = client.get(path, params=query).json()
        rows += page["trials"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    earned = [Decimal(row["metrics"]["net_pnl"]) for row in rows]
    assert len(rows) == 10
    assert earned == sorted(earned, reverse=True)
    assert {row["params"]["perp_leverage"] for row in rows} == {"5"}


def test_heatmap_cells_are_the_numbers_of_their_trials(client: TestClient, finished: int) -> None:
    query = {"x": "min_funding_rate", "y": "perp_leverage", "metric": "net_pnl", "exit_funding_rate": "0"}
    found = client.get(f"/sweeps/{finished}/heatmap", params=query).json()
    assert found["x"]["values"] == ["0.00002", "0.00004", "0.00006", "0.00008", "0.0001"]
    for row, leverage in zip(found["trials"], found["y"]["values"], strict=True):
        for number, entry in zip(row, found["x"]["values"], strict=True):
            trial = client.get(f"/sweeps/{finished}/trials/{number}").json()
            place = found["trials"].index(row), row.index(number)
            assert trial["params"] == {
                "min_funding_rate": entry, "exit_funding_rate": "0", "perp_leverage": leverage
            }  # fmt: skip
            assert found["cells"][place[0]][place[1]] == trial["metrics"]["net_pnl"]


def test_curve_and_trades_are_exact_whether_stored_or_replayed(
    client: TestClient, finished: int, hands: Hands
) -> None:
    trials = client.get(f"/sweeps/{finished}/trials").json()["trials"]
    for row in (trials[0], trials[-1]):
        path = f"/sweeps/{finished}/trials/{row['number']}"
        trial = client.get(path).json()
        config = RunConfig.parse(trial["config"])
        data = HistoricalDataStore(hands.engine).load(config.exchange, config.symbols, config.end)
        expected = run_backtest(config, data).document()
        assert client.get(f"{path}/equity").json()["equity"] == expected["equity"]
        assert client.get(f"{path}/trades").json()["trades"] == expected["trades"]
        stored = metrics_of_trials(expected["metrics"])
        assert {name: trial["metrics"][name] for name in stored} == stored
        assert trial["run_key"] == expected["run_key"]


def test_replay_that_would_differ_from_the_stored_row_is_refused(
    client: TestClient, finished: int, hands: Hands
) -> None:
    number = client.get(f"/sweeps/{finished}/trials").json()["trials"][-1]["number"]
    store = HistoricalDataStore(hands.engine)
    rules = store.load("synthetic", ("BTC/USDT:USDT",), 0).symbols[0].instrument
    store.put_instrument("synthetic", "BTC/USDT:USDT", type(rules)(qty_step=Decimal(1)))
    response = client.get(f"/sweeps/{finished}/trials/{number}/equity")
    assert response.status_code == 409
    assert response.json()["type"].endswith("history_changed")


def test_failed_trial_says_why_and_has_no_curve(client: TestClient, hands: Hands) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body(**partly_failing())).json()["id"]
    hands.work(sweep_id)
    trial = client.get(f"/sweeps/{sweep_id}/trials/1").json()
    assert (trial["state"], trial["metrics"]) == ("failed", None)
    assert "does not fit" in trial["error"]
    response = client.get(f"/sweeps/{sweep_id}/trials/1/trades")
    assert response.status_code == 409
    assert "does not fit" in response.json()["detail"]


def test_cancelled_sweep_can_be_resumed_and_deleted(client: TestClient) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
    assert client.post(f"/sweeps/{sweep_id}/cancel").json()["state"] == "cancelled"
    assert client.post(f"/sweeps/{sweep_id}/resume").json()["state"] == "queued"
    assert client.delete(f"/sweeps/{sweep_id}").status_code == 204
    assert client.get(f"/sweeps/{sweep_id}").status_code == 404
    assert client.post(f"/sweeps/{sweep_id}/cancel").status_code == 404


def test_completed_sweep_cannot_be_cancelled(client: TestClient, finished: int) -> None:
    response = client.post(f"/sweeps/{finished}/cancel")
    assert response.status_code == 409
    assert response.headers["content-type"] == "application/problem+json"


def test_events_of_a_finished_sweep_end_at_once(client: TestClient, finished: int) -> None:
    text = client.get(f"/sweeps/{finished}/events", headers={"Last-Event-ID": "x"}).text
    assert text.splitlines()[:2] == ["id: completed-20-0", "event: end"]


def test_coverage_lists_the_generated_series(client: TestClient) -> None:
    (exchange,) = client.get("/data/coverage").json()["exchanges"]
    assert exchange["exchange"] == "synthetic"
    assert all(symbol["synthetic"] for symbol in exchange["symbols"])
    kinds = {one["symbol"]: {series["kind"] for series in one["series"]} for one in exchange["symbols"]}
    assert kinds["BTC/USDT:USDT"] == {"funding", "spot", "perp", "mark"}
    assert kinds["BTC/USD:BTC"] == {"funding", "perp", "mark"}


def test_readiness_names_what_is_missing(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["components"]["database"] == "ok"
    assert response.json()["components"]["worker"] == "silent"
    assert "replay kernel" in response.json()["replays"]


def test_window_that_is_not_held_is_refused_with_one_that_is(client: TestClient) -> None:
    body = sweep_body()
    body["base"] |= {"start": "2023-06-01"}
    for path in ("/sweeps", "/sweeps/validate"):
        problem = client.post(path, json=body)
        assert problem.status_code == 422
        assert [error["field"] for error in problem.json()["errors"]] == ["base.start"]
        assert problem.json()["common_window"] == {"start": "2024-01-02", "end": "2024-04-01"}
    body["base"] |= problem.json()["common_window"]
    assert client.post("/sweeps", json=body).status_code == 202


def test_trials_that_would_end_before_they_start_are_refused_with_their_sweep(
    client: TestClient, finished: int
) -> None:
    body = sweep_body(grid={"end": ["2024-03-30", "2024-01-05"]})
    del body["base"]["end"]
    said = "2024-01-05T00:00:00Z is before start 2024-01-10T00:00:00Z"
    cloned = f"/sweeps/{finished}/clone", {"grid": body["grid"]}
    for path, sent in (("/sweeps", body), ("/sweeps/validate", body), cloned):
        answer = client.post(path, json=sent)
        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"field": "grid.end.values[1]", "message": said}]
    assert len(client.get("/sweeps").json()["sweeps"]) == 1


def test_backtest_is_checked_as_it_is_submitted(client: TestClient) -> None:
    run = dict(sweep_body()["base"])
    found = client.post("/backtests/validate", json=run)
    assert (found.status_code, found.json()["trials"]) == (200, 1)
    run["start"] = "2023-06-01"
    for path in ("/backtests", "/backtests/validate"):
        problem = client.post(path, json=run).json()
        assert [error["field"] for error in problem["errors"]] == ["start"]
        assert problem["common_window"] == {"start": "2024-01-02", "end": "2024-04-01"}
    assert client.post(
        "/backtests/validate", json={**run, "start": "2024-01-10", "initial_capital": "1e14"}
    ).is_success
