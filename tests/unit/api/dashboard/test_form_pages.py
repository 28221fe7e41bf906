"""First values of the forms, and buttons of a sweep."""

import json
import re
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import pytest
from example_plugin import installed_example
from fastapi.testclient import TestClient
from webservice import Hands, Reader, sweep_body

from bot.market_store.database import write_transaction
from sweeps.storage.tables import sweep

PAGE = {"Accept": "text/html"}
HOSTILE = "</script><script>alert(1)</script> {{ 7 * 7 }}"


def start_of(text: str) -> dict[str, Any]:
    raw = text.partition('id="start-with"')[2].partition(">")[2].partition("</script>")[0]
    start: dict[str, Any] = json.loads(raw)
    return start


def test_new_sweep_begins_with_the_market_held_and_the_first_grid_in_its_order(reader: Reader) -> None:
    spec = start_of(reader.client.get("/dashboard/sweeps/new", headers=PAGE).text)["spec"]
    assert spec["base"]["exchange"] == "synthetic"
    assert (spec["base"]["start"], spec["base"]["end"]) == ("2024-01-01", "2024-04-01")
    assert list(spec["grid"]) == ["min_funding_rate", "exit_funding_rate", "min_holding_periods"]
    plan = reader.client.post("/sweeps/validate", json={**spec, "name": "x"}).json()
    sizes = [len(values) for values in spec["grid"].values()]
    assert plan["trials"] == prod(sizes) > 1


def test_clone_begins_with_what_the_old_sweep_changed(reader: Reader) -> None:
    text = reader.client.get(f"/dashboard/sweeps/new?clone={reader.sweep_id}", headers=PAGE).text
    spec = start_of(text)["spec"]
    assert spec["base"] == {**sweep_body()["base"], "strategy_mode": "simple"}
    assert list(spec["grid"]) == ["min_funding_rate", "exit_funding_rate", "perp_leverage"]
    stored = reader.client.get(f"/sweeps/{reader.sweep_id}").json()["spec"]
    assert reader.client.post("/sweeps/validate", json=spec).json()["spec"] == stored


def test_broken_plugin_is_said_to_be_one_and_everything_else_works(
    make_client: Callable[..., TestClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder := tmp_path / "site").mkdir()
    with installed_example(folder, monkeypatch):
        (folder / "smoothed_rate.py").write_text("import no_such_package")
        client = make_client()
        for path in ("/dashboard/sweeps/new", "/dashboard/backtest"):
            text = client.get(path, headers=PAGE).text
            assert "not usable: &#34;smoothed-rate&#34;: smoothed_rate:PLUGIN cannot be loaded" in text
            assert "Thresholds on the funding rate" in text
        assert list(client.get("/strategies").json()["unusable"]) == ["smoothed-rate"]
        assert client.get("/openapi.json").status_code == 200
        sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
        assert client.get(f"/dashboard/sweeps/{sweep_id}", headers=PAGE).status_code == 200


@pytest.mark.parametrize("path", ["/dashboard/sweeps/new", "/dashboard/backtest"])
def test_empty_store_says_what_to_do_first(
    make_client: Callable[..., TestClient], tmp_path: Path, path: str
) -> None:
    client = make_client(database_url=f"sqlite:///{tmp_path / 'empty.db'}")
    text = client.get(path, headers=PAGE).text
    assert "No market data" in text
    assert "carrygrid data import" in text


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard/sweeps/new?clone=77",
        "/dashboard/backtest?sweep=77&trial=0",
        "/dashboard/backtest?job=77",
        "/dashboard/backtests/77",
        "/dashboard/backtests/77/state",
    ],
)
def test_what_is_not_there_is_not_found(client: TestClient, path: str) -> None:
    response = client.get(path, headers=PAGE)
    assert response.status_code == 404
    assert "All sweeps" in response.text


def test_hostile_name_leaves_no_element_in_the_form_that_begins_with_it(client: TestClient) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body(name=HOSTILE)).json()["id"]
    text = client.get(f"/dashboard/sweeps/new?clone={sweep_id}", headers=PAGE).text
    assert "<script>alert" not in text
    assert "{{ 7 * 7 }}" in text
    assert start_of(text)["spec"]["name"] == HOSTILE


def test_list_is_narrowed_by_words_tags_and_state_and_paged_within(client: TestClient, hands: Hands) -> None:
    first = client.post("/sweeps", json=sweep_body(name="Entry 100%")).json()["id"]
    second = client.post("/sweeps", json=sweep_body(name="exit")).json()["id"]
    client.patch(f"/sweeps/{second}", json={"tags": ["Entry 100%", "b"]})
    hands.work(first)

    def found(query: str) -> list[int]:
        text = client.get(f"/dashboard/sweep-list?{query}", headers=PAGE).text
        return [int(number) for number in re.findall(r'data-keep="sweep-(\d+)"', text)]

    assert found("") == found("q=ENTRY+100%25") == found("state=&sort=") == [second, first]
    assert found("q=ntr") == found("state=completed") == [first]
    assert found("q=nt%25r") == []
    assert found("q=b") == [second]
    assert "No sweep matches" in client.get("/?q=nowhere&state=paused", headers=PAGE).text
    page = client.get("/sweeps?q=entry+100%25&limit=1").json()
    assert page["sweeps"][0]["id"] == second
    rest = client.get("/sweeps", params={"q": "entry 100%", "cursor": page["next_cursor"]}).json()
    assert [sweep["id"] for sweep in rest["sweeps"]] == [first]


def test_buttons_are_those_that_the_state_allows(client: TestClient, hands: Hands) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]

    def buttons() -> list[str]:
        text = client.get(f"/dashboard/sweeps/{sweep_id}/progress", headers=PAGE).text
        return [
            action for action in ("pause", "resume", "retry", "cancel") if f'data-action="{action}"' in text
        ]

    assert buttons() == ["pause", "cancel"]
    client.post(f"/sweeps/{sweep_id}/pause")
    assert buttons() == ["resume", "cancel"]
    client.post(f"/sweeps/{sweep_id}/cancel")
    assert buttons() == ["resume"]
    client.post(f"/sweeps/{sweep_id}/resume")
    hands.work(sweep_id)
    assert buttons() == []


def test_sweep_that_was_cancelled_as_its_last_trials_were_stored_can_be_resumed(
    client: TestClient, hands: Hands
) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
    hands.work(sweep_id)
    with write_transaction(hands.engine) as connection:
        connection.execute(sweep.update().values(state="cancelled"))
    page = client.get(f"/dashboard/sweeps/{sweep_id}/progress", headers=PAGE).text
    assert 'data-action="resume"' in page
    client.post(f"/sweeps/{sweep_id}/resume")
    hands.work(sweep_id)
    assert client.get(f"/sweeps/{sweep_id}").json()["state"] == "completed"
