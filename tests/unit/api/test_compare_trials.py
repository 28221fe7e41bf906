"""Trials side by side: parameters, metrics, caveats, and where two of them part."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sweeping import alter_trial
from webservice import Hands, Reader, sweep_body

from bot.market_store.database import write_transaction
from bot.timestamps import iso

LEVERED = {"min_funding_rate": ["0.00002"]}
PAGE = {"Accept": "text/html"}
CELL = re.compile(r"<td[^>]*>(.*?)</td>", re.DOTALL)


def compared(client: TestClient, trials: str, **query: Any) -> str:
    response = client.get("/dashboard/compare/trials", params={"trials": trials, **query}, headers=PAGE)
    assert response.status_code == 200
    return response.text


def bare(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_parameters_that_differ_and_metrics_with_differences_are_listed(reader: Reader) -> None:
    one, other = f"{reader.sweep_id}:0", f"{reader.sweep_id}:1"
    text = compared(reader.client, f"{one},{other}")
    table = text.partition('id="parameters"')[2].partition("</table>")[0]
    assert re.findall(r'data-definition="[^"]*">(\w+)<', table) == ["perp_leverage"]
    assert [bare(cell) for cell in CELL.findall(table)] == ["1", "5"]
    first, second = (
        reader.client.get(f"/sweeps/{reader.sweep_id}/trials/{n}").json()["metrics"] for n in (0, 1)
    )
    row = text.partition('id="figures"')[2].partition(">Sharpe<")[2].partition("</tr>")[0]
    values = [bare(cell) for cell in CELL.findall(row)]
    away = second["sharpe"] - first["sharpe"]
    assert values == [f"{first['sharpe']:.3f}", f"{second['sharpe']:.3f} {away:+.3f}"]


def test_trials_of_one_window_need_no_caveat_and_other_windows_are_named(
    client: TestClient, hands: Hands
) -> None:
    grid = {"end": ["2024-03-01", "2024-03-30"], "min_funding_rate": ["0.00002", "0.00004"]}
    body = sweep_body(grid=grid)
    del body["base"]["end"]
    sweep_id = client.post("/sweeps", json=body).json()["id"]
    hands.work(sweep_id)
    assert "caveat" not in compared(client, f"{sweep_id}:0,{sweep_id}:1")
    text = compared(client, f"{sweep_id}:0,{sweep_id}:2")
    assert "The windows differ (UTC)" in text
    assert "The market data differ" not in text


def test_trials_of_windows_that_do_not_meet_are_not_said_to_agree(client: TestClient, hands: Hands) -> None:
    windows = {"start": ["2024-01-10", "2024-02-20"], "end": ["2024-02-10", "2024-03-30"]}
    body = sweep_body(grid=windows, linked=[["start", "end"]])
    body["base"] = {name: value for name, value in body["base"].items() if name not in windows}
    sweep_id = client.post("/sweeps", json=body).json()["id"]
    hands.work(sweep_id)
    text = compared(client, f"{sweep_id}:0,{sweep_id}:1")
    row = text.partition('id="who"')[2].partition("</table>")[0]
    assert "no common time" in [bare(cell) for cell in CELL.findall(row)]
    assert "Their windows have no settlement in common" in text
    assert "as long as both ran" not in text


def test_run_replayed_as_hedges_and_one_that_is_not_saw_the_same_rows(
    client: TestClient, hands: Hands
) -> None:
    stress = {"at": "2024-01-20", "leg": "short"}
    sweep_id = client.post("/sweeps", json=sweep_body(grid={"stress": [[], [stress]]})).json()["id"]
    hands.work(sweep_id)
    assert "caveat" not in compared(client, f"{sweep_id}:0,{sweep_id}:1")


def test_another_engine_and_a_run_that_cannot_be_replayed_are_caveats(
    client: TestClient, hands: Hands
) -> None:
    ids = []
    for capital in ("10000", "20000"):
        body = sweep_body(curves="all", grid={"min_funding_rate": ["0.00002"]})
        body["base"]["initial_capital"] = capital
        ids.append(client.post("/sweeps", json=body).json()["id"])
        hands.work(ids[-1])
    with write_transaction(hands.engine) as connection:
        connection.exec_driver_sql("UPDATE sweep SET engine_version = '0.1' WHERE id = ?", (ids[1],))
    alter_trial(hands.engine, ids[1], 0, run_key="0" * 64)
    names = f"{ids[0]}:0,{ids[1]}:0"
    text = compared(client, names)
    assert "The engine versions differ" in text
    assert "The capitals differ" in text
    assert f"Trial {ids[1]}:0 cannot be replayed any more" in text
    lines = client.get("/dashboard/compare/curves", params={"trials": names}).json()["lines"]
    assert [line["name"] for line in lines] == [f"{ids[0]}:0", f"{ids[1]}:0", "Holding"]
    assert [line["equity"][0] for line in lines[:2]] == ["10000", "20000"]
    response = client.get("/dashboard/compare/parting", params={"trials": names}, headers=PAGE)
    assert response.status_code == 409


def test_trials_part_where_only_one_of_their_conditions_holds(client: TestClient, hands: Hands) -> None:
    grid = {"min_funding_rate": ["0.00002", "0.0002"], "exit_funding_rate": ["0", "0.00005"]}
    sweep_id = client.post("/sweeps", json=sweep_body(grid=grid)).json()["id"]
    hands.work(sweep_id)
    trades = [client.get(f"/sweeps/{sweep_id}/trials/{n}/trades").json()["trades"] for n in (0, 2)]
    entries = [{trade["opened_at"] for trade in own} for own in trades]
    ends = [{trade["closed_at"] for trade in own if trade["reason"] != "end"} for own in trades]
    first_ms = min((entries[0] ^ entries[1]) | (ends[0] ^ ends[1]))
    names = f"{sweep_id}:0,{sweep_id}:2"
    text = client.get("/dashboard/compare/parting", params={"trials": names}, headers=PAGE).text
    assert "first part" in text
    moment = re.search(r'class="parted"><time datetime="([^"]+)"', text)
    assert moment is not None
    assert moment[1] == iso(first_ms)
    assert "opened" in text
    assert "min_funding_rate needs 0.0002 and was 0.0001" in text
    later = client.get("/dashboard/compare/parting", params={"trials": names, "at": 1}, headers=PAGE).text
    assert "2 of" in later


def test_best_trials_of_sweeps_stand_for_them(client: TestClient, hands: Hands) -> None:
    ids = [
        client.post("/sweeps", json=sweep_body(grid=LEVERED | {"perp_leverage": [1, n]})).json()["id"]
        for n in (2, 3)
    ]
    early = client.get("/dashboard/compare", params={"sweeps": f"{ids[0]},{ids[1]}"}, headers=PAGE)
    assert early.status_code == 422
    assert "has no best trial yet" in early.text
    for sweep_id in ids:
        hands.work(sweep_id)
    best = [client.get(f"/sweeps/{sweep_id}").json()["best_trial"]["number"] for sweep_id in ids]
    page = client.get("/dashboard/compare", params={"sweeps": f"{ids[0]},{ids[1]}"}, headers=PAGE).text
    assert f'data-trials="{ids[0]}:{best[0]},{ids[1]}:{best[1]}"' in page


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        ("1:5", "names 1 of them; 2 to 10 can be compared"),
        (",".join(f"1:{n}" for n in range(11)), "names 11 of them"),
        ("1:5,x", "is no trial: write sweep:trial"),
        ("1:5,1:5", "names 1 of them"),
        ("<script>alert(1)</script>", "&lt;script&gt;"),
    ],
)
def test_address_that_names_no_comparison_is_refused(reader: Reader, trials: str, said: str) -> None:
    response = reader.client.get("/dashboard/compare", params={"trials": trials}, headers=PAGE)
    assert response.status_code == 422
    assert said in response.text
    assert "<script>alert" not in response.text


def test_trial_that_does_not_exist_or_has_no_result_is_named(reader: Reader, client: TestClient) -> None:
    names = f"{reader.sweep_id}:0,{reader.sweep_id}:999"
    response = reader.client.get("/dashboard/compare/trials", params={"trials": names}, headers=PAGE)
    assert response.status_code == 404
    assert "has no trial 999" in response.text
    sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
    names = f"{sweep_id}:0,{sweep_id}:1"
    pending = client.get("/dashboard/compare/trials", params={"trials": names}, headers=PAGE)
    assert pending.status_code == 422
    assert "has not been replayed yet" in pending.text
