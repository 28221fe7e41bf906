"""The compare page: its form from an address or a trial, its limits, and the numbers it prints."""

from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from example_plugin import compared_example
from fastapi.testclient import TestClient
from sweeping import alter_trial
from webservice import Hands, Reader, sweep_body

from api.dashboard.forms.compare_form import CompareForm, changed_parameters
from api.work import comparisons
from bot.config.run_config import RunConfig

PAGE = {"Accept": "text/html"}
QUESTION = {
    "exchange": "synthetic",
    "symbols": "BTC/USDT:USDT",
    "start": "2024-01-10",
    "end": "2024-03-30",
    "parameters": '{"min_volume_24h": "0", "min_funding_rate": "0.00005"}',
}


def asked(client: TestClient, path: str = "/result", **changes: str) -> tuple[int, str]:
    response = client.get(f"/dashboard/compare{path}", params=QUESTION | changes, headers=PAGE)
    return response.status_code, response.text


def test_both_strategies_and_holding_are_printed_with_their_difference(reader: Reader) -> None:
    status, text = asked(reader.client)
    assert status == 200
    assert "simple v1.0" in text
    assert "composite v1.1" in text
    assert "They first differ at" in text
    assert "Captured" in text
    assert "Only composite v1.1 took" in text
    assert "BTC/USDT:USDT" in text
    assert "spot 1 h, perp 1 h" in text


def test_plug_in_that_asks_for_a_place_stands_beside_the_others_with_its_parameters(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with compared_example(tmp_path, monkeypatch):
        parameters = '{"smoothing_settlements": 3, "min_volume_24h": "0"}'
        status, page = asked(reader.client, "", parameters=parameters)
        assert status == 200
        assert "The strategies simple, composite and smoothed-rate on one window" in page
        assert "smoothing_settlements" in page
        status, text = asked(reader.client, parameters=parameters)
        assert status == 200
        assert "Only smoothed-rate v0.1 took" in text
        assert "difference: smoothed-rate v0.1 less simple v1.0" in text


def test_trial_becomes_an_address_that_asks_for_exactly_its_run(reader: Reader) -> None:
    trial = reader.client.get(f"/sweeps/{reader.sweep_id}/trials/7").json()
    response = reader.client.get(
        "/dashboard/compare", params={"sweep": reader.sweep_id, "trial": 7}, follow_redirects=False
    )
    assert response.status_code == 303
    query = parse_qs(urlsplit(response.headers["location"]).query)
    form = CompareForm(
        query["exchange"][0],
        tuple(query["symbols"]),
        query["start"][0],
        query["end"][0],
        query["parameters"][0],
    )
    assert form.config().document() == trial["config"]


def test_unknown_trial_is_not_found(reader: Reader) -> None:
    address = f"/dashboard/compare?sweep={reader.sweep_id}&trial=77"
    assert reader.client.get(address, headers=PAGE).status_code == 404


def test_only_what_differs_from_the_defaults_is_written_down() -> None:
    config = RunConfig.parse(
        {
            "symbols": ["A/USDT:USDT"],
            "start": 0,
            "end": "2024-01-01",
            "strategy_mode": "composite",
            "slippage_bps": "7.50",
            "perp_leverage": 1,
            "instrument": {"mmr": "0.01"},
        }
    )
    assert changed_parameters(config) == {"slippage_bps": "7.5", "instrument": {"mmr": "0.01"}}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"end": "soon"}, "soon"),
        ({"parameters": '{"min_fundng_rate": 1}'}, "min_fundng_rate"),
        ({"parameters": "[1]"}, "no JSON object"),
        ({"parameters": '{"strategy_mode": "simple"}'}, "all of them run"),
        ({"parameters": '{"end": "2024-01-01"}'}, "field of its own"),
        ({"parameters": '{"perp_leverage": NaN}'}, "NaN"),
    ],
)
def test_refused_question_is_said_beside_the_form(
    reader: Reader, changes: dict[str, str], named: str
) -> None:
    status, text = asked(reader.client, "", **changes)
    assert status == 422
    assert named in text
    assert 'id="comparison"' not in text


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"symbols": "XRP/USDT:USDT"}, "XRP/USDT:USDT"),
        ({"exchange": "nowhere"}, "nowhere"),
        ({"start": "2020-01-01"}, "BTC/USDT:USDT"),
    ],
)
def test_window_that_cannot_be_replayed_is_refused_in_its_place(
    reader: Reader, changes: dict[str, str], named: str
) -> None:
    status, text = asked(reader.client, **changes)
    assert status == 422
    assert named in text


def test_long_work_is_refused_with_a_way_out(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "MOST_PRICES", 100)
    status, text = asked(reader.client)
    assert status == 422
    assert "shorter window" in text
    assert "carrygrid compare" in text


def test_hostile_address_is_text(reader: Reader) -> None:
    hostile = '"><script>alert(1)</script>'
    for name in QUESTION:
        _, text = asked(reader.client, "", **{name: hostile})
        assert "<script>alert" not in text


def test_nothing_asked_offers_the_last_year_of_what_is_held(reader: Reader) -> None:
    text = reader.client.get("/dashboard/compare", headers=PAGE).text
    assert "BTC/USDT:USDT" in text
    assert 'value="2024-04-01"' in text


def test_trial_without_trades_names_condition_and_remedy(client: TestClient, hands: Hands) -> None:
    body = sweep_body(grid={"min_funding_rate": ["0.5"], "strategy_mode": ["simple", "composite"]})
    body["base"]["entry_threshold"] = "1"
    sweep_id = client.post("/sweeps", json=body).json()["id"]
    hands.work(sweep_id)
    for number, gate in enumerate(("min_funding_rate", "entry_threshold")):
        path = f"/dashboard/sweeps/{sweep_id}/trials/{number}/report"
        text = client.get(path, headers=PAGE).text
        assert f"With {gate} at" in text


def test_changed_history_is_said_where_the_data_would_stand(client: TestClient, hands: Hands) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
    hands.work(sweep_id)
    path = f"/dashboard/sweeps/{sweep_id}/trials/0/report"
    assert "2024-03-30" in client.get(path, headers=PAGE).text
    alter_trial(hands.engine, sweep_id, 0, run_key="0" * 64)
    assert "other market data" in client.get(path, headers=PAGE).text


def test_comparison_behind_others_is_refused_for_now(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "_PATIENCE_S", 0)
    state = cast("Any", reader.client.app).state
    with state.comparisons._lock:
        status, text = asked(reader.client)
    assert status == 503
    assert "try again" in text
    assert asked(reader.client)[0] == 200
