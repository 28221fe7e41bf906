"""Importance, distribution, Pareto front and excerpt agree with plain definitions of them."""

import math
from collections import defaultdict
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.analysis.distribution import distribution
from sweeps.analysis.importance import MOST_GROUPS, importance
from sweeps.analysis.pareto import pareto_front
from sweeps.analysis.point_sample import point_sample
from sweeps.spec.spec import SweepSpec

BASE = {"exchange": "synthetic", "symbols": ["BTC/USDT:USDT"], "start": "2024-01-10", "end": "2024-03-30"}
NAN = float("nan")
NUMBERS = st.lists(st.one_of(st.just(NAN), st.integers(-5, 5).map(float)), max_size=30)


def spec(**grid: Any) -> SweepSpec:
    return SweepSpec.parse({"name": "figures", "base": BASE, "grid": grid})


def shares(made: SweepSpec, values: list[float]) -> dict[str, float]:
    cells = made.space.cells_of(np.arange(made.trial_count))
    return {one.name: one.share for one in importance(made.space, cells, np.array(values)) or []}


def plain_share(made: SweepSpec, name: str, values: list[float]) -> float:
    """Return epsilon squared by its textbook definition."""
    groups = defaultdict(list)
    for number, value in enumerate(values):
        groups[str(made.params(number)[name])].append(value)
    mean = fmean(values)
    between = sum(len(group) * (fmean(group) - mean) ** 2 for group in groups.values())
    total = sum((value - mean) ** 2 for value in values)
    within = (total - between) / (len(values) - len(groups))
    return max((between - (len(groups) - 1) * within) / total, 0)


def test_parameter_that_decides_alone_explains_all_and_another_nothing() -> None:
    made = spec(perp_leverage=[1, 2, 3], slippage_bps=[0, 1])
    assert shares(made, [1, 1, 2, 2, 4, 4]) == pytest.approx({"perp_leverage": 1, "slippage_bps": 0})


def test_shares_are_epsilon_squared_and_the_largest_comes_first() -> None:
    made = spec(perp_leverage=[1, 2, 3], slippage_bps=[0, 1], min_funding_rate=["0.1", "0.2"])
    values = [3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]
    found = shares(made, values)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    for name, share in found.items():
        assert share == pytest.approx(plain_share(made, name, values)), name


def test_pure_noise_over_very_many_values_explains_next_to_nothing() -> None:
    made = spec(slippage_bps=list(range(1000)))
    noise = np.random.default_rng(7).normal(size=1000)
    cells = made.space.cells_of(np.arange(1000))
    (found,) = importance(made.space, cells, noise) or []
    assert found.groups <= MOST_GROUPS
    assert found.share < 0.03


def test_values_that_are_all_equal_or_too_few_explain_nothing() -> None:
    made = spec(perp_leverage=[1, 2, 3])
    cells = made.space.cells_of(np.arange(3))
    assert importance(made.space, cells, np.array([2.0, 2, 2])) is None
    assert importance(made.space, cells, np.array([0.1, 0.1 * (1 + 2e-16), 0.1])) is None
    assert importance(made.space, cells, np.array([1.0, NAN, 2])) is None


def test_bins_are_round_with_an_edge_at_zero_and_count_selected_among_all() -> None:
    values = np.array([-1.0, -0.2, 0, 0.3, 2, NAN, NAN])
    selected = np.array([True, False, True, True, False, True, False])
    found = distribution(values, selected, bins=6)
    assert found.edges == [-1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5]
    assert found.every == [1, 1, 2, 0, 0, 0, 1]
    assert found.counts == [1, 0, 2, 0, 0, 0, 0]
    assert found.undefined == 1
    assert found.quantiles[2] == 0


def test_bins_of_counts_are_whole_and_equal_values_share_one() -> None:
    every = np.array([True, True])
    assert distribution(np.array([0.0, 3.0]), every, whole=True).edges == [0, 1, 2, 3, 4]
    assert distribution(np.array([7.0, 7.0]), every).counts == [2]
    assert distribution(np.array([0.0, 0.0]), every).counts == [2]
    assert distribution(np.array([0.0, 5e-324]), every).counts == [2]
    assert distribution(np.array([NAN, NAN]), every).edges == []


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=60))
def test_every_value_is_in_some_bin(values: list[float]) -> None:
    column = np.array(values)
    found = distribution(column, np.ones(len(values), dtype=np.bool_))
    assert sum(found.every) == len(values)
    assert found.edges[0] <= column.min() <= column.max() <= found.edges[-1]
    assert len(found.every) <= 42


@given(NUMBERS, NUMBERS, st.booleans(), st.booleans())
def test_front_is_what_no_other_trial_beats(
    first: list[float], second: list[float], up: bool, top: bool
) -> None:
    size = min(len(first), len(second))
    pairs = [(a if up else -a, b if top else -b) for a, b in zip(first, second, strict=False)]
    found = pareto_front(np.array(first[:size]), np.array(second[:size]), maximize=(up, top)).tolist()
    known = [pair for pair in pairs if not any(map(math.isnan, pair))]
    unbeaten = {pair for pair in known if not any(beats(other, pair) for other in known)}
    assert {pairs[place] for place in found} == unbeaten
    assert len(found) == len(unbeaten)
    assert [pairs[place][0] for place in found] == sorted((pair[0] for pair in unbeaten), reverse=True)


def test_front_of_very_many_trials_is_the_front_of_all_of_them() -> None:
    random = np.random.default_rng(11)
    first, second = random.normal(size=40_000).round(2), random.normal(size=40_000).round(2)
    found = pareto_front(first, second, maximize=(True, True)).tolist()
    for place in found:
        assert not np.any((first >= first[place]) & (second > second[place]))
        assert not np.any((first > first[place]) & (second >= second[place]))
    reached = np.zeros(len(first), dtype=np.bool_)
    for place in found:
        reached |= (first <= first[place]) & (second <= second[place])
    assert reached.all()


def beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] >= other[0] and one[1] >= other[1] and one != other


def test_excerpt_is_the_same_trials_however_many_have_finished() -> None:
    few = np.arange(0, 50_000, dtype=np.int64)
    chosen = point_sample(few, 1000)
    assert len(chosen) == 1000
    assert chosen.tolist() == sorted(chosen.tolist())
    later = set(point_sample(np.arange(100_000, dtype=np.int64), 1000).tolist())
    assert {number for number in later if number < 50_000} <= set(chosen.tolist())


def test_excerpt_does_not_fall_in_step_with_an_axis_and_keeps_what_it_must() -> None:
    chosen = point_sample(np.arange(100_000, dtype=np.int64), 4000, always=[5, 99_999])
    assert {5, 99_999} <= set(chosen.tolist())
    for period in (2, 3, 5, 10, 16):
        held = np.bincount(chosen % period, minlength=period) / len(chosen) * period
        assert held.min() > 0.8, period
        assert held.max() < 1.2, period
    assert point_sample(np.array([4, 9], dtype=np.int64), 4000).tolist() == [0, 1]
