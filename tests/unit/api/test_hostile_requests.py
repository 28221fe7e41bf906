"""Requests meant to break things: each gets a problem document that names what is wrong, never a 5xx."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from webservice import Reader, sweep_body

from api.middleware.body import MAX_BYTES

JSON = {"Content-Type": "application/json"}


def problem_of(response: Any) -> dict[str, Any]:
    """Return the problem document, checked for what every one has."""
    assert 400 <= response.status_code < 500, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == response.status_code
    assert problem["type"].startswith("urn:carrygrid:problem:")
    assert problem["title"]
    assert problem["detail"]
    return problem


def fields_of(response: Any) -> list[str]:
    assert response.status_code == 422
    return [error["field"] for error in problem_of(response)["errors"]]


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e400", "9" * 10_000, "1e-300", "true", "[[]]"]
)
def test_number_that_is_none_is_refused(client: TestClient, number: str) -> None:
    body = json.dumps(sweep_body()).replace('"min_volume_24h": "0"', f'"min_volume_24h": {number}')
    problem_of(client.post("/sweeps", content=body, headers=JSON))
    assert client.get("/sweeps").json()["sweeps"] == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[1]",
        b"\xff",
        b"{",
        b'{"name": "\\ud800", "base": {}, "grid": {}}',
        b'{"name": "a\\u0000", "base": {}, "grid": {}}',
        b'{"base": ' * 100_000,
        b'{"base": [[[[[[[[]]]]]]]], "grid": 5, "constraints": {"a": 1}, "objective": [], "curves": 7}',
        b'{"base": {"\\ud800": 1}, "grid": {}}',
    ],
)
def test_broken_body_is_refused(client: TestClient, body: bytes) -> None:
    problem_of(client.post("/sweeps", content=body, headers=JSON))


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"nmae": "x"}, "nmae", ""),
        ({"name": "x" * 201}, "name", ""),
        ({"name": "bell\x07"}, "name", "\\u0007"),
        ({"base": {"symbols": ["NOPE/USDT:USDT"]}}, "base.symbols[0]", "NOPE/USDT:USDT"),
        ({"base": {"exchange": "mtgox"}}, "base.exchange", "mtgox"),
        ({"base": {"start": "2019-01-01", "end": "2019-02-01"}}, "base.start", "2019-01-01"),
        ({"base": {"start": "2023-01-01"}}, "base.start", "2023-01-01"),
        ({"base": {"end": "2024-01-02"}}, "base.end", "2024-01-02"),
        ({"base": {"initial_capital": "-1"}}, "base.initial_capital", "-1"),
        ({"base": {"slippage_bps": "1.2345678901234567"}}, "base.slippage_bps", "1.2345678901234567"),
        ({"base": {"leverage": 3}}, "base.leverage", ""),
        ({"grid": {"perp_leverage": [1, 2, "x"]}}, "grid.perp_leverage.values[2]", "x"),
        ({"grid": {"perp_leverage": [1, 1.0]}}, "grid.perp_leverage.values[1]", "1"),
        ({"grid": {"perp_leverage": []}}, "grid.perp_leverage", ""),
        ({"grid": {"x": [1]}}, "grid.x", "x"),
        (
            {
                "grid": {
                    name: {"start": "1", "stop": "10000", "step": "1"}
                    for name in ("perp_leverage", "min_volume_24h", "initial_capital")
                }
            },
            "grid",
            "1,000,000",
        ),
        ({"grid": {"symbols": ["BTC/USDT:USDT", "NO/USDT:USDT"]}}, "grid.symbols.values[1]", "NO/USDT:USDT"),
        ({"constraints": ["__import__('os').system('true')"]}, "constraints[0]", ""),
        ({"constraints": ["perp_leverage ** 9 ** 9 > 1"]}, "constraints[0]", ""),
        ({"objective": {"metric": "luck"}}, "objective.metric", "luck"),
        ({"sampler": {"kind": "guess"}}, "sampler.kind", "guess"),
    ],
)
def test_refusal_names_field_and_value_and_leaves_nothing(
    client: TestClient, changes: dict[str, Any], field: str, value: str
) -> None:
    body = sweep_body()
    body["base"] |= changes.pop("base", {})
    if "symbols" in changes.get("grid", {}):
        del body["base"]["symbols"]
    response = client.post("/sweeps", json=body | changes)
    assert fields_of(response)[0] == field
    assert value in response.json()["errors"][0]["message"]
    assert client.get("/sweeps").json()["sweeps"] == []


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data"]
)
def test_body_that_is_not_declared_as_json_is_refused(client: TestClient, content_type: str) -> None:
    response = client.post(
        "/sweeps", content=json.dumps(sweep_body()), headers={"Content-Type": content_type}
    )
    assert problem_of(response)["status"] == 415


def test_body_over_the_limit_is_refused_by_declared_and_by_real_size(client: TestClient) -> None:
    too_large = b'{"name": "' + b"x" * MAX_BYTES + b'"}'
    declared = client.post("/sweeps", content=too_large, headers=JSON)
    pieces = (too_large[start : start + 65_536] for start in range(0, len(too_large), 65_536))
    streamed = client.post("/sweeps", content=pieces, headers=JSON)
    for response in (declared, streamed):
        assert problem_of(response)["status"] == 413
        assert "8,388,608" in response.json()["detail"]


@pytest.mark.parametrize(
    "sweep_id", ["0", "-1", "77", "9999999999999999999", "9" * 400, "abc", "1.5", "%00", "１"]
)
@pytest.mark.parametrize(
    "rest", ["", "/trials", "/heatmap?x=a&y=b", "/events", "/trials/0", "/trials/0/equity"]
)
def test_sweep_that_is_not_there_is_refused(reader: Reader, sweep_id: str, rest: str) -> None:
    assert problem_of(reader.client.get(f"/sweeps/{sweep_id}{rest}"))["status"] in {404, 422}


@pytest.mark.parametrize("sweep_id", ["0", "77", "9999999999999999999", "x"])
@pytest.mark.parametrize(("method", "rest"), [("POST", "/cancel"), ("POST", "/resume"), ("DELETE", "")])
def test_change_of_a_sweep_that_is_not_there_is_refused(
    reader: Reader, sweep_id: str, method: str, rest: str
) -> None:
    response = reader.client.request(method, f"/sweeps/{sweep_id}{rest}")
    assert problem_of(response)["status"] in {404, 422}


@pytest.mark.parametrize("written", ["{}%20", "%20{}", "+{}", "{}.0", "{}_0"])
def test_sweep_is_named_by_digits_alone(reader: Reader, written: str) -> None:
    path = f"/sweeps/{written.format(reader.sweep_id)}"
    assert fields_of(reader.client.delete(path)) == ["sweep_id"]
    assert reader.client.get(f"/sweeps/{reader.sweep_id}").status_code == 200


@pytest.mark.parametrize("number", ["-1", "20", "9999999999999999999", "9" * 400, "x"])
@pytest.mark.parametrize("rest", ["", "/equity", "/trades"])
def test_trial_that_is_not_there_is_refused(reader: Reader, number: str, rest: str) -> None:
    assert problem_of(reader.client.get(f"/sweeps/{reader.sweep_id}/trials/{number}{rest}"))["status"] in {
        404,
        422,
    }


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=" + "9" * 5000,
        "limit=x",
        "sort=luck",
        "sort=%00",
        "sort=" + "x" * 100,
        "cursor=%00",
        "cursor=WzFlOTk5LCAxXQ",
        "cursor=bm9wZQ",
        "cursor=" + "A" * 501,
        "state=lost",
        "nope=1",
        "perp_leverage=7",
        "perp_leverage=%ff",
        "symbols=x",
    ],
)
def test_page_that_makes_no_sense_is_refused(reader: Reader, query: str) -> None:
    response = reader.client.get(f"/sweeps/{reader.sweep_id}/trials?{query}")
    if response.status_code != 200:
        assert problem_of(response)["status"] == 422
    else:
        assert query == "cursor=WzFlOTk5LCAxXQ"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "x=perp_leverage",
        "x=perp_leverage&y=perp_leverage",
        "x=perp_leverage&y=nope",
        "x=perp_leverage&y=min_funding_rate&metric=luck",
        "x=perp_leverage&y=min_funding_rate&agg=most",
        "x=perp_leverage&y=min_funding_rate&perp_leverage=1",
        "x=perp_leverage&y=min_funding_rate&exit_funding_rate=9",
        "x=perp_leverage&y=min_funding_rate&other=9",
    ],
)
def test_heatmap_that_makes_no_sense_is_refused(reader: Reader, query: str) -> None:
    assert problem_of(reader.client.get(f"/sweeps/{reader.sweep_id}/heatmap?{query}"))["status"] == 422


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/%00", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/dashboard/static/x/..%2f..%2fmain.py", 404),
        ("PUT", "/sweeps", 405),
        ("DELETE", "/healthz", 405),
        ("GET", "/sweeps/1/cancel", 405),
        ("GET", "/backtests/validate", 405),
    ],
)
def test_unknown_path_or_method_is_a_problem_document(
    client: TestClient, method: str, path: str, status: int
) -> None:
    assert problem_of(client.request(method, path, follow_redirects=False))["status"] == status


@pytest.mark.parametrize(
    ("path", "possible"),
    [
        ("/sweeps", "GET, POST"),
        ("/sweeps/validate", "POST"),
        ("/backtests/validate", "POST"),
        ("/sweeps/1", "DELETE, GET, PATCH"),
        ("/dashboard/login", "GET"),
    ],
)
def test_refused_method_comes_with_all_that_are_possible(reader: Reader, path: str, possible: str) -> None:
    refusal = reader.client.put(path)
    assert problem_of(refusal)["status"] == 405
    assert refusal.headers["allow"] == possible


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_idempotency_key_out_of_bounds_is_refused(client: TestClient, key: str) -> None:
    response = client.post("/sweeps", json=sweep_body(), headers={"Idempotency-Key": key})
    assert fields_of(response) == ["idempotency-key"]


@pytest.mark.parametrize("route", ["trials", "heatmap", "overview", "aggregate"])
def test_query_parameter_given_twice_is_refused_instead_of_using_the_last(reader: Reader, route: str) -> None:
    asked = "x=perp_leverage&y=exit_funding_rate&" if route == "heatmap" else ""
    answer = reader.client.get(f"/sweeps/{reader.sweep_id}/{route}?{asked}perp_leverage=1&perp_leverage=5")
    problem = problem_of(answer)
    assert problem["detail"] == (
        'perp_leverage: is given 2 times: ["1", "5"]; give it once, as a value or lowest..highest'
    )


@pytest.mark.parametrize(
    "name", ["family \U0001f468\u200d\U0001f469\u200d\U0001f467", "\u0645\u06cc\u200c\u062e"]
)
def test_name_with_joiners_is_accepted(client: TestClient, name: str) -> None:
    answer = client.post("/sweeps", json=sweep_body(name=name))
    assert (answer.status_code, answer.json()["name"]) == (202, name)
