"""Single jobs over HTTP: accepted, polled, answered with the document a shell prints."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sweeping import BASE
from webservice import Hands, sweep_body

from bot.backtest import run_backtest
from bot.config.run_config import RunConfig
from bot.market_store.store import HistoricalDataStore
from sweeps.jobs.job_runner import JobRunner


def test_backtest_is_accepted_and_its_document_polled(client: TestClient, hands: Hands) -> None:
    response = client.post("/backtests", json=BASE)
    job = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == f"/backtests/{job['id']}"
    assert (job["state"], job["result"], job["error"]) == ("queued", None, None)
    assert JobRunner(hands.engine).run(job["id"]) == "completed"
    found = client.get(response.headers["location"]).json()
    config = RunConfig.parse(BASE)
    store = HistoricalDataStore(hands.engine)
    expected = run_backtest(config, store.load(config.exchange, config.symbols, config.end)).document()
    assert found["state"] == "completed"
    assert found["finished_at"].endswith("Z")
    assert {name: found["result"][name] for name in expected} == expected


def test_data_set_left_out_is_the_only_one_held(client: TestClient) -> None:
    body = {name: value for name, value in BASE.items() if name != "exchange"}
    job = client.post("/backtests", json=body).json()
    assert job["request"]["config"]["exchange"] == "synthetic"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"perp_leverage": "-1"}, "perp_leverage"),
        ({"luck": 7}, "luck"),
        ({"symbols": ["NO/USDT:USDT"]}, "symbols[0]"),
        ({"start": "2019-01-01", "end": "2019-02-01"}, "start"),
        ({"exchange": "nowhere"}, "exchange"),
        ({"structure": "inverse"}, "symbols"),
        ({"structure": "perp_perp", "short_exchange": "nowhere"}, "short_exchange"),
    ],
)
def test_refused_backtest_names_the_field(client: TestClient, changes: dict[str, Any], field: str) -> None:
    response = client.post("/backtests", json=BASE | changes)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == field


def test_best_trial_of_a_sweep_is_probed(client: TestClient, finished: int, hands: Hands) -> None:
    best = client.get(f"/sweeps/{finished}").json()["best_trial"]["number"]
    response = client.post(f"/sweeps/{finished}/probe")
    job = response.json()
    assert response.headers["location"] == f"/probes/{job['id']}"
    assert (job["request"]["sweep"], job["request"]["trial"]) == (finished, best)
    JobRunner(hands.engine).run(job["id"])
    assert client.get(response.headers["location"]).json()["result"]["passed"] is True


def test_named_trial_is_probed_with_its_parameters(client: TestClient, finished: int) -> None:
    trial = client.get(f"/sweeps/{finished}/trials/7").json()
    job = client.post(f"/sweeps/{finished}/probe?trial=7").json()
    assert job["request"]["config"] == trial["config"]


def test_probe_of_nothing_is_refused(client: TestClient) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
    assert client.post(f"/sweeps/{sweep_id}/probe").status_code == 409
    assert client.post(f"/sweeps/{sweep_id}/probe?trial=99").status_code == 404
    assert client.post("/sweeps/77/probe").status_code == 404


@pytest.mark.parametrize("path", ["/backtests/1", "/probes/1", "/backtests/99999999999999999999"])
def test_unknown_job_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in {404, 422}
