"""Capital that results cannot hold is refused before anything runs, at every door a sweep comes in by."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sweeping import BASE
from webservice import Hands, sweep_body

LIMIT = "92233720368.54775807"
LARGEST, TOO_LARGE = "92233720368.5477", "92233720368.5478"


def refused(response: Any) -> dict[str, str]:
    assert response.status_code == 422, response.text
    return {error["field"]: error["message"] for error in response.json()["errors"]}


def with_capital(base: Any = None, grid: Any = None) -> dict[str, Any]:
    fixed = {} if base is None else {"initial_capital": base}
    varied = {"perp_leverage": [1, 2]} if grid is None else {"initial_capital": grid}
    return sweep_body(base={**BASE, **fixed}, grid=varied)


@pytest.mark.parametrize("path", ["/sweeps", "/sweeps/validate"])
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (with_capital(base=TOO_LARGE), ["base.initial_capital"]),
        (with_capital(base="1e14"), ["base.initial_capital"]),
        (with_capital(grid=[1000, LARGEST, "1e12"]), ["grid.initial_capital.values[2]"]),
        (
            with_capital(grid={"start": "9e10", "stop": "9.4e10", "step": "1e10"}),
            [],
        ),
        (
            with_capital(grid={"start": "9e10", "stop": "9.4e10", "step": "1e9"}),
            ["grid.initial_capital.values[3]", "grid.initial_capital.values[4]"],
        ),
    ],
)
def test_capital_beyond_the_results_is_refused_with_field_and_limit(
    client: TestClient, path: str, body: dict[str, Any], fields: list[str]
) -> None:
    response = client.post(path, json=body)
    if not fields:
        assert response.is_success
        return
    found = refused(response)
    assert list(found) == fields
    assert all(message.endswith(f"at most {LIMIT}") for message in found.values())
    assert client.get("/sweeps").json()["sweeps"] == []


def test_linked_capital_is_named_by_its_place_in_the_axis(client: TestClient) -> None:
    grid = {"initial_capital": [1000, "1e12", 1000, "1e12"], "perp_leverage": [1, 1, 2, 2]}
    body = sweep_body(grid=grid, linked=[["initial_capital", "perp_leverage"]])
    assert list(refused(client.post("/sweeps", json=body))) == [
        "grid.initial_capital.values[1]",
        "grid.initial_capital.values[3]",
    ]


def test_capital_added_or_cloned_into_a_sweep_is_refused_as_well(client: TestClient, finished: int) -> None:
    added = client.patch(f"/sweeps/{finished}", json={"add_values": {"initial_capital": [5000, "1e12"]}})
    assert list(refused(added)) == ["add_values.initial_capital[1]"]
    cloned = client.post(f"/sweeps/{finished}/clone", json={"base": {"initial_capital": "1e12"}})
    assert list(refused(cloned)) == ["base.initial_capital"]


def test_largest_capital_is_stored_to_the_last_digit_where_nothing_trades(
    client: TestClient, hands: Hands
) -> None:
    body = with_capital(base=LARGEST) | {"grid": {"min_funding_rate": ["0.5", "0.6"]}}
    sweep_id = int(client.post("/sweeps", json=body).json()["id"])
    hands.work(sweep_id)
    trials = client.get(f"/sweeps/{sweep_id}/trials").json()["trials"]
    assert [trial["metrics"]["final_equity"] for trial in trials] == [LARGEST, LARGEST]


def test_single_run_takes_capital_that_a_sweep_refuses(client: TestClient) -> None:
    response = client.post("/backtests", json={**BASE, "initial_capital": "1e14"})
    assert response.status_code == 202
