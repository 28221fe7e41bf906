"""Columns of trials that were read: levels to sort by."""

import numpy as np

from bot.selection.distinct import TrialSet
from bot.statistics.trial_columns import UNDEFINED
from sweeps.storage.blocks import Measured

LARGE = 2**60


def levels(metric: str, values: list[int] | list[float]) -> list[float]:
    column, every = np.array(values), np.ones(len(values), dtype=bool)
    measured = Measured(np.arange(len(values)), {metric: column}, every)
    return list(measured.levels(metric))


def test_levels_of_large_amounts_keep_their_order_where_floats_would_be_equal() -> None:
    low, high, again, none = levels("net_pnl", [LARGE, LARGE + 1, LARGE, UNDEFINED])
    assert low < high
    assert again == low
    assert np.isnan(none)


def test_levels_of_other_values_are_the_values() -> None:
    assert levels("net_pnl", [5, -3]) == [5, -3]
    assert levels("sharpe", [0.5, -0.25]) == [0.5, -0.25]


def test_trials_known_by_their_set_are_those_known_by_their_numbers() -> None:
    numbers, values = np.array([2, 3, 7]), np.array([0.5, 0.25, 1.0])
    may_win = np.array([True, False, True])
    named, known = (Measured(one, {"sharpe": values}, may_win) for one in (numbers, TrialSet(numbers)))
    for one in (named, known, known.only(np.ones(3, dtype=bool))):
        assert len(one) == 3
        assert one.numbers.tolist() == [2, 3, 7]
        assert [one.number(place) for place in range(3)] == [2, 3, 7]
        assert [one.place(number) for number in (2, 3, 7)] == [0, 1, 2]
        assert one.among(TrialSet(np.array([3, 9]))).tolist() == [False, True, False]
        assert one.only(may_win).numbers.tolist() == [2, 7]
        assert one.floats("sharpe", slice(1, 2)).tolist() == [0.25]
