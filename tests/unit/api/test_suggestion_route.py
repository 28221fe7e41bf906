"""Thresholds suggested for a window, over HTTP, in the forms and on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sweeping import BASE
from webservice import DATABASE, Hands

from carrygrid.cli import main

QUERY = {"exchange": "synthetic", "symbols": "BTC/USDT:USDT", "start": "2024-01-10", "end": "2024-03-30"}
HTML = {"Accept": "text/html"}


def start_of(client: TestClient, path: str) -> dict[str, Any]:
    page = client.get(path, headers=HTML).text
    text = page.split('id="start-with"')[1].split(">", 1)[1].split("</script>")[0]
    document: dict[str, Any] = json.loads(text)
    return document


def test_suggestion_of_a_window_trades_in_it(client: TestClient, hands: Hands) -> None:
    found = client.get("/data/suggestion", params=QUERY).json()
    assert found["settlements"] > 200
    simple = found["strategies"]["simple"]
    assert simple["notes"][0].startswith("80% of this window's settlements are below ")
    base = {**BASE, **simple["parameters"]}
    grid = simple["grid"]
    body = {"base": {name: base[name] for name in base if name not in grid}, "grid": grid}
    sweep = client.post("/sweeps", json=body)
    assert sweep.status_code == 202, sweep.text
    hands.work(sweep.json()["id"])
    trials = client.get(f"/sweeps/{sweep.json()['id']}/trials?limit=1000").json()["trials"]
    assert any(trial["metrics"]["total_trades"] for trial in trials)


def test_another_window_suggests_other_thresholds(client: TestClient) -> None:
    whole = client.get("/data/suggestion", params=QUERY).json()
    part = client.get("/data/suggestion", params=QUERY | {"end": "2024-01-20"}).json()
    assert part["settlements"] < whole["settlements"]
    assert part["quantiles_8h"] != whole["quantiles_8h"]


def test_rates_of_a_window_are_counted_in_bins_beside_the_thresholds_they_are_compared_with(
    client: TestClient,
) -> None:
    found = client.get("/data/suggestion", params=QUERY).json()
    rates = found["rates_8h"]
    assert sum(rates["counts"]) == found["settlements"]
    assert rates["start"] + rates["width"] * len(rates["counts"]) <= rates["highest"] + 1e-12
    assert rates["gates"] == {"min_funding_rate": "enter", "exit_funding_rate": "leave"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"symbols": "NO/USDT:USDT"}, "symbols"),
        ({"exchange": "mtgox"}, "exchange"),
        ({"start": "soon"}, "start"),
        ({"start": "2030-01-01", "end": "2031-01-01"}, "start"),
    ],
)
def test_refused_question_names_its_field(client: TestClient, changes: dict[str, str], field: str) -> None:
    problem = client.get("/data/suggestion", params=QUERY | changes)
    assert problem.status_code == 422
    assert [error["field"] for error in problem.json()["errors"]] == [field]


def test_forms_begin_with_what_their_window_suggests(client: TestClient) -> None:
    run = start_of(client, "/dashboard/backtest")["spec"]
    asked = {"exchange": run["exchange"], "symbols": run["symbols"], "start": run["start"], "end": run["end"]}
    simple = client.get("/data/suggestion", params=asked).json()["strategies"]["simple"]
    assert run == run | simple["parameters"]
    assert run["min_funding_rate"] != "0.0003"
    sweep = start_of(client, "/dashboard/sweeps/new")["spec"]
    assert sweep["grid"] == simple["grid"]
    assert client.post("/sweeps/validate", json={**sweep, "name": "first"}).status_code == 200
    compare = client.get("/dashboard/compare", headers=HTML).text
    assert f"&#34;min_funding_rate&#34;: &#34;{simple['parameters']['min_funding_rate']}&#34;" in compare


def test_command_prints_the_same_suggestion(
    client: TestClient, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = client.get("/data/suggestion", params=QUERY).json()
    monkeypatch.setenv("CARRYGRID_DATABASE_URL", f"sqlite:///{home / DATABASE}")
    arguments = ["--exchange", "synthetic", "--symbols", "BTC/USDT:USDT", "--start", "2024-01-10"]
    for more in ([], ["--json"]):
        with pytest.raises(SystemExit) as leaving:
            main(["data", "suggest", *arguments, "--end", "2024-03-30", *more])
        assert not leaving.value.code
        out = capsys.readouterr().out
        if more:
            assert json.loads(out) == expected
        else:
            assert expected["strategies"]["simple"]["notes"][0] in out
