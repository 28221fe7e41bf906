"""Neighbours of a sweep's trials: a step away in the order of values, whatever the order written."""

from typing import Any

import numpy as np
import pytest

from bot.selection.grid.plateaus import GridTrials
from sweeps.analysis.plateau import grid_trials
from sweeps.spec.spec import SweepSpec

BASE = {"exchange": "synthetic", "symbols": ["BTC/USDT:USDT"], "start": "2024-01-10", "end": "2024-03-30"}
RATES = ["0.0001", "0.0002", "0.0003"]


def trials(
    levels: list[float], *, maximize: bool = True, ineligible: int | None = None, **body: Any
) -> GridTrials | None:
    spec = SweepSpec.parse({"name": "s", "base": BASE} | body)
    assert spec.trial_count == len(levels)
    eligible = np.ones(len(levels), dtype=bool)
    if ineligible is not None:
        eligible[ineligible] = False
    return grid_trials(
        spec, np.arange(len(levels)), np.array(levels, dtype=float), eligible, maximize=maximize
    )


def plateaus(levels: list[float], *, maximize: bool = True, **body: Any) -> list[float | None]:
    grid = trials(levels, maximize=maximize, **body)
    rows = [-1] * len(levels) if grid is None else grid.plateau_rows.tolist()
    return [None if row < 0 else levels[row] for row in rows]


def test_neighbours_follow_the_values_and_not_the_order_written() -> None:
    assert plateaus([3, 1, 2], grid={"perp_leverage": [3, 1, 2]}) == [2, 1, 1]


def test_where_less_is_better_the_worst_is_the_largest() -> None:
    assert plateaus([3, 1, 2], maximize=False, grid={"perp_leverage": [1, 2, 3]}) == [3, 3, 2]


def test_all_axes_of_numbers_have_neighbours_and_others_none() -> None:
    grid = {"strategy_mode": ["simple", "hold"], "perp_leverage": [1, 2], "slippage_bps": [0, 1]}
    assert plateaus([1, 2, 3, 4, 9, 8, 7, 6], grid=grid) == [1, 1, 1, 2, 7, 6, 6, 6]


def test_linked_axes_are_one_step_apart_together() -> None:
    grid = {"perp_leverage": [1, 2, 3], "strategy_mode": ["simple", "hold", "simple"]}
    assert plateaus([5, 6, 7], grid=grid, linked=[["perp_leverage", "strategy_mode"]]) == [5, 5, 6]


def test_value_that_switches_an_axis_off_is_no_neighbour_of_its_numbers() -> None:
    assert plateaus([1, 5, 6], grid={"max_position_size": [None, 100, 200]}) == [None, 5, 5]


def test_cell_where_an_axis_does_not_apply_has_neighbours_on_the_others() -> None:
    grid = {
        "strategy_mode": ["simple", "hold"],
        "perp_leverage": [1, 2],
        "exit_funding_rate": {"values": RATES, "when": {"strategy_mode": "simple"}},
    }
    assert plateaus([1, 2, 3, 4, 5, 6, 8, 9], grid=grid) == [1, 1, 2, 1, 2, 3, 8, 8]


def test_cells_that_a_constraint_left_out_are_no_neighbours() -> None:
    grid = {"min_funding_rate": RATES, "exit_funding_rate": RATES}
    found = plateaus([1, 2, 3, 4, 5, 6], grid=grid, constraints=["exit_funding_rate <= min_funding_rate"])
    assert found == [None, 1, 2, 2, 3, None]


def test_windows_are_no_settings_so_that_none_is_next_to_another() -> None:
    window = {"end": ["2024-03-01", "2024-03-02"]}
    base = {name: value for name, value in BASE.items() if name != "end"}
    assert plateaus([1, 2, 3, 4], base=base, grid=window | {"perp_leverage": [1, 2]}) == [1, 1, 3, 3]


def test_ineligible_neighbour_counts_as_the_worst_eligible_trial() -> None:
    grid = trials([4, 9, 6, 5], ineligible=1, grid={"perp_leverage": [1, 2, 3, 4]})
    assert grid is not None
    assert grid.plateaus.tolist() == [4, 4, 4, 5]


@pytest.mark.parametrize("body", [{"sampler": {"kind": "random", "n": 2, "seed": 1}}, {}])
def test_samples_and_grids_without_numbers_have_no_plateau(body: dict[str, Any]) -> None:
    grid = {"perp_leverage": [1, 2, 3]} if body else {"strategy_mode": ["simple", "hold"]}
    assert plateaus([1, 2], grid=grid, **body) == [None, None]


def test_values_added_later_stand_where_their_numbers_belong() -> None:
    extended = {"extensions": [{"perp_leverage": [2]}]}
    assert plateaus([1, 3, 2], grid={"perp_leverage": [1, 3]}, **extended) == [1, 2, 1]


def test_failed_neighbour_counts_as_the_worst_eligible_trial() -> None:
    spec = SweepSpec.parse({"name": "s", "base": BASE, "grid": {"perp_leverage": [1, 2, 3, 4]}})
    levels, completed = np.array([4.0, 6.0, 9.0]), np.array([0, 2, 3])
    found = grid_trials(spec, completed, levels, levels > 0, maximize=True, failed=np.array([1]))
    assert found is not None
    assert found.plateaus.tolist()[:3] == [4, 4, 6]
    assert found.best == 2


def test_failed_scenario_does_not_stand_for_a_setting_that_has_another() -> None:
    grid = {"perp_leverage": [1, 2], "slippage_bps": [0, 5]}
    spec = SweepSpec.parse({"name": "s", "base": BASE, "grid": grid})
    levels, completed = np.array([7.0, 8.0]), np.array([0, 3])
    found = grid_trials(
        spec,
        completed,
        levels,
        levels > 0,
        maximize=True,
        failed=np.array([1]),
        scenarios=("slippage_bps",),
    )
    assert found is not None
    assert found.plateaus.tolist() == [7, 7]
