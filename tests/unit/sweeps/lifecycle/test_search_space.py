"""Search spaces against a naive reading: linked, conditional, constrained, extended."""

import itertools
import json
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import InvalidInputError
from bot.notation import text_of
from sweeps.estimates.unread import Repetitions
from sweeps.lifecycle.extend_clone import cloned_spec, extended_spec, flattened
from sweeps.spec.spec import SweepSpec

BASE = {"exchange": "x", "symbols": ["BTC/USDT:USDT"], "start": "2023-01-01", "end": "2024-01-01"}


def spec(**changes: Any) -> SweepSpec:
    return SweepSpec.parse({"name": "test", "base": BASE} | changes)


def params(found: SweepSpec) -> list[dict[str, Any]]:
    return [found.params(number) for number in range(found.trial_count)]


def refusal(**changes: Any) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as caught:
        spec(**changes)
    return {error.field: error.message for error in caught.value.errors}


def test_linked_axes_move_together_and_may_repeat_values_one_by_one() -> None:
    found = spec(
        grid={
            "spot_taker": ["0.001", "0.001", "0.0008"],
            "perp_leverage": [1, 2],
            "perp_taker": ["0.0005", "0.0004", "0.0003"],
        },
        linked=[["spot_taker", "perp_taker"]],
    )
    tiers = [("0.001", "0.0005"), ("0.001", "0.0004"), ("0.0008", "0.0003")]
    numbered = [(row["spot_taker"], row["perp_taker"], row["perp_leverage"]) for row in params(found)]
    assert numbered == [(*tier, leverage) for tier, leverage in itertools.product(tiers, "12")]
    spot = found.space.by_name["spot_taker"]
    assert spot.values == tuple(dict.fromkeys(spot.values))
    cells = found.space.cells_of(np.arange(6))
    assert found.space.positions(cells, "spot_taker").tolist() == [0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"linked": [["perp_leverage", "nope"]]}, "linked[0]", '"nope" is no axis'),
        ({"linked": [["perp_leverage", "rate_cap"], ["rate_cap"]]}, "linked[1]", "linked already"),
        (
            {"linked": [["perp_leverage", "basis_cap"]]},
            "linked",
            "2 values and basis_cap 3",
        ),
        (
            {"grid": {"rate_cap": [1, 1], "basis_cap": [2, 2]}, "linked": [["rate_cap", "basis_cap"]]},
            "grid.rate_cap.values[1]",
            "repeats",
        ),
    ],
)
def test_links_that_cannot_be_are_refused(changes: dict[str, Any], field: str, words: str) -> None:
    grid = {"perp_leverage": [1, 2], "rate_cap": [1, 2], "basis_cap": [1, 2, 3]}
    found = refusal(**({"grid": grid} | changes))
    assert list(found) == [field]
    assert words in found[field]


CONDITIONAL = {
    "strategy_mode": ["simple", "composite"],
    "min_funding_rate": {"values": ["0.0001", "0.0002"], "when": {"strategy_mode": "simple"}},
    "weight_trend": {"values": ["0.25", "0.5"], "when": {"strategy_mode": ["composite"]}},
    "perp_leverage": [1, 2],
}


def test_conditional_axis_exists_only_beside_the_values_it_names() -> None:
    found = spec(grid=CONDITIONAL)
    assert [tuple(row.values()) for row in params(found)] == [
        ("simple", "0.0001", None, "1"),
        ("simple", "0.0001", None, "2"),
        ("simple", "0.0002", None, "1"),
        ("simple", "0.0002", None, "2"),
        ("composite", None, "0.25", "1"),
        ("composite", None, "0.25", "2"),
        ("composite", None, "0.5", "1"),
        ("composite", None, "0.5", "2"),
    ]
    assert str(found.config(0).weight_trend) == "0.25"
    assert str(found.config(6).weight_trend) == "0.5"
    assert str(found.config(6).min_funding_rate) == "0.0003"
    assert Repetitions(found).count() == 0
    axis = found.space.by_name["weight_trend"]
    assert (axis.position("null"), axis.position("0.25"), axis.labels) == (0, 1, (None, "0.25", "0.5"))


def test_condition_on_a_shared_parameter_keeps_or_removes_the_axis_as_a_whole() -> None:
    grid = {"weight_trend": {"values": ["0.1", "0.2"], "when": {"strategy_mode": "composite"}}}
    composite = spec(base={**BASE, "strategy_mode": "composite"}, grid=grid)
    assert [row["weight_trend"] for row in params(composite)] == ["0.1", "0.2"]
    simple = spec(grid=grid)
    assert params(simple) == [{"weight_trend": None}]
    assert simple.document()["grid"] == {
        "weight_trend": {"values": ["0.1", "0.2"], "when": {"strategy_mode": ["composite"]}}
    }


def test_conditions_reach_through_conditional_axes_and_ranges() -> None:
    found = spec(
        grid={
            "strategy_mode": ["simple", "composite"],
            "dynamic_sizing": {"values": [False, True], "when": {"strategy_mode": "composite"}},
            "sizing_min_fraction": {
                "start": "0.1",
                "stop": "0.3",
                "step": "0.1",
                "when": {"dynamic_sizing": True},
            },
        }
    )
    assert [tuple(row.values()) for row in params(found)] == [
        ("simple", None, None),
        ("composite", False, None),
        ("composite", True, "0.1"),
        ("composite", True, "0.2"),
        ("composite", True, "0.3"),
    ]


@pytest.mark.parametrize(
    ("when", "field", "words"),
    [
        ({}, "grid.rate_cap.when", "no object"),
        ("composite", "grid.rate_cap.when", "no object"),
        ({"nope": 1}, "grid.rate_cap.when.nope", "no parameter of this sweep"),
        ({"rate_cap": 1}, "grid.rate_cap.when.rate_cap", "depend on itself"),
        ({"strategy_mode": "hold"}, "grid.rate_cap.when.strategy_mode", '"hold" is no value of the axis'),
        ({"strategy_mode": "wild"}, "grid.rate_cap.when.strategy_mode[0]", "not an installed strategy"),
        ({"basis_cap": 1}, "grid.rate_cap.when.basis_cap", 'write "basis_cap" first'),
    ],
)
def test_conditions_that_cannot_be_are_refused(when: object, field: str, words: str) -> None:
    grid = {
        "strategy_mode": ["simple", "composite"],
        "rate_cap": {"values": [1, 2], "when": when},
        "basis_cap": {"values": [1, 2], "when": {"strategy_mode": "composite"}},
    }
    found = refusal(grid=grid)
    assert list(found) == [field]
    assert words in found[field]


def test_condition_on_a_shared_parameter_is_refused_where_it_stands() -> None:
    grid = {"perp_leverage": {"values": [1, 2], "when": {"min_volume_24h": [0, "much"]}}}
    assert list(refusal(grid=grid)) == ["grid.perp_leverage.when.min_volume_24h[1]"]


def test_parameter_that_every_run_needs_cannot_be_conditional() -> None:
    grid = {"perp_leverage": [1, 2], "symbols": {"values": ["A", "B"], "when": {"perp_leverage": 1}}}
    base = {name: value for name, value in BASE.items() if name != "symbols"}
    assert "every run needs" in refusal(base=base, grid=grid)["grid.symbols.when"]


def test_constraints_read_what_a_trial_really_runs_with() -> None:
    found = spec(grid=CONDITIONAL, constraints=["weight_trend < 0.5", "min_funding_rate >= 0.0002"])
    assert [tuple(row.values()) for row in params(found)] == [
        ("simple", "0.0002", None, "1"),
        ("simple", "0.0002", None, "2"),
        ("composite", None, "0.25", "1"),
        ("composite", None, "0.25", "2"),
    ]


def test_window_fees_and_symbols_are_axes_like_any_other() -> None:
    found = spec(
        base={"exchange": "x", "start": "2023-01-01"},
        grid={
            "symbols": ["A", ["A", "B"]],
            "end": ["2023-06-01", "2024-01-01"],
            "slippage_bps": {"start": 0, "stop": 10, "step": 5},
        },
    )
    assert found.trial_count == 12
    assert found.symbols() == ("A", "B")
    assert found.config(11).symbols == ("A", "B")
    assert found.params(3)["end"] == "2024-01-01T00:00:00Z"


def test_an_object_on_an_axis_is_found_by_its_json_and_by_the_words_that_pages_show() -> None:
    shares = [{"a": "0.5", "b": "0.5"}, {"a": "0.3", "b": "0.7"}]
    stress = [{"at": "2023-03-01", "leg": "short"}, {"at": "2023-04-01", "leg": "long"}]
    base = {"exchange": "a", "short_exchange": "b", "structure": "perp_perp", "symbols": ["BTC/USDT:USDT"]}
    window = {"start": "2023-01-01", "end": "2024-01-01"}
    found = spec(base={**base, **window}, grid={"capital_shares": shares, "stress": stress})
    axis = found.space.by_name["capital_shares"]
    assert [axis.position("a 0.3, b 0.7"), axis.position('{"a": "0.3", "b": "0.7"}')] == [1, 1]
    moments = found.space.by_name["stress"]
    assert [moments.position(text_of(label)) for label in moments.labels] == [0, 1]
    with pytest.raises(InvalidInputError, match="is no value of this axis"):
        axis.position("a 0.4, b 0.6")


def test_trials_that_differ_in_what_their_strategy_never_reads_are_counted() -> None:
    found = spec(grid={"strategy_mode": ["simple", "composite"], "weight_trend": ["0.1", "0.2", "0.3"]})
    assert (found.trial_count, Repetitions(found).count()) == (6, 2)


def naive_cells(grid: dict[str, list[int]], earlier: list[dict[str, list[int]]]) -> list[tuple[int, ...]]:
    """Return the combinations of `grid` in order that are in none of the earlier grids."""
    seen = set(itertools.chain.from_iterable(itertools.product(*one.values()) for one in earlier))
    return [cell for cell in itertools.product(*grid.values()) if cell not in seen]


AXES = ("perp_leverage", "rate_cap", "basis_cap")
sizes = st.lists(st.integers(1, 4), min_size=3, max_size=3)


@given(first=sizes, growth=st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), max_size=3))
@settings(max_examples=60)
def test_extended_space_appends_new_combinations_and_renumbers_none(
    first: list[int], growth: list[list[int]]
) -> None:
    grids = [{name: list(range(1, size + 1)) for name, size in zip(AXES, first, strict=True)}]
    found = spec(grid=grids[0], constraints=["perp_leverage + rate_cap + basis_cap < 12"])
    for more in growth:
        before = grids[-1]
        added = {
            name: [len(before[name]) + step + 1 for step in range(count)]
            for name, count in zip(AXES, more, strict=True)
            if count
        }
        grown = {name: before[name] + added.get(name, []) for name in AXES}
        fresh = [cell for cell in naive_cells(grown, grids) if sum(cell) < 12]
        if not fresh:
            continue
        numbered = params(found)
        found = extended_spec(found, add_values=added)
        assert params(found)[: len(numbered)] == numbered
        news = [tuple(map(int, row.values())) for row in params(found)[len(numbered) :]]
        assert news == fresh
        grids.append(grown)
    again = SweepSpec.from_text(json.dumps(found.document()))
    assert params(again) == params(found)
    assert again.digest == found.digest
    cells = found.space.cells_of(np.arange(found.trial_count))
    assert cells.tolist() == [found.space.cell(number) for number in range(found.trial_count)]
    for name in AXES:
        places = found.space.positions(cells, name)
        labels = found.space.by_name[name].labels
        assert [labels[place] for place in places] == [row[name] for row in params(found)]
        assert [found.space.position(int(cell), name) for cell in cells] == places.tolist()


def test_shared_parameter_becomes_an_axis_whose_first_value_it_was() -> None:
    found = extended_spec(spec(grid={"perp_leverage": [1, 2]}), add_values={"slippage_bps": [10, 20]})
    assert [tuple(row.values()) for row in params(found)] == [
        ("1", "5"),
        ("2", "5"),
        ("1", "10"),
        ("1", "20"),
        ("2", "10"),
        ("2", "20"),
    ]
    assert found.document()["base"]["slippage_bps"] == "5"
    assert found.document()["extensions"] == [{"slippage_bps": [10, 20]}]
    assert flattened(found)["grid"]["slippage_bps"] == ["5", 10, 20]
    assert "slippage_bps" not in flattened(found)["base"]
    assert sorted(map(str, params(cloned_spec(found, {})))) == sorted(map(str, params(found)))


def test_conditional_axis_grows_for_the_values_it_applies_to() -> None:
    found = extended_spec(
        spec(grid=CONDITIONAL), add_values={"weight_trend": ["0.75"], "strategy_mode": ["hold"]}
    )
    assert [tuple(row.values()) for row in params(found)[8:]] == [
        ("composite", None, "0.75", "1"),
        ("composite", None, "0.75", "2"),
        ("hold", None, None, "1"),
        ("hold", None, None, "2"),
    ]


@pytest.mark.parametrize(
    ("changes", "added", "field"),
    [
        ({"grid": {"perp_leverage": [1, 2]}}, {"perp_leverage": [2]}, "add_values.perp_leverage[0]"),
        ({"grid": {"perp_leverage": [1, 2]}}, {"perp_leverage": ["x"]}, "add_values.perp_leverage[0]"),
        ({"grid": {"perp_leverage": [1, 2]}}, {"instrument": [{}]}, "add_values.instrument"),
        (
            {"grid": {"weight_trend": {"values": [1], "when": {"strategy_mode": "composite"}}}},
            {"strategy_mode": ["composite"]},
            "add_values.strategy_mode",
        ),
        (
            {"grid": {"rate_cap": [1, 2], "basis_cap": [1, 2]}, "linked": [["rate_cap", "basis_cap"]]},
            {"rate_cap": [3]},
            "add_values",
        ),
        (
            {"grid": {"perp_leverage": [1, 2]}, "constraints": ["perp_leverage < 3"]},
            {"perp_leverage": [3]},
            "add_values",
        ),
        (
            {"grid": {"perp_leverage": [1, 2]}, "sampler": {"kind": "random", "n": 2}},
            {"perp_leverage": [3]},
            "add_values",
        ),
    ],
)
def test_extension_that_cannot_be_is_refused(
    changes: dict[str, Any], added: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        extended_spec(spec(**changes), add_values=added)
    assert [error.field for error in caught.value.errors] == [field]


def test_huge_spaces_are_refused_by_multiplication_and_thinned_ones_by_their_trials() -> None:
    wide = {"start": 1, "stop": 10_000, "step": 1}
    started = time.perf_counter()
    found = refusal(grid=dict.fromkeys(AXES, wide), constraints=["perp_leverage < 2"])
    assert found == {"grid": "spans 1,000,000,000,000 trials, the limit is 1,000,000"}
    assert time.perf_counter() - started < 0.5
    grid = {"perp_leverage": wide, "rate_cap": [*range(1, 151)]}
    assert spec(grid=grid, constraints=["rate_cap < 3"]).trial_count == 20_000
    assert "1,490,000" in refusal(grid=grid, constraints=["rate_cap < 150"])["grid"]
