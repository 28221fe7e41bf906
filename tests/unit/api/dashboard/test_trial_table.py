"""The table of trials on a sweep's page: its columns, what they are sorted and selected by."""

import csv
import io
import re
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from selecting import do_jobs
from webservice import Hands, sweep_body

NUMBERS = re.compile(r'data-pick="\d+:(\d+)"')
PAIRS = {"x": "min_funding_rate", "y": "exit_funding_rate"}


@pytest.fixture
def judged(client: TestClient, hands: Hands) -> int:
    """Return the id of a judged sweep of 20 trials, whose plateaus are not all alike."""
    thresholds = {"start": "0.00002", "stop": "0.0002", "step": "0.00002"}
    grid = {"min_funding_rate": thresholds, "exit_funding_rate": ["0", "0.00005"]}
    body = sweep_body(grid=grid, objective={"metric": "net_pnl", "direction": "maximize"})
    sweep_id = int(client.post("/sweeps", json=body).json()["id"])
    hands.work(sweep_id)
    do_jobs(hands.engine)
    return sweep_id


def test_plateau_and_chance_of_luck_are_columns_that_sort_select_and_draw(
    client: TestClient, judged: int
) -> None:
    trials = client.get(f"/sweeps/{judged}/trials", params={"sort": "-plateau"}).json()["trials"]
    worst = {trial["number"]: trial["plateau"] for trial in trials}
    known = sorted(value for value in worst.values() if value is not None)
    assert known[0] < known[-1]
    rows = {"distinct": "0"}
    table = client.get(f"/dashboard/sweeps/{judged}/trials", params={"sort": "-plateau", **rows}).text
    assert [int(number) for number in NUMBERS.findall(table)] == [trial["number"] for trial in trials]
    assert f">{known[-1]:,.2f}</td>" in table
    for name in ("plateau", "p_luck"):
        assert f'href="/dashboard/glossary#{name}"' in table
    chosen = client.get(
        f"/dashboard/sweeps/{judged}/trials", params={"plateau": f"{known[-1]}..", **rows}
    ).text
    best = {number for number, value in worst.items() if value == known[-1]}
    assert {int(number) for number in NUMBERS.findall(chosen)} == best

    cells = client.get(f"/sweeps/{judged}/heatmap", params={**PAIRS, "metric": "plateau"}).json()
    highest = max(value for row in cells["cells"] for value in row if value is not None)
    assert highest == pytest.approx(known[-1])
    drawn = client.get(f"/sweeps/{judged}/overview", params={"metric": "plateau", "risk": "p_luck"}).json()
    assert drawn["maximize"] == {"plateau": True, "p_luck": False, "annualized_return": True}
    assert client.get(f"/sweeps/{judged}/heatmap", params={**PAIRS, "metric": "p_luck"}).status_code == 200
    pins = client.get(f"/dashboard/sweeps/{judged}/pins", params={"trials": "0", "metric": "plateau"})
    assert "Plateau " in pins.text
    odd = client.get(f"/dashboard/sweeps/{judged}/pins", params={"trials": "0", "metric": "sharp"})
    assert odd.status_code == 422


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_several_orders_sort_ties_of_the_ones_before_and_pages_go_on_where_they_ended(
    client: TestClient, judged: int
) -> None:
    path, sort = f"/sweeps/{judged}/trials", "total_trades,-exit_funding_rate,-net_pnl"
    every = client.get(path).json()["trials"]

    def key(trial: dict[str, Any]) -> tuple[Any, ...]:
        found = trial["metrics"]
        exits = Decimal(trial["params"]["exit_funding_rate"])
        return (
            not trial["eligible"],
            found["total_trades"],
            -exits,
            -Decimal(found["net_pnl"]),
            trial["number"],
        )

    wanted = [trial["number"] for trial in sorted(every, key=key)]
    assert wanted != [trial["number"] for trial in every]
    seen, cursor = [], None
    while cursor is not None or not seen:
        query = {"sort": sort, "limit": 7, **({"cursor": cursor} if cursor else {})}
        page = client.get(path, params=query).json()
        seen += [trial["number"] for trial in page["trials"]]
        cursor = page["next_cursor"]
    assert seen == wanted
    table = client.get(
        f"/dashboard/sweeps/{judged}/trials",
        params={"sort": sort, "cols": "net_pnl,total_trades", "distinct": "0"},
    )
    assert [int(number) for number in NUMBERS.findall(table.text)] == wanted
    assert 'data-then="total_trades,-exit_funding_rate,net_pnl" data-keep="sort-net_pnl"' in table.text
    assert "sort-sharpe" not in table.text
    for odd in ("total_trades,total_trades", "total_trades,", "a,b", "number,sharpe,net_pnl,psr,sortino"):
        assert client.get(path, params={"sort": odd}).json()["errors"][0]["field"] == "sort"


def test_equal_results_are_one_row_and_the_csv_of_a_view_has_its_trials_order_and_columns(
    client: TestClient, judged: int
) -> None:
    path = f"/sweeps/{judged}/trials"
    every = client.get(path).json()["trials"]
    names = ("net_pnl", "total_fees", "max_drawdown", "total_trades", "funding_payments", "liquidations")
    groups: dict[tuple[Any, ...], list[int]] = {}
    for trial in every:
        groups.setdefault(tuple(trial["metrics"][name] for name in names), []).append(trial["number"])
    assert 1 < len(groups) < len(every)
    folded = client.get(path, params={"distinct": "true", "sort": "-net_pnl"}).json()["trials"]
    assert {(trial["number"], trial["equal"]) for trial in folded} == {
        (min(numbers), len(numbers)) for numbers in groups.values()
    }
    page = client.get(f"/dashboard/sweeps/{judged}/trials", params={"sort": "-net_pnl"}).text
    assert [int(number) for number in NUMBERS.findall(page)] == [trial["number"] for trial in folded]
    [*_, (_, *others)] = sorted(groups.values(), key=len)
    client.patch(f"{path}/{others[-1]}", json={"name": "mine"})
    client.patch(f"{path}/{others[-2]}", json={"pinned": True})
    marked = client.get(path, params={"distinct": "true"}).json()["trials"]
    assert len(marked) == len(groups) + 1
    assert [trial["equal"] for trial in marked if trial["mark"]] == [len(others) + 1] * 2
    client.patch(f"{path}/{others[-1]}", json={"name": ""})
    client.patch(f"{path}/{others[-2]}", json={"pinned": False})

    view = {"sort": "-net_pnl", "distinct": "1", "exit_funding_rate": "0", "columns": "sharpe,net_pnl"}
    answer = client.get(f"/sweeps/{judged}/export/view", params=view)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="sweep-{judged}-view.csv"'
    found = rows_of(answer.text)
    wanted = client.get(path, params={name: text for name, text in view.items() if name != "columns"}).json()
    assert list(found[0]) == [
        *("number", "equal_trials", "min_funding_rate", "exit_funding_rate", "sharpe", "net_pnl"),
        *("p_luck", "plateau", "state", "eligible"),
    ]
    shown = [(int(row["number"]), int(row["equal_trials"]), Decimal(row["net_pnl"])) for row in found]
    assert shown == [
        (trial["number"], trial["equal"], Decimal(trial["metrics"]["net_pnl"])) for trial in wanted["trials"]
    ]
    assert [float(row["plateau"]) for row in found] == [trial["plateau"] for trial in wanted["trials"]]
    odd = client.get(f"/sweeps/{judged}/export/view", params={"columns": "sharp"})
    assert odd.json()["errors"] == [{"field": "columns", "message": '"sharp" is no metric'}]
