"""Routes that check, change and copy sweeps, and list the strategies."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from webservice import Hands, sweep_body

from bot.config.run_config import RunConfig


def created(client: TestClient, **changes: Any) -> int:
    answer = client.post("/sweeps", json=sweep_body(**changes))
    assert answer.status_code == 202, answer.text
    return int(answer.json()["id"])


def numbers(client: TestClient, sweep_id: int) -> dict[int, dict[str, Any]]:
    page = client.get(f"/sweeps/{sweep_id}/trials", params={"sort": "number", "limit": "1000"}).json()
    return {row["number"]: row for row in page["trials"]}


def test_dry_run_counts_cells_rejections_and_repetitions_and_stores_nothing(client: TestClient) -> None:
    body = sweep_body(
        constraints=["exit_funding_rate < min_funding_rate", "perp_leverage > 1"],
        grid={**sweep_body()["grid"], "weight_trend": ["0.1", "0.2"]},
    )
    plan = client.post("/sweeps/validate", json=body).json()
    assert (plan["cells"], plan["trials"]) == (40, 16)
    assert [found["cells"] for found in plan["rejected"]] == [8, 20]
    assert plan["duplicates"] == 8
    assert [axis["size"] for axis in plan["axes"]] == [5, 2, 2, 2]
    assert plan["estimate"]["measured"] is True
    assert plan["estimate"]["basis"].startswith("measured on its window (")
    assert plan["estimate"]["seconds"] > 0
    assert plan["estimate"]["bytes"] > 0
    assert plan["estimate"]["warning"] is None
    assert client.get("/sweeps").json()["sweeps"] == []


def test_dry_run_gives_the_time_of_its_windows_whatever_workers_did_before(
    client: TestClient, hands: Hands
) -> None:
    grid = {"perp_leverage": [*range(1, 11)], "initial_capital": [*range(1_000, 101_000, 1_000)]}
    hands.work(int(client.post("/sweeps", json=sweep_body(grid=grid)).json()["id"]))
    plan = client.post("/sweeps/validate", json=sweep_body()).json()
    assert plan["estimate"]["measured"] is True
    assert 0 < plan["estimate"]["core_seconds"] < 60


def test_dry_run_refuses_what_a_submission_refuses(client: TestClient) -> None:
    body = sweep_body(base={**sweep_body()["base"], "symbols": ["NO/USDT:USDT"]})
    told = [client.post(path, json=body) for path in ("/sweeps/validate", "/sweeps")]
    assert [answer.status_code for answer in told] == [422, 422]
    assert told[0].json()["errors"] == told[1].json()["errors"]


def test_strategies_tell_parameters_defaults_grid_and_presets(client: TestClient) -> None:
    document = client.get("/strategies").json()
    found = {strategy["name"]: strategy for strategy in document["strategies"]}
    assert {"simple", "composite", "hold"} <= set(found)
    assert found["simple"]["defaults"]["min_funding_rate"] == "0.0003"
    assert found["composite"]["parameters"]["properties"]["entry_threshold"]["description"]
    for name in ("simple", "composite"):
        assert list(found[name]["presets"]) == [
            *("conservative", "balanced", "aggressive", "patient"),
            *("reverse", "perp_perp", "synthetic_dollar"),
        ]
    assert document["account"]["defaults"]["allocation"] == "0.9"
    needed = {"start": "2024-01-01", "end": "2024-02-01", "exchange": "one"}
    hedges = {
        "perp_perp": {"symbols": ["A/USDT:USDT"], "short_exchange": "two"},
        "synthetic_dollar": {"symbols": ["A/USD:A"]},
    }
    for name, strategy in found.items():
        for preset, values in strategy["presets"].items():
            named = hedges.get(preset, {"symbols": ["A/USDT:USDT"]})
            RunConfig.parse({**needed, **named, "strategy_mode": name, **values})


@pytest.mark.parametrize("strategy", ["simple", "composite"])
def test_default_grid_of_a_strategy_can_be_submitted_as_it_is(client: TestClient, strategy: str) -> None:
    document = client.get("/strategies").json()
    grid = next(found for found in document["strategies"] if found["name"] == strategy)["default_grid"]
    base = {**sweep_body()["base"], "strategy_mode": strategy}
    base = {name: value for name, value in base.items() if name not in grid}
    plan = client.post("/sweeps/validate", json={"base": base, "grid": grid}).json()
    assert plan["trials"] > 100


def test_preset_fills_in_what_base_and_grid_leave_open(client: TestClient) -> None:
    base = {**sweep_body()["base"], "preset": "aggressive", "min_holding_periods": 7}
    plan = client.post("/sweeps/validate", json=sweep_body(base=base)).json()
    told = plan["spec"]["base"]
    assert (told["min_holding_periods"], told["min_volume_24h"]) == (7, "0")
    assert "preset" not in told
    refused = client.post("/sweeps/validate", json=sweep_body(base={**base, "preset": "wild"}))
    assert refused.json()["errors"][0]["field"] == "base.preset"
    assert "conservative, balanced, aggressive" in refused.json()["errors"][0]["message"]


def test_paused_sweep_waits_until_it_is_resumed(client: TestClient, hands: Hands) -> None:
    sweep_id = created(client)
    assert client.post(f"/sweeps/{sweep_id}/pause").json()["state"] == "paused"
    assert client.post(f"/sweeps/{sweep_id}/pause").json()["state"] == "paused"
    hands.work(sweep_id)
    assert client.get(f"/sweeps/{sweep_id}").json()["trials_done"] == 0
    assert client.get("/sweeps", params={"state": "paused"}).json()["sweeps"][0]["id"] == sweep_id
    assert client.post(f"/sweeps/{sweep_id}/resume").json()["state"] == "queued"
    hands.work(sweep_id)
    assert client.get(f"/sweeps/{sweep_id}").json()["state"] == "completed"
    assert client.post(f"/sweeps/{sweep_id}/pause").status_code == 409


def test_tags_and_note_are_replaced_and_lists_can_be_narrowed_by_tag(client: TestClient) -> None:
    first, second = created(client), created(client, name="other")
    told = client.patch(f"/sweeps/{first}", json={"tags": ["btc", "draft", "btc"], "note": "look again"})
    assert (told.json()["tags"], told.json()["note"]) == (["btc", "draft"], "look again")
    client.patch(f"/sweeps/{second}", json={"tags": ["eth"]})
    found = client.get("/sweeps", params={"tag": "btc"}).json()["sweeps"]
    assert [sweep["id"] for sweep in found] == [first]
    assert client.patch(f"/sweeps/{first}", json={"tags": []}).json()["note"] == "look again"
    renamed = client.patch(f"/sweeps/{first}", json={"name": "  five years "}).json()
    assert (renamed["name"], renamed["note"]) == ("five years", "look again")
    assert [one["id"] for one in client.get("/sweeps?q=FIVE").json()["sweeps"]] == [first]
    refused = client.patch(f"/sweeps/{first}", json={"name": " "})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "name")
    assert client.get("/sweeps", params={"tag": "btc"}).json()["sweeps"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tags": ["a\nb"]}, "tags[0]"),
        ({"tags": [" "]}, "tags[0]"),
        ({"tags": [1]}, "tags[0]"),
        ({"note": "x" * 10_001}, "note"),
        ({"state": "completed"}, "state"),
        ({"n": 3}, "n"),
        ({"add_values": {"perp_leverage": [5]}}, "add_values.perp_leverage[0]"),
        ({"add_values": {"nope": [5]}}, "add_values.nope"),
        ({"add_values": {"perp_leverage": []}}, "add_values"),
        ({"extend_to": "2024-03-30"}, "extend_to"),
        ({"extend_to": "soon"}, "extend_to"),
        ({"extend_to": "2020-01-01"}, "extend_to"),
        ({"add_values": {"end": ["2024-03-20", "2020-01-01"]}}, "add_values.end[1]"),
        ({"add_values": {"start": ["2024-03-31"]}}, "add_values.start[0]"),
    ],
)
def test_refused_change_names_its_field(client: TestClient, change: dict[str, Any], field: str) -> None:
    sweep_id = created(client)
    answer = client.patch(f"/sweeps/{sweep_id}", json=change)
    assert answer.status_code == 422
    assert [found["field"] for found in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("sampler", "change", "field", "message"),
    [
        (
            {"kind": "random", "n": 20},
            {"n": 30},
            "n",
            "30 would add no trial: its sampler finds 20 different trials and no more",
        ),
        (
            {"kind": "random", "n": 5},
            {"add_values": {"perp_leverage": [2]}},
            "add_values",
            "a sampled sweep is extended by its n, not by values",
        ),
        (
            {"kind": "random", "n": 5},
            {"extend_to": "2024-03-20"},
            "extend_to",
            "a sampled sweep is extended by its n, not by values",
        ),
    ],
    ids=["samples beyond all combinations", "values of a sample", "end of a sample"],
)
def test_extension_that_its_sampler_does_not_take_is_refused_by_the_field_that_was_written(
    client: TestClient, sampler: dict[str, Any], change: dict[str, Any], field: str, message: str
) -> None:
    answer = client.patch(f"/sweeps/{created(client, sampler=sampler)}", json=change)
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"field": field, "message": message}])


def test_extended_sweep_runs_new_trials_only_and_keeps_every_number(client: TestClient, hands: Hands) -> None:
    sweep_id = created(client)
    hands.work(sweep_id)
    before = numbers(client, sweep_id)
    told = client.patch(f"/sweeps/{sweep_id}", json={"add_values": {"perp_leverage": [2, 10]}}).json()
    assert (told["state"], told["trials_total"], told["trials_done"]) == ("queued", 40, 20)
    hands.work(sweep_id)
    after = numbers(client, sweep_id)
    assert client.get(f"/sweeps/{sweep_id}").json()["state"] == "completed"
    assert {number: after[number] for number in before} == before
    assert {after[number]["params"]["perp_leverage"] for number in range(20, 40)} == {"2", "10"}
    row = client.get(f"/sweeps/{sweep_id}/trials", params={"perp_leverage": "10"}).json()["trials"]
    assert len(row) == 10
    heat = client.get(
        f"/sweeps/{sweep_id}/heatmap", params={"x": "perp_leverage", "y": "min_funding_rate"}
    ).json()
    assert heat["x"]["values"] == ["1", "5", "2", "10"]
    assert all(count == 2 for line in heat["counts"] for count in line)


def test_added_value_under_which_no_trial_is_a_hedge_is_refused_by_its_path(
    client: TestClient, hands: Hands
) -> None:
    sweep_id = created(client)
    answer = client.patch(f"/sweeps/{sweep_id}", json={"add_values": {"structure": ["reverse", "perp_perp"]}})
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (422, "add_values.structure[1]")
    assert "one market on one exchange" in error["message"]
    assert client.get(f"/sweeps/{sweep_id}").json()["trials_total"] == 20


def test_later_end_becomes_a_second_window_beside_the_first(client: TestClient, hands: Hands) -> None:
    base = {**sweep_body()["base"], "end": "2024-03-01"}
    sweep_id = created(client, base=base)
    hands.work(sweep_id)
    told = client.patch(f"/sweeps/{sweep_id}", json={"extend_to": "2024-03-20"}).json()
    assert told["trials_total"] == 40
    hands.work(sweep_id)
    rows = numbers(client, sweep_id)
    assert {row["params"]["end"] for number, row in rows.items() if number < 20} == {"2024-03-01T00:00:00Z"}
    assert {row["params"]["end"] for number, row in rows.items() if number >= 20} == {"2024-03-20T00:00:00Z"}


def test_clone_takes_over_what_is_the_same_run_and_says_so(client: TestClient, hands: Hands) -> None:
    sweep_id = created(client)
    hands.work(sweep_id)
    answer = client.post(f"/sweeps/{sweep_id}/clone", json={"grid": {"perp_leverage": [5, 7]}})
    assert answer.status_code == 202
    copy = answer.json()
    assert answer.headers["location"] == f"/sweeps/{copy['id']}"
    assert copy["note"] == f"cloned from sweep {sweep_id}"
    hands.work(copy["id"])
    told = client.get(f"/sweeps/{copy['id']}").json()
    assert (told["trials_done"], told["trials_reused"]) == (20, 10)
    originals = numbers(client, sweep_id)
    for row in numbers(client, copy["id"]).values():
        origin = row["reused_from"]
        assert (origin is not None) == (row["params"]["perp_leverage"] == "5")
        if origin is not None:
            assert origin["sweep"] == sweep_id
            assert originals[origin["trial"]]["metrics"] == row["metrics"]


def test_clone_moves_parameters_between_base_and_grid(client: TestClient) -> None:
    sweep_id = created(client)
    change = {
        "name": "other",
        "base": {"perp_leverage": 3},
        "grid": {"slippage_bps": [1, 2], "symbols": None},
    }
    told = client.post(f"/sweeps/{sweep_id}/clone", json=change).json()
    assert told["spec"]["base"]["perp_leverage"] == "3"
    assert list(told["spec"]["grid"]) == ["min_funding_rate", "exit_funding_rate", "slippage_bps"]
    assert told["name"] == "other"
    refused = client.post(f"/sweeps/{sweep_id}/clone", json={"grid": {"nope": [1]}})
    assert refused.json()["errors"][0]["field"] == "grid.nope"


def test_key_written_twice_is_refused(client: TestClient) -> None:
    text = '{"base": {}, "grid": {"perp_leverage": [1], "perp_leverage": [2]}}'
    answer = client.post("/sweeps", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert '"perp_leverage" is written twice' in answer.json()["detail"]
