"""Routes about the selection of a sweep: answers while it runs and once it is judged, and refusals."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from selecting import do_jobs
from webservice import Hands, sweep_body


def created(client: TestClient, **changes: Any) -> int:
    return int(client.post("/sweeps", json=sweep_body(**changes)).json()["id"])


def test_report_is_there_once_the_sweep_is_judged(client: TestClient, hands: Hands, finished: int) -> None:
    path = f"/sweeps/{finished}/selection"
    first = client.get(path)
    assert (first.status_code, first.json()["share"], first.json()["so_far"]) == (202, 0.0, None)
    assert first.headers["Retry-After"] == "1"
    assert do_jobs(hands.engine) == ["completed"]
    found = client.get(first.headers["Location"])
    assert found.status_code == 200
    assert found.json() == client.get(path).json()
    report = found.json()
    assert (report["sweep"], report["state"], report["verdict"]) == (finished, "completed", "too_little")
    assert report["missing"]["cash"] == "26 weeks needed, 11 held"
    assert report["meaning"] == "too little to judge by"
    assert report["sentence"].endswith("Too little to judge by: 26 weeks needed, 11 held.")
    assert report["settings"]["blocks"] == 12
    assert [panel["days"] for panel in report["panels"]] == [81]


def test_running_sweep_answers_202_with_the_report_on_its_trials_so_far(
    client: TestClient, hands: Hands
) -> None:
    sweep_id = created(client)
    before = client.get(f"/sweeps/{sweep_id}/selection")
    assert (before.status_code, before.json()["so_far"]) == (202, None)
    hands.split(sweep_id, 8)
    hands.work(sweep_id, chunks=1)
    found = client.get(f"/sweeps/{sweep_id}/selection")
    assert found.status_code == 202
    assert (found.json()["trials_done"], found.json()["share"]) == (8, None)
    assert found.json()["so_far"]["trials"]["tried"] == 8
    other = client.post(f"/sweeps/{sweep_id}/selection", json={"blocks": 6})
    assert other.status_code == 409
    assert other.json()["detail"].endswith("judge it by other settings once it has ended")


def test_other_settings_are_judged_where_the_answer_says(
    client: TestClient, hands: Hands, finished: int
) -> None:
    do_jobs(hands.engine)
    asked = client.post(
        f"/sweeps/{finished}/selection", json={"blocks": 6, "walk_forward": {"train_days": 30}}
    )
    assert asked.status_code == 202
    assert do_jobs(hands.engine) == ["completed"]
    found = client.get(asked.headers["Location"]).json()
    assert found["settings"]["blocks"] == 6
    assert found["settings"]["walk_forward"] == {
        "train_days": 30,
        "test_days": 90,
        "anchored": False,
        "gap_days": 0,
    }
    assert client.get(f"/sweeps/{finished}/selection").json()["settings"]["blocks"] == 12


@pytest.mark.parametrize(
    ("settings", "field", "message"),
    [
        ({"blocks": 7}, "blocks", "7 is not an even number from 6 to 16"),
        ({"block": 6}, "block", "is not a known parameter (given: 6)"),
        (
            {"walk_forward": {"test_days": 1}},
            "walk_forward.test_days",
            "1: input should be greater than or equal to 2",
        ),
        ({"test_symbols": ["X/USDT:USDT"]}, "test_symbols[0]", '"X/USDT:USDT" is not traded by any trial'),
    ],
)
def test_refused_settings_are_named_by_field_and_reason(
    client: TestClient, finished: int, settings: dict[str, Any], field: str, message: str
) -> None:
    answer = client.post(f"/sweeps/{finished}/selection", json=settings)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": field, "message": message}]
    submitted = client.post("/sweeps", json=sweep_body(validation=settings))
    assert submitted.json()["errors"] == [{"field": f"validation.{field}", "message": message}]


def test_sweep_without_validation_says_how_it_is_judged(client: TestClient, hands: Hands) -> None:
    sweep_id = created(client, validation=False)
    hands.work(sweep_id)
    answer = client.get(f"/sweeps/{sweep_id}/selection")
    assert answer.status_code == 409
    assert "was submitted without validation; judge it by settings of your own" in answer.json()["detail"]
    assert client.post(f"/sweeps/{sweep_id}/selection", json={}).status_code == 202
    page = client.get(f"/dashboard/sweeps/{sweep_id}/selection")
    assert "was submitted without validation" in page.text


def test_unknown_sweeps_panels_and_settings_are_refused(
    client: TestClient, hands: Hands, finished: int
) -> None:
    do_jobs(hands.engine)
    assert client.get("/sweeps/999/selection").status_code == 404
    panel = client.get(f"/sweeps/{finished}/selection", params={"panel": "1"})
    assert panel.json()["errors"] == [{"field": "panel", "message": "1 is not from 0 to 0"}]
    settings = client.get(f"/sweeps/{finished}/selection", params={"settings": "abc"})
    assert settings.json()["errors"][0]["field"] == "settings"


def test_page_of_a_sweep_says_the_verdict_in_words(client: TestClient, hands: Hands, finished: int) -> None:
    path = f"/dashboard/sweeps/{finished}/selection"
    assert "data-unfinished" in client.get(path).text
    do_jobs(hands.engine)
    text = client.get(path).text
    assert "data-unfinished" not in text
    assert ">too little to judge by</strong>" in text
    assert "26 weeks needed, 11 held" in text
    assert f'data-source="{path}"' in client.get(f"/dashboard/sweeps/{finished}").text
