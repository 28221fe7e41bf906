"""The table of trials on a sweep's page: its columns, what they are sorted and selected by."""

import re

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
    table = client.get(f"/dashboard/sweeps/{judged}/trials", params={"sort": "-plateau"}).text
    assert [int(number) for number in NUMBERS.findall(table)] == [trial["number"] for trial in trials]
    assert f">{known[-1]:,.2f}</td>" in table
    for name in ("plateau", "p_luck"):
        assert f'href="/dashboard/glossary#{name}"' in table
    chosen = client.get(f"/dashboard/sweeps/{judged}/trials", params={"plateau": f"{known[-1]}.."}).text
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
