"""Ranks of objectives: whole numbers in the order of the values, at the edges as well."""

from typing import Any

import numpy as np
import pytest

from sweeps.spec.metrics import Direction
from sweeps.spec.spec_fields import Objective
from sweeps.storage.objective_ranks import UNRANKED, objective_ranks

FLOATS = [-np.inf, -1e308, -2.5, -5e-324, 0.0, 5e-324, 0.1, 3.0, 1e308, np.inf]
UNITS = [-(2**63) + 1, -(2**62), -1, 0, 1, 9_000_000_000_000_000_001, 9_000_000_000_000_000_002, 2**63 - 1]


def ranks(metric: str, direction: Direction, values: list[Any]) -> list[int]:
    kind = np.float64 if metric == "sharpe" else np.int64
    found = objective_ranks(Objective(metric=metric, direction=direction), np.array(values, dtype=kind))
    return found.tolist()


@pytest.mark.parametrize(("metric", "ascending"), [("sharpe", FLOATS), ("net_pnl", UNITS)])
def test_smallest_rank_is_the_best_value_in_both_directions(metric: str, ascending: list[Any]) -> None:
    smaller = ranks(metric, Direction.MINIMIZE, ascending)
    larger = ranks(metric, Direction.MAXIMIZE, ascending)
    assert smaller == sorted(set(smaller))
    assert larger == sorted(set(larger), reverse=True)
    assert max(*smaller, *larger) < UNRANKED


def test_undefined_values_come_after_all_others() -> None:
    for direction in Direction:
        assert ranks("sharpe", direction, [np.nan, 1.0])[0] == UNRANKED
        assert ranks("net_pnl", direction, [-(2**63), 5])[0] == UNRANKED


def test_both_zeros_rank_the_same() -> None:
    for direction in Direction:
        assert len(set(ranks("sharpe", direction, [0.0, -0.0]))) == 1
