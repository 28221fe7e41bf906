"""A completed sweep with failures says so on every page and route, and why."""

import pytest
from fastapi.testclient import TestClient
from sweeping import OUTGROWN, partly_failing
from webservice import Hands, Reader, sweep_body

HTML = {"Accept": "text/html"}


@pytest.fixture
def partly(client: TestClient, hands: Hands) -> int:
    """Return the id of a completed sweep of which trials 2 and 3 failed."""
    body = sweep_body(**partly_failing(perp_leverage=[1, 2]))
    sweep_id = int(client.post("/sweeps", json=body).json()["id"])
    hands.work(sweep_id)
    return sweep_id


def test_sweep_keeps_its_state_and_tells_its_outcome(client: TestClient, partly: int) -> None:
    found = client.get(f"/sweeps/{partly}").json()
    assert (found["state"], found["outcome"]) == ("completed", "completed_with_failures")
    assert client.get("/sweeps?outcome=completed_with_failures").json()["sweeps"][0]["id"] == partly
    assert client.get("/sweeps?outcome=completed").json()["sweeps"] == []
    assert client.get("/sweeps?outcome=green").status_code == 422


def test_reasons_are_answered_with_counts_and_an_example(client: TestClient, partly: int) -> None:
    assert client.get(f"/sweeps/{partly}/failures").json() == {
        "failed": 2,
        "examined": 2,
        "reasons": [{"code": "out_of_range", "message": OUTGROWN, "trials": 2, "example": 2}],
    }
    assert client.get("/sweeps/999/failures").status_code == 404


def test_sweep_without_failures_answers_none(reader: Reader) -> None:
    found = reader.client.get(f"/sweeps/{reader.sweep_id}/failures").json()
    assert found == {"failed": 0, "examined": 0, "reasons": []}
    assert reader.client.get(f"/sweeps/{reader.sweep_id}").json()["outcome"] == "completed"


def test_pages_show_failures_as_such_and_not_as_completed(client: TestClient, partly: int) -> None:
    state = '<span class="state completed_with_failures">completed with failures</span>'
    listed = client.get("/", headers=HTML).text
    assert state in listed
    assert 'class="state completed"' not in listed
    page = client.get(f"/dashboard/sweeps/{partly}", headers=HTML).text
    assert state in page
    assert "<strong>2 trials failed</strong>" in page
    assert OUTGROWN in page
    assert f'href="/dashboard/sweeps/{partly}/trials/2"' in page


def test_list_page_can_be_narrowed_to_sweeps_with_failures(client: TestClient, partly: int) -> None:
    listed = client.get("/?state=completed_with_failures", headers=HTML).text
    assert f'href="/dashboard/sweeps/{partly}"' in listed
    assert '<option value="completed_with_failures" selected>completed with failures</option>' in listed
