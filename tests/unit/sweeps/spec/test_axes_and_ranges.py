"""Axes: written forms, exact values, limits, errors that name the value."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import InvalidInputError
from sweeps.spec.axes import Axis
from sweeps.spec.spec import SweepSpec

NEEDED: dict[str, Any] = {"symbols": ["A"], "start": "2023-01-01", "end": "2024-01-01"}


def parse_grid(grid: dict[str, Any], **limits: int) -> tuple[Axis, ...]:
    base = {name: value for name, value in NEEDED.items() if name not in grid}
    return SweepSpec.parse({"base": base, "grid": grid}, **limits).axes


def values(raw: Any, name: str = "perp_leverage") -> list[Any]:
    (axis,) = parse_grid({name: raw})
    return list(axis.values)


def refusal(grid: dict[str, Any], **limits: int) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as caught:
        parse_grid(grid, **limits)
    return {error.field: error.message for error in caught.value.errors}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ([1, "2", Decimal("2.5")], ["1", "2", "2.5"]),
        ({"values": [3, 1]}, ["3", "1"]),
        ({"start": "1", "stop": "2", "step": "0.5"}, ["1", "1.5", "2"]),
        ({"start": "1", "stop": "1.9", "step": "0.5"}, ["1", "1.5"]),
        ({"start": 3, "stop": 1, "step": -1}, ["3", "2", "1"]),
        ({"start": 5, "stop": 5, "step": 1}, ["5"]),
        ({"start": 1, "stop": 2, "num": 3}, ["1", "1.5", "2"]),
        ({"start": 1, "stop": 2, "num": 4}, ["1", "1.33333333333", "1.66666666667", "2"]),
        ({"start": 7, "stop": 7, "num": 1}, ["7"]),
        ({"start": 1, "stop": 100, "num": 3, "scale": "log"}, ["1", "10", "100"]),
        ({"start": 1, "stop": 10, "num": 3, "scale": "log"}, ["1", "3.16227766017", "10"]),
    ],
)
def test_written_form_expands_to_exact_values(raw: Any, expected: list[str]) -> None:
    assert values(raw) == [Decimal(text) for text in expected]


def test_tenths_are_exact_where_floats_would_drift() -> None:
    steps = values({"start": "0.1", "stop": "1", "step": "0.1"})
    assert steps == [Decimal(n) / 10 for n in range(1, 11)]


def test_symbols_axis_takes_one_symbol_or_a_list_for_each_value() -> None:
    (axis,) = parse_grid({"symbols": ["BTC/USDT:USDT", ["BTC/USDT:USDT", "ETH/USDT:USDT"]]})
    assert axis.values == (("BTC/USDT:USDT",), ("BTC/USDT:USDT", "ETH/USDT:USDT"))
    assert axis.labels == ("BTC/USDT:USDT", ["BTC/USDT:USDT", "ETH/USDT:USDT"])
    assert axis.position("BTC/USDT:USDT,ETH/USDT:USDT") == 1


def test_value_is_found_by_any_text_of_it() -> None:
    (axis,) = parse_grid({"perp_leverage": ["1.50", 2]})
    assert (axis.position("1.5"), axis.position("2.0")) == (0, 1)
    with pytest.raises(InvalidInputError, match='"3" is no value of this axis'):
        axis.position("3")


def test_switch_and_optional_axes_are_found_by_text() -> None:
    (axis,) = parse_grid({"dynamic_sizing": [True, False]})
    assert (axis.position("true"), axis.position("false")) == (0, 1)
    (axis,) = parse_grid({"max_position_size": [None, 1000]})
    assert (axis.position("null"), axis.position("1000")) == (0, 1)


@pytest.mark.parametrize(
    ("raw", "field", "words"),
    [
        ([], "grid.perp_leverage", "no values"),
        (3, "grid.perp_leverage", "neither a list"),
        ([1, 2, -1], "grid.perp_leverage.values[2]", "-1"),
        ([1, "x"], "grid.perp_leverage.values[1]", '"x"'),
        ([1, 2, "1.0"], "grid.perp_leverage.values[2]", '"1.0" is there already, as values[0]'),
        ({"start": 1, "stop": 2}, "grid.perp_leverage.step", "required"),
        ({"start": 1, "stop": 2, "step": 0}, "grid.perp_leverage.step", "0 never reaches"),
        ({"start": 2, "stop": 1, "step": 1}, "grid.perp_leverage.step", "leads away from stop 1"),
        ({"start": 1, "stop": 2, "step": "1e-300"}, "grid.perp_leverage.step", "nearer to 0"),
        ({"start": 1, "stop": 2, "step": "1e-9"}, "grid.perp_leverage", "1,000,000,001 values"),
        ({"start": 1, "stop": 2, "num": 0}, "grid.perp_leverage.num", "0"),
        ({"start": 1, "stop": 2, "num": 1}, "grid.perp_leverage.num", "cannot span 1 to 2"),
        ({"start": 0, "stop": 2, "num": 3, "scale": "log"}, "grid.perp_leverage.scale", "above 0"),
        ({"start": 1, "stop": 2, "num": 3, "scale": "cubic"}, "grid.perp_leverage.scale", "cubic"),
        ({"start": 1, "stop": 2, "step": 1, "more": 1}, "grid.perp_leverage.more", "not a known"),
        ({"start": True, "stop": 2, "step": 1}, "grid.perp_leverage.start", "true"),
    ],
)
def test_refused_axis_names_field_and_value(raw: Any, field: str, words: str) -> None:
    found = refusal({"perp_leverage": raw})
    assert list(found) == [field]
    assert words in found[field]


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("max_position_size", [None, 1000, None], "null is there already, as values[0]"),
        ("end_dead_markets", [True, True], "true is there already, as values[0]"),
        ("order_style", ["maker", "maker"], '"maker" is there already, as values[0]'),
    ],
)
def test_value_that_comes_twice_is_quoted_as_it_was_written(name: str, values: list[Any], told: str) -> None:
    assert refusal({name: values}) == {f"grid.{name}.values[{len(values) - 1}]": told}


def test_unknown_axes_are_refused_together() -> None:
    assert list(refusal({"nope": [1], "instrument": [{}], "exits": [2]})) == [
        "grid.nope",
        "grid.instrument",
        "grid.exits",
    ]


def test_whole_numbers_are_asked_for_where_a_count_is() -> None:
    assert values({"start": 1, "stop": 3, "num": 3}, "trend_ema_span") == [1, 2, 3]
    found = refusal({"trend_ema_span": {"start": 1, "stop": 2, "step": "0.5"}})
    assert "1.5 is not a whole number" in found["grid.trend_ema_span.values[1]"]


def test_size_is_multiplied_before_anything_is_expanded() -> None:
    wide = {"start": 1, "stop": 10_000, "step": 1}
    grid = {"perp_leverage": wide, "rate_cap": wide, "basis_cap": wide}
    assert refusal(grid) == {"grid": "spans 1,000,000,000,000 trials, the limit is 1,000,000"}
    assert len(parse_grid({"perp_leverage": wide, "rate_cap": [*range(1, 101)]})) == 2
    assert "1,010,000" in refusal({"perp_leverage": wide, "rate_cap": [*range(1, 102)]})["grid"]


@given(
    start=st.decimals("-100", "100", places=4),
    step=st.decimals("0.0001", "5", places=4).filter(bool),
    count=st.integers(1, 200),
)
def test_step_range_holds_exactly_the_multiples_up_to_stop(start: Decimal, step: Decimal, count: int) -> None:
    stop = start + step * (count - 1)
    raw = {"start": str(start), "stop": str(stop), "step": str(step)}
    found = values(raw, "min_funding_rate")
    assert found == [start + step * index for index in range(count)]
