"""Input with very many or very large mistakes: answers stay small, work stays linear, nothing is a 5xx."""

import json
import sys
import tracemalloc
from collections import Counter
from typing import Any, ClassVar

import pytest
from fastapi.testclient import TestClient
from webservice import Reader, sweep_body

from api.middleware.body import parse_object
from bot.config.fields import load_json
from bot.config.run_config import RunConfig
from bot.errors import MOST_ERRORS, FieldErrors, InvalidInputError
from sweeps.spec.spec import SweepSpec

JSON = {"Content-Type": "application/json"}
LARGEST_ANSWER = 32_000
LONG = "9" * 100_000


def refused(client: TestClient, body: bytes, path: str = "/sweeps") -> dict[str, Any]:
    response = client.post(path, content=body, headers=JSON)
    assert response.status_code == 422, response.text[:500]
    assert len(response.content) <= LARGEST_ANSWER
    problem: dict[str, Any] = response.json()
    return problem


@pytest.mark.parametrize(
    ("place", "prefix"),
    [
        ("", ""),
        ("base", "base."),
        ("base.instrument", "base.instrument."),
        ("sampler", "sampler."),
        ("objective", "objective."),
    ],
)
def test_the_first_unknown_names_are_listed_and_the_others_counted(
    client: TestClient, place: str, prefix: str
) -> None:
    unknown = {f"name_{index:05}": index for index in range(500)}
    body = sweep_body()
    if place == "base.instrument":
        body["base"] = {**body["base"], "instrument": unknown}
    elif place:
        body[place] = {**body.get(place, {}), **unknown}
    else:
        body |= unknown
    problem = refused(client, json.dumps(body).encode())
    names = [f"{prefix}name_{index:05}" for index in range(MOST_ERRORS)]
    assert [error["field"] for error in problem["errors"]] == names
    assert problem["detail"].endswith("; and 480 more")


def test_refused_values_of_an_axis_are_listed_up_to_the_limit(client: TestClient) -> None:
    body = sweep_body(grid={"perp_leverage": [f"x{index}" for index in range(300)]})
    problem = refused(client, json.dumps(body).encode())
    assert len(problem["errors"]) == MOST_ERRORS
    assert problem["detail"].endswith("; and 280 more")


def test_single_run_lists_the_first_unknown_names_and_counts_the_others() -> None:
    values = {"symbols": ["X"], "start": "2024-01-01", "end": "2024-01-02"}
    with pytest.raises(InvalidInputError) as refusal:
        RunConfig.parse(values | {f"name_{index}": "x" * 1000 for index in range(100)})
    assert (len(refusal.value.errors), refusal.value.more) == (MOST_ERRORS, 80)
    assert refusal.value.errors[0].message.endswith("... (1,000 characters))")


def test_errors_of_parts_are_counted_together() -> None:
    found = FieldErrors()
    for part in range(3):
        errors = [InvalidInputError.of(f"{part}.{index}", "bad").errors[0] for index in range(30)]
        found.take(InvalidInputError(errors))
    with pytest.raises(InvalidInputError) as refusal:
        found.raise_if_any()
    assert (len(refusal.value.errors), refusal.value.more) == (MOST_ERRORS, 70)


@pytest.mark.parametrize(
    "value",
    [
        f'"{LONG}"',
        f"0.{LONG}",
        f"{LONG}.5",
        f'"0.{LONG}"',
        "[" + "1," * 50_000 + "1]",
        "{" + ",".join(f'"{index}": 1' for index in range(20_000)) + "}",
        f'{{"{LONG}": 1}}',
    ],
    ids=["text", "decimal", "large", "decimal text", "list", "object", "name"],
)
@pytest.mark.parametrize(
    "place",
    [
        '"nmae": %s',
        '"name": %s',
        '"curves": %s',
        '"objective": %s',
        '"sampler": %s',
        '"constraints": %s',
        '"constraints": [%s]',
        '"linked": [%s]',
        '"extensions": %s',
        '"base": {"slippage_bps": %s}',
        '"base": {"symbols": %s}',
        '"base": {"start": %s}',
        '"base": {"preset": %s}',
        '"base": {"exchange": %s}',
        '"base": {"strategy_mode": %s}',
        '"base": {"nmae": %s}',
        '"grid": {"perp_leverage": %s}',
        '"grid": {"perp_leverage": [%s]}',
        '"grid": {"perp_leverage": {"start": 1, "stop": %s, "step": 1}}',
        '"grid": {"entry_threshold": {"values": [1], "when": %s}}',
        '"grid": {"entry_threshold": {"values": [1], "when": {"strategy_mode": %s}}}',
    ],
)
def test_message_never_repeats_a_large_value(place: str, value: str) -> None:
    document = load_json("{" + place % value + "}")
    assert isinstance(document, dict)
    merged = {**sweep_body(), **document}
    merged["base"] = {**sweep_body()["base"], **document.get("base", {})}
    with pytest.raises(InvalidInputError) as refusal:
        SweepSpec.parse(merged)
    assert len(refusal.value.message) < LARGEST_ANSWER


@pytest.mark.parametrize("number", ["0." + "3" * 8_000_000, '"0.' + "3" * 7_900_000 + '"'])
def test_decimal_of_millions_of_digits_is_refused_in_a_short_answer(client: TestClient, number: str) -> None:
    body = json.dumps(sweep_body()).replace('"min_volume_24h": "0"', f'"min_volume_24h": {number}')
    problem = refused(client, body.encode())
    assert problem["errors"][0]["field"] == "base.min_volume_24h"
    assert "significant digits, at most 15" in problem["detail"]
    assert "characters)" in problem["detail"]


@pytest.mark.parametrize(
    "number", ["1e999999999", "-1e999999999", "1e-999999999", "1e999999", '"1e999999999"']
)
@pytest.mark.parametrize("name", ["slippage_bps", "perp_leverage", "min_holding_periods", "initial_capital"])
def test_number_of_any_exponent_is_refused_in_plain_words(client: TestClient, name: str, number: str) -> None:
    body = json.dumps(sweep_body(base={**sweep_body()["base"], name: 0}, grid={}))
    problem = refused(client, body.replace(f'"{name}": 0', f'"{name}": {number}').encode())
    assert [error["field"] for error in problem["errors"]] == [f"base.{name}"]
    assert any(words in problem["detail"] for words in ("not between -1e15 and 1e15", "nearer to 0"))


def test_condition_of_an_axis_has_no_more_values_than_an_axis(client: TestClient) -> None:
    when = {"strategy_mode": ["x"] * 10_001}
    body = sweep_body(grid={"entry_threshold": {"values": [1], "when": when}})
    problem = refused(client, json.dumps(body).encode())
    assert problem["detail"] == "grid.entry_threshold.when: has 10,001 values, at most 10,000 are allowed"


@pytest.mark.parametrize(
    "changes",
    [
        {"tags": [1] * 1000},
        {"tags": "x" * 100_000},
        {"note": ["x" * 100_000]},
        {"extend_to": "x" * 100_000},
        {"n": "9" * 100_000},
        {f"name_{index}": 1 for index in range(1000)},
        {"add_values": {"x" * 100_000: [1]}},
        {"add_values": {"perp_leverage": ["x"] * 9_000}},
    ],
)
def test_change_with_large_mistakes_gets_a_short_answer(reader: Reader, changes: dict[str, Any]) -> None:
    sweep_id = reader.client.post("/sweeps", json=sweep_body()).json()["id"]
    response = reader.client.patch(f"/sweeps/{sweep_id}", json=changes)
    assert response.status_code == 422
    assert len(response.content) <= LARGEST_ANSWER


class _Counted(str):
    """Text that counts how often it is compared."""

    comparisons: ClassVar[Counter[str]] = Counter()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        self.comparisons["all"] += 1
        return str.__eq__(self, other)


def test_a_repeated_key_is_found_in_work_that_grows_with_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.config import fields

    def comparisons(size: int) -> int:
        _Counted.comparisons.clear()
        pairs: list[tuple[str, object]] = [(_Counted(f"key {index}"), 1) for index in range(size)]
        with pytest.raises(ValueError, match='"key 7" is written twice'):
            fields._checked_object([*pairs, (_Counted("key 7"), 2)])
        return _Counted.comparisons["all"]

    assert comparisons(4000) < 6 * comparisons(1000) + 100


def test_place_of_a_value_is_written_out_for_errors_only() -> None:
    """A long name above many values made text of the length of both multiplied."""
    body = json.dumps({"n" * 200_000: [1] * 2000}).encode()
    tracemalloc.start()
    try:
        parse_object(body)
        assert tracemalloc.get_traced_memory()[1] < 20 * len(body)
    finally:
        tracemalloc.stop()


def test_place_of_a_refused_text_is_named() -> None:
    with pytest.raises(InvalidInputError) as refusal:
        parse_object(b'{"base": {"x": [1, {"y": "\\u0000"}]}}')
    assert refusal.value.errors[0].field == "base.x[1].y"
    assert sys.getsizeof(refusal.value.message) < 1000
