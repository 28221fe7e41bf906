"""Samplers: the same trials on every machine, spread as promised, a longer sample after the shorter one."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

from sweeps.spec.sobol import BITS, sobol_points
from sweeps.spec.spec import SweepSpec

BASE = {"exchange": "x", "symbols": ["A"], "start": "2023-01-01", "end": "2024-01-01"}
GRID: dict[str, Any] = {
    "perp_leverage": {"start": 1, "stop": 10, "step": 1},
    "min_funding_rate": {"start": "0.0001", "stop": "0.001", "step": "0.0001"},
    "exit_funding_rate": ["0", "0.0001", "0.0002", "0.0005"],
}
CAPS = ("perp_leverage", "rate_cap", "basis_cap")
CONSTRAINT = "exit_funding_rate < min_funding_rate"


def sampled(kind: str, n: int, seed: int = 0, **changes: Any) -> list[tuple[Any, ...]]:
    sampler = {"kind": kind, "n": n, "seed": seed}
    spec = SweepSpec.parse({"base": BASE, "grid": GRID, "sampler": sampler} | changes)
    return [tuple(spec.params(number).values()) for number in range(spec.trial_count)]


def test_trials_of_a_seed_are_these_on_every_machine() -> None:
    assert sampled("random", 4, seed=7) == RANDOM_OF_SEED_7
    assert sampled("sobol", 4, seed=7) == SOBOL_OF_SEED_7


RANDOM_OF_SEED_7: list[tuple[str, ...]] = [
    ("3", "0.0004", "0"),
    ("5", "0.0001", "0"),
    ("6", "0.0001", "0.0001"),
    ("1", "0.0002", "0"),
]
SOBOL_OF_SEED_7: list[tuple[str, ...]] = [
    ("8", "0.0001", "0.0005"),
    ("3", "0.0006", "0.0001"),
    ("1", "0.0004", "0.0002"),
    ("6", "0.0009", "0"),
]


@pytest.mark.parametrize("kind", ["random", "sobol"])
@given(n=st.integers(1, 500), more=st.integers(0, 200), seed=st.integers(0, 10**15 - 1))
@settings(max_examples=25)
def test_longer_sample_begins_with_the_shorter_one_and_repeats_nothing(
    kind: str, n: int, more: int, seed: int
) -> None:
    short, long = sampled(kind, n, seed), sampled(kind, n + more, seed)
    assert long[: len(short)] == short
    assert len(set(long)) == len(long)
    assert len(long) <= min(n + more, 400)


@pytest.mark.parametrize("kind", ["random", "sobol"])
def test_sample_keeps_the_constraints(kind: str) -> None:
    rows = sampled(kind, 100, constraints=[CONSTRAINT])
    assert len(rows) == 100
    assert all(float(exits) < float(entry) for _, entry, exits in rows)


@pytest.mark.parametrize("n", [1, 399, 20_000])
def test_random_sample_is_the_same_where_a_constraint_turns_nothing_away(n: int) -> None:
    fine = {"start": "0.0001", "stop": "0.01", "step": "0.0001"}
    grid = {**GRID, "min_funding_rate": fine, "initial_capital": [100, 200, 300, 400, 500, 600, 700, 800]}
    assert sampled("random", n, 3, grid=grid) == sampled(
        "random", n, 3, grid=grid, constraints=["perp_leverage >= 1"]
    )


def test_random_sample_of_everything_is_the_whole_grid_in_another_order() -> None:
    whole = sampled("grid", 1, sampler={"kind": "grid"}, constraints=[CONSTRAINT])
    shuffled = sampled("random", 1_000, constraints=[CONSTRAINT])
    assert sorted(shuffled) == sorted(whole)
    assert shuffled != whole


def test_random_sample_collapses_what_a_conditional_axis_does_not_tell_apart() -> None:
    grid = {
        "strategy_mode": ["simple", "composite"],
        "weight_trend": {"values": [1, 2, 3], "when": {"strategy_mode": "composite"}},
    }
    rows = sampled("random", 50, grid=grid)
    assert sorted(rows, key=str) == [
        ("composite", "1"),
        ("composite", "2"),
        ("composite", "3"),
        ("simple", None),
    ]


def test_rules_of_an_account_are_axes_of_their_own_condition() -> None:
    grid = {
        "order_style": ["taker", "maker"],
        "perp_maker": {"values": ["-0.0001", "0.0002"], "when": {"order_style": "maker"}},
        "exit_confirmations": [1, 3],
        "min_hold_hours": {"values": [24, 72], "when": {"exit_confirmations": 3}},
    }
    rows = sampled("random", 50, grid=grid)
    orders = [("taker", None), ("maker", "-0.0001"), ("maker", "0.0002")]
    waits = [(1, None), (3, "24"), (3, "72")]
    assert {*rows} == {(*one, *other) for one in orders for other in waits}
    assert len(rows) == 9


def test_every_value_of_every_axis_is_drawn_about_as_often() -> None:
    wide = {
        name: {"start": 1, "stop": 1000, "step": 1} for name in ("perp_leverage", "rate_cap", "basis_cap")
    }
    rows = np.array(sampled("random", 20_000, seed=3, grid=wide), dtype=int)
    for column in rows.T:
        counts, _ = np.histogram(column, bins=20, range=(1, 1001))
        assert counts.min() > 850
        assert counts.max() < 1150


def test_sobol_sample_covers_each_axis_more_evenly_than_chance() -> None:
    wide = {
        name: {"start": 1, "stop": 1024, "step": 1} for name in ("perp_leverage", "rate_cap", "basis_cap")
    }
    rows = np.array(sampled("sobol", 256, seed=5, grid=wide), dtype=int)
    for column in rows.T:
        counts, _ = np.histogram(column, bins=64, range=(1, 1025))
        assert set(counts.tolist()) == {4}


def test_sampled_range_may_leave_out_how_finely_it_is_cut() -> None:
    grid = {
        "min_funding_rate": {"start": "0.0001", "stop": "0.0011"},
        "rate_cap": {"start": "0.001", "stop": "0.1", "scale": "log"},
        "trend_ema_span": {"start": 2, "stop": 30},
    }
    spec = SweepSpec.parse({"base": BASE, "grid": grid, "sampler": {"kind": "sobol", "n": 64}})
    assert [len(axis.values) for axis in spec.axes] == [1001, 1001, 29]
    assert spec.trial_count == 64


def test_space_far_too_large_to_walk_can_be_sampled_quickly() -> None:
    wide = {"start": 1, "stop": 10_000, "step": 1}
    names = ("perp_leverage", "rate_cap", "basis_cap", "initial_capital")
    for kind in ("random", "sobol"):
        spec = SweepSpec.parse(
            {"base": BASE, "grid": dict.fromkeys(names, wide), "sampler": {"kind": kind, "n": 1000}}
        )
        assert (spec.trial_count, spec.space.cells) == (1000, 10**16)


def test_sobol_points_are_those_of_an_independent_library() -> None:
    index = np.arange(4096, dtype=np.uint64)
    ours = sobol_points(index, [2**20] * 32, [0] * 32)
    theirs = qmc.Sobol(32, scramble=False, bits=BITS).random(4096)
    assert np.array_equal(np.array(ours).T, (theirs * 2**20).astype(np.int64))
