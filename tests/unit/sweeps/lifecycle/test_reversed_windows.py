"""Sweeps with trials that would end before they start are refused, before anything runs."""

from typing import Any

import pytest
from sweeping import BASE

from bot.errors import InvalidInputError
from sweeps.lifecycle.extend_clone import extended_spec
from sweeps.lifecycle.reversed_windows import refuse_reversed_windows
from sweeps.spec.spec import SweepSpec

STARTS, ENDS = ["2024-01-10", "2024-03-01"], ["2024-02-01", "2024-04-01"]
WITHOUT = {name: value for name, value in BASE.items() if name not in ("start", "end")}
CROSSED: dict[str, Any] = {"base": WITHOUT, "grid": {"start": STARTS, "end": ENDS}}
MORE = ", and 2 more windows end before their start"
HINT = '; the constraint "start <= end" leaves such trials out'


def refusal(changes: dict[str, Any]) -> str:
    with pytest.raises(InvalidInputError) as caught:
        refuse_reversed_windows(SweepSpec.parse(changes))
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            CROSSED,
            f"grid.end.values[0]: 2024-02-01T00:00:00Z is before start 2024-03-01T00:00:00Z{HINT}",
        ),
        (
            {"base": WITHOUT, "grid": {"start": STARTS, "end": ["2024-01-01", *ENDS]}},
            "grid.end.values[0]: 2024-01-01T00:00:00Z is before start 2024-01-10T00:00:00Z" + MORE + HINT,
        ),
        (
            {"base": WITHOUT | {"start": "2024-03-01"}, "grid": {"end": ENDS}},
            "grid.end.values[0]: 2024-02-01T00:00:00Z is before start 2024-03-01T00:00:00Z",
        ),
        (
            {"base": WITHOUT | {"end": "2024-02-01"}, "grid": {"start": STARTS}},
            "grid.start.values[1]: 2024-03-01T00:00:00Z is after end 2024-02-01T00:00:00Z",
        ),
    ],
)
def test_trial_that_would_end_before_it_starts_is_refused_by_field_and_value(
    changes: dict[str, Any], told: str
) -> None:
    assert refusal(changes) == told


@pytest.mark.parametrize(
    "changes",
    [
        {"constraints": ["start <= end"]},
        {"linked": [["start", "end"]]},
        {"sampler": {"kind": "random", "n": 2, "seed": 1}},
        {"grid": {"start": STARTS, "end": ["2024-03-01", "2024-04-01"]}},
    ],
)
def test_combinations_that_are_no_trials_are_not_asked_about(changes: dict[str, Any]) -> None:
    refuse_reversed_windows(SweepSpec.parse(CROSSED | changes))


def test_sweep_of_reversed_windows_alone_names_the_axis() -> None:
    with pytest.raises(InvalidInputError) as caught:
        SweepSpec.parse({"base": WITHOUT | {"start": "2024-03-01"}, "grid": {"end": ENDS[:1]}})
    assert str(caught.value) == "grid.end: 2024-02-01T00:00:00Z is before start 2024-03-01T00:00:00Z"


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ({"end": ["2024-02-10"]}, "end[0]: 2024-02-10T00:00:00Z is before start 2024-03-01T00:00:00Z"),
        (
            {"start": ["2024-01-12", "2024-03-10"]},
            "start[1]: 2024-03-10T00:00:00Z is after end 2024-02-01T00:00:00Z",
        ),
        ({"end": ["2024-03-10"]}, None),
        ({"perp_leverage": [2]}, None),
    ],
)
def test_extension_is_refused_its_own_windows_and_keeps_those_of_before(
    added: dict[str, Any], told: str | None
) -> None:
    before = SweepSpec.parse(CROSSED)
    extended = extended_spec(before, add_values=added)
    if told is None:
        refuse_reversed_windows(extended, before)
        return
    with pytest.raises(InvalidInputError) as caught:
        refuse_reversed_windows(extended, before)
    assert str(caught.value) == f"extensions[0].{told}"
