"""Axes that repeat trials: which they are, how many they repeat, and the condition that leaves those out."""

from typing import Any

import pytest

from sweeps.estimates.unread import Repetitions, left_out_axes
from sweeps.spec.spec import SweepSpec

BASE = {"exchange": "x", "symbols": ["BTC/USDT:USDT"], "start": "2023-01-01", "end": "2024-01-01"}
STYLES = ["taker", "maker", "maker_entry"]


def of(grid: dict[str, Any], **more: Any) -> tuple[SweepSpec, Repetitions]:
    spec = SweepSpec.parse({"base": BASE, "grid": grid, **more})
    return spec, Repetitions(spec)


@pytest.mark.parametrize(
    ("name", "values", "other", "others", "reading"),
    [
        ("perp_maker", ["0", "0.0001", "0.0002"], "order_style", STYLES, ["maker", "maker_entry"]),
        ("maker_legs", ["both", "long", "short"], "order_style", ["taker", "maker"], ["maker"]),
        ("fee_base_volume", ["0", "1000000", "9000000"], "fee_model", ["flat", "recorded"], ["recorded"]),
        ("perp_taker", ["0.0004", "0.0005", "0.0006"], "fee_model", ["flat", "recorded"], ["flat"]),
        ("weight_trend", ["0", "0.1", "0.2"], "strategy_mode", ["simple", "composite"], ["composite"]),
    ],
)
def test_an_axis_that_some_values_alone_read_is_named_with_the_condition_that_saves_its_repetitions(
    name: str, values: list[str], other: str, others: list[str], reading: list[str]
) -> None:
    spec, found = of({name: values, other: others})
    [axis] = found.axes()
    assert (axis.name, axis.when, axis.trials) == (name, {other: reading}, 2 * (len(others) - len(reading)))
    assert found.count() == axis.trials
    tied, nothing = of({name: {"values": values, "when": axis.when}, other: others})
    assert (tied.trial_count, nothing.count(), nothing.axes()) == (spec.trial_count - axis.trials, 0, [])


def test_an_axis_that_no_trial_reads_is_named_without_a_condition() -> None:
    spec, found = of({"spot_maker": ["0", "0.0001"], "perp_leverage": ["1", "2"]})
    [axis] = found.axes()
    assert (axis.when, axis.trials, spec.trial_count) == (None, 2, 4)
    assert axis.message == (
        "spot_maker is read under order_style maker or maker_entry alone, which no trial has: "
        "without this axis the sweep has 2 fewer"
    )


def test_axes_that_are_unread_together_count_their_common_repetitions_once() -> None:
    _, found = of({"spot_maker": ["0", "0.1"], "perp_maker": ["0", "0.1"], "order_style": ["taker", "maker"]})
    assert found.count() == 3
    assert [axis.trials for axis in found.axes()] == [2, 2]


def test_axes_that_move_together_are_counted_and_not_advised_on() -> None:
    _, found = of(
        {"perp_maker": ["0", "0.1"], "spot_maker": ["0", "0.1"], "order_style": ["taker", "maker"]},
        linked=[["perp_maker", "spot_maker"]],
    )
    assert (found.count(), found.axes()) == (1, [])


def test_sentence_says_what_repeats_and_the_condition_to_write() -> None:
    _, found = of({"perp_maker": ["0", "0.0001"], "order_style": ["taker", "maker"]})
    assert found.axes()[0].message == (
        "perp_maker is read under order_style maker or maker_entry alone: 1 trial repeats another "
        'unless the axis has "when": {"order_style": ["maker"]}'
    )


def test_parameter_of_a_strategy_that_no_trial_runs_is_told_with_the_strategies_that_read_it() -> None:
    _, found = of({"weight_trend": ["0", "0.1"]})
    assert found.axes()[0].message == (
        "weight_trend is read under strategy_mode composite alone, which no trial has: "
        "without this axis the sweep has 1 fewer"
    )


@pytest.mark.parametrize(
    ("grid", "more", "messages"),
    [
        (
            {
                "min_funding_rate": ["0.1", "0.2"],
                "rate_cap": {"values": [1, 2], "when": {"perp_leverage": 3}},
            },
            {},
            ['rate_cap is left out of every trial: its "when" {"perp_leverage": [3]} holds in none'],
        ),
        (
            {
                "rate_cap": {"values": [1, 2], "when": {"perp_leverage": 3}},
                "basis_cap": {"values": [1, 2], "when": {"rate_cap": [2]}},
            },
            {},
            [
                'rate_cap is left out of every trial: its "when" {"perp_leverage": [3]} holds in none',
                'basis_cap is left out of every trial: its "when" {"rate_cap": [2]} holds in none',
            ],
        ),
        (
            {"perp_leverage": [1, 3], "rate_cap": {"values": [1, 2], "when": {"perp_leverage": [3]}}},
            {"constraints": ["perp_leverage < 2"]},
            ['rate_cap is left out of every trial: its "when" {"perp_leverage": [3]} holds in none'],
        ),
        (
            {
                "rate_cap": {"values": [1, 2], "when": {"perp_leverage": 3}},
                "basis_cap": {"values": [1, 2], "when": {"perp_leverage": 3}},
            },
            {"linked": [["rate_cap", "basis_cap"]]},
            [
                'rate_cap is left out of every trial: its "when" {"perp_leverage": [3]} holds in none',
                'basis_cap is left out of every trial: its "when" {"perp_leverage": [3]} holds in none',
            ],
        ),
        (
            {"perp_leverage": [1, 3], "rate_cap": {"values": [1, 2], "when": {"perp_leverage": [3]}}},
            {},
            [],
        ),
        ({"rate_cap": {"values": [1, 2], "when": {"perp_leverage": 1}}}, {}, []),
    ],
    ids=["a fixed parameter", "an axis left out itself", "by a constraint", "linked", "in some", "in all"],
)
def test_axis_whose_condition_holds_in_no_trial_is_named_with_it(
    grid: dict[str, Any], more: dict[str, Any], messages: list[str]
) -> None:
    spec, _ = of(grid, **more)
    assert [axis.message for axis in left_out_axes(spec)] == messages
