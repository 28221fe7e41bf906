"""Names, notes and pins of trials over HTTP, in the client's words, on the page, and after a deletion."""

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from webservice import Hands, Reader

from sweeps.storage.tables import trial_mark


def test_marks_are_kept_with_their_trial_and_shown_wherever_it_is(
    client: TestClient, hands: Hands, finished: int
) -> None:
    path = f"/sweeps/{finished}/trials/7"
    assert client.get(path).json()["mark"] is None
    found = client.patch(path, json={"name": " <b>calm</b> ", "note": "first line\nsecond", "pinned": True})
    wanted = {"number": 7, "name": "<b>calm</b>", "note": "first line\nsecond", "pinned": True}
    assert found.json() == wanted
    client.patch(f"/sweeps/{finished}/trials/3", json={"pinned": True})
    assert client.get(path).json()["mark"] == wanted
    listed = client.get(f"/sweeps/{finished}/trials").json()["trials"]
    assert {trial["number"] for trial in listed if trial["mark"]} == {3, 7}
    assert [mark["number"] for mark in client.get(f"/sweeps/{finished}/marks").json()["marks"]] == [3, 7]
    page = client.get(f"/dashboard/sweeps/{finished}").text
    assert '"pins": "3,7"' in page
    assert "&lt;b&gt;calm&lt;/b&gt;" in page
    assert "<b>calm" not in page
    assert client.patch(path, json={"note": ""}).json() == {**wanted, "note": ""}
    client.patch(path, json={"name": "", "pinned": False})
    assert client.get(path).json()["mark"] is None
    assert [mark["number"] for mark in client.get(f"/sweeps/{finished}/marks").json()["marks"]] == [3]
    client.delete(f"/sweeps/{finished}")
    with hands.engine.connect() as connection:
        assert connection.execute(sa.select(trial_mark)).all() == []


def test_a_sixth_pin_and_marks_that_cannot_be_kept_are_refused_by_field(reader: Reader) -> None:
    client, path = reader.client, f"/sweeps/{reader.sweep_id}/trials"
    for number in range(5):
        assert client.patch(f"{path}/{number}", json={"pinned": True}).status_code == 200
    assert client.patch(f"{path}/4", json={"pinned": True}).status_code == 200
    sixth = client.patch(f"{path}/5", json={"pinned": True})
    message = "trials 0, 1, 2, 3, 4 are pinned, the most there can be: unpin one"
    assert (sixth.status_code, sixth.json()["errors"]) == (422, [{"field": "pinned", "message": message}])
    for number in range(5):
        client.patch(f"{path}/{number}", json={"pinned": False})
    assert client.get(f"/sweeps/{reader.sweep_id}/marks").json() == {"marks": []}
    assert client.patch(f"{path}/20", json={"pinned": True}).status_code == 404
    assert client.patch("/sweeps/99/trials/0", json={"pinned": True}).status_code == 404
    assert client.get("/sweeps/99/marks").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "a\x07"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"note": "x" * 10_001}, "note"),
        ({"note": "\x00"}, "note"),
        ({"pinned": "yes"}, "pinned"),
        ({"pin": True}, "pin"),
        ({"name": float(Decimal(1))}, "name"),
    ],
)
def test_refused_mark_names_its_field(reader: Reader, body: dict[str, Any], field: str) -> None:
    answer = reader.client.patch(f"/sweeps/{reader.sweep_id}/trials/0", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
