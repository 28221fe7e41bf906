"""Columns of trials that were read: levels to sort by."""

import numpy as np

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
