"""Best cell and the axes of a matrix, on matrices small enough to check by eye."""

from typing import Any

import numpy as np
import pytest

from sweeps.analysis.grouping import Summaries
from sweeps.analysis.matrix_axes import drawn_matrix_axes, written_matrix_axis
from sweeps.analysis.plateau import best_cell
from sweeps.spec.spec import SweepSpec

BASE = {"exchange": "synthetic", "symbols": ["BTC/USDT:USDT"], "start": "2024-01-10", "end": "2024-03-30"}


def spec(**grid: Any) -> SweepSpec:
    return SweepSpec.parse({"name": "sides", "base": BASE, "grid": grid})


def cells(places: list[int], units: list[int]) -> Summaries:
    """Return some cells of a matrix with amounts in units."""
    numbers = np.arange(len(places))
    return Summaries("net_pnl", np.array(places), np.array(units), numbers, numbers)


def test_best_cell_is_the_first_of_equal_ones_that_may_win_and_amounts_a_unit_apart_differ() -> None:
    large = 2**60
    found = cells([1, 2, 3, 4, 5], [large + 1, large, large - 1, large + 1, large + 2])
    may_win = np.array([True, True, True, True, False])
    assert best_cell(found, may_win, 3, maximize=True) == (0, 1)
    assert best_cell(found, may_win, 3, maximize=False) == (1, 0)
    assert best_cell(found, ~may_win & False, 3, maximize=True) is None


def test_written_matrix_axis_keeps_the_order_written() -> None:
    axis = written_matrix_axis(spec(perp_leverage=[3, 1, 2]).space.by_name["perp_leverage"])
    assert (axis.labels, axis.steps.tolist()) == (("3", "1", "2"), [0, 1, 2])


def test_drawn_matrix_axes_ascend_and_merge_neighbours_until_they_fit() -> None:
    axes = spec(perp_leverage=[3, 1, 2, 5, 4], slippage_bps=list(range(10))).space.by_name
    across, down = drawn_matrix_axes(axes["perp_leverage"], axes["slippage_bps"], 50)
    assert across.labels == ("1", "2", "3", "4", "5")
    assert across.steps.tolist() == [2, 0, 1, 4, 3]
    assert (across.merged, down.merged) == (1, 1)
    across, down = drawn_matrix_axes(axes["perp_leverage"], axes["slippage_bps"], 12)
    assert across.size * down.size <= 12
    assert across.labels == ("1", "3", "5")
    assert across.until == ("2", "4", "5")
    assert across.steps.tolist() == [1, 0, 0, 2, 1]


@pytest.mark.parametrize("most", [1, 2, 3, 7, 10, 49, 500, 2499])
def test_drawn_matrix_axes_never_have_more_cells_than_asked_for(most: int) -> None:
    axes = spec(perp_leverage={"start": 1, "stop": 50, "num": 50}, slippage_bps=list(range(50))).space.by_name
    for across, down in (("perp_leverage", "slippage_bps"), ("slippage_bps", "perp_leverage")):
        drawn = drawn_matrix_axes(axes[across], axes[down], most)
        assert drawn[0].size * drawn[1].size <= most


def test_place_where_a_parameter_does_not_apply_comes_first_and_is_never_merged() -> None:
    grid = {
        "strategy_mode": ["simple", "hold"],
        "perp_leverage": [1, 2],
        "exit_funding_rate": {"values": ["0.3", "0.1", "0.2"], "when": {"strategy_mode": "simple"}},
    }
    axes = spec(**grid).space.by_name
    across, _ = drawn_matrix_axes(axes["exit_funding_rate"], axes["perp_leverage"], 4)
    assert across.labels == (None, "0.1")
    assert across.until == (None, "0.3")
