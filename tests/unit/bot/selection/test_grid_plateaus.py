"""Plateaus on grids small enough to check by eye, and beside a plain loop."""

import math
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.selection.grid.places import GridPlaces, WholeGrid
from bot.selection.grid.plateaus import GridTrials

NAN = math.nan


def grid(rows: list[list[float]], ineligible: list[tuple[int, int]] | None = None) -> GridTrials:
    """Return the trials of a matrix, both of whose axes are ordered."""
    levels = np.array(rows, dtype=float)
    steps = np.array(list(product(*map(range, levels.shape))))
    eligible = np.ones(levels.shape, dtype=bool)
    for place in ineligible or []:
        eligible[place] = False
    return GridTrials(GridPlaces(steps, np.zeros(len(steps), dtype=int)), levels.ravel(), eligible.ravel())


def best(rows: list[list[float]], ineligible: list[tuple[int, int]] | None = None) -> tuple[int, int] | None:
    found = grid(rows, ineligible)
    return None if found.best is None else divmod(found.best, len(rows[0]))


def test_plateau_is_the_worst_of_a_trial_and_those_one_step_away_on_one_axis() -> None:
    found = grid([[1, 9, 9], [9, 5, 9], [9, 9, 2]]).plateaus.reshape(3, 3)
    assert found.tolist() == [[1, 1, 9], [1, 5, 2], [9, 2, 2]]


def test_ineligible_trials_and_those_without_a_value_count_as_the_worst_eligible_one() -> None:
    found = grid([[7, NAN, 5], [6, 9, 8], [6, 6, 99]], ineligible=[(2, 2)]).plateaus.reshape(3, 3)
    assert found.tolist() == [[5, 5, 5], [6, 5, 5], [6, 5, 5]]


def test_broad_hill_beats_the_lone_peak() -> None:
    rows: list[list[float]] = [
        [9, 0, 0, 0, 0],
        [0, 0, 5, 5, 5],
        [0, 0, 5, 6, 5],
        [0, 0, 5, 5, 5],
        [0, 0, 0, 0, 0],
    ]
    assert best(rows) == (2, 3)


def test_lone_peak_loses_among_equal_worst_neighbours() -> None:
    rows: list[list[float]] = [[0, 0, 0, 3, 0], [0, 9, 0, 3, 3], [0, 0, 0, 3, 0]]
    assert grid(rows).plateaus.max() == 0
    assert best(rows) == (1, 3)


def test_ineligible_trial_is_never_the_plateau() -> None:
    assert best([[9, 1, 1]], ineligible=[(0, 0)]) == (0, 1)


def test_trial_between_ones_that_cannot_win_is_on_no_plateau() -> None:
    rows: list[list[float]] = [[0, 9, 0, 1, 2]]
    idle = [(0, 0), (0, 2)]
    assert grid(rows, idle).plateaus.tolist() == [1, 1, 1, 1, 1]
    assert best(rows, idle) == (0, 3)
    assert best([[0, 9, 0, 8, 0]], [(0, 0), (0, 2), (0, 4)]) is None


def test_trial_with_fewer_neighbours_than_ordered_axes_has_no_plateau() -> None:
    steps = np.array([[0, 0], [0, 1], [1, 0], [3, 3]])
    found = GridTrials(GridPlaces(steps, np.zeros(4, dtype=int)), np.arange(4.0), np.ones(4, dtype=bool))
    assert found.plateaus.tolist()[0] == 0
    assert np.isnan(found.plateaus[1:]).all()


def test_trials_that_differ_in_anything_else_are_no_neighbours() -> None:
    steps, others = np.array([[0], [1], [0], [1]]), np.array([0, 0, 1, 1])
    found = GridTrials(GridPlaces(steps, others), np.array([1.0, 2, 8, 9]), np.ones(4, dtype=bool))
    assert found.plateaus.tolist() == [1, 1, 8, 8]


def test_axis_that_does_not_apply_asks_for_no_neighbours() -> None:
    steps = np.array([[0, -1], [1, -1], [0, 0], [0, 1]])
    others = np.array([0, 0, 1, 1])
    found = GridTrials(GridPlaces(steps, others), np.array([4.0, 5, 6, 7]), np.ones(4, dtype=bool))
    assert found.plateaus[:2].tolist() == [4, 4]
    assert np.isnan(found.plateaus[2:]).all()


def test_search_without_eligible_trials_or_ordered_axes_has_no_plateau() -> None:
    none = np.zeros(2, dtype=bool)
    assert GridTrials(GridPlaces(np.array([[0], [1]]), none.astype(int)), np.ones(2), none).best is None
    assert (
        GridTrials(GridPlaces(np.empty((2, 0), dtype=int), none.astype(int)), np.ones(2), ~none).best is None
    )
    assert GridTrials(GridPlaces(np.array([[0], [0]]), np.arange(2)), np.ones(2), ~none).best is None
    nothing = np.empty(0)
    assert (
        GridTrials(GridPlaces(np.empty((0, 1), dtype=int), nothing.astype(int)), nothing, nothing > 0).best
        is None
    )


@settings(max_examples=60, derandomize=True)
@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    seed=st.integers(0, 2**32),
    share=st.floats(0.3, 1),
)
def test_plateaus_are_those_of_a_plain_loop(sizes: list[int], seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    cells = [cell for cell in product(*map(range, sizes)) if random.random() < share]
    levels = random.integers(0, 9, len(cells)).astype(float).tolist()
    eligible = [bool(one) for one in random.random(len(cells)) < share]
    steps = np.array(cells, dtype=np.int64).reshape(len(cells), len(sizes))
    others, able = np.zeros(len(cells), dtype=int), np.array(eligible, dtype=bool)
    found = GridTrials(GridPlaces(steps, others), np.array(levels), able)
    sparse = GridTrials(GridPlaces(steps, others + 1_000), np.array(levels), able)  # no table has room for it
    assert np.array_equal(sparse.plateaus, found.plateaus, equal_nan=True)
    rows = np.arange(len(cells))
    for one in (found, sparse):
        assert np.array_equal(one.plateaus_at(rows), found.plateaus, equal_nan=True)
        assert [one.plateau_row(row) for row in rows.tolist()] == found.plateau_rows.tolist()
    assert sparse.accompanied(rows).tolist() == found.accompanied(rows).tolist()
    assert sparse.best == found.best
    worst = min((level for level, one in zip(levels, eligible, strict=True) if one), default=NAN)
    counted = {c: lv if one else worst for c, lv, one in zip(cells, levels, eligible, strict=True)}
    axes = [axis for axis in range(len(sizes)) if any(cell[axis] for cell in cells)]
    for cell, plateau in zip(cells, found.plateaus.tolist(), strict=True):
        around = [
            counted[moved]
            for axis, by in product(range(len(sizes)), (-1, 1))
            if (moved := (*cell[:axis], cell[axis] + by, *cell[axis + 1 :])) in counted
        ]
        if len(around) < len(axes) or not axes or math.isnan(worst):
            assert math.isnan(plateau)
        else:
            assert plateau == min(counted[cell], *around)


def test_best_of_a_flat_region_is_the_middle_of_the_largest_one() -> None:
    levels = np.array([9, 9, 9, 0, 9, 9, 9, 9, 9, 9, 9, 0], dtype=float)
    steps, zeros = np.arange(12)[:, np.newaxis], np.zeros(12, dtype=np.int64)
    assert GridTrials(GridPlaces(steps, zeros), levels, np.ones(12, dtype=bool)).best == 7


@settings(max_examples=60, derandomize=True)
@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    ordered=st.lists(st.booleans(), min_size=4, max_size=4),
    seed=st.integers(0, 2**32),
)
def test_whole_grid_has_the_places_of_its_trials_one_by_one(
    sizes: list[int], ordered: list[bool], seed: int
) -> None:
    random, count = np.random.default_rng(seed), math.prod(sizes)
    cells = np.array(list(product(*map(range, sizes))), dtype=np.int64)
    own = np.array(ordered[: len(sizes)], dtype=bool)
    others = np.ravel_multi_index(
        (*cells[:, ~own].T, np.zeros(count, dtype=int)), (*np.array(sizes)[~own], 1)
    )
    levels, able = random.integers(0, 9, count).astype(float), random.random(count) < 0.8
    whole = GridTrials(WholeGrid(sizes, own.tolist()), levels, able)
    found = GridTrials(GridPlaces(cells[:, own], others), levels, able)
    rows = np.arange(count)
    assert whole.places.near(rows).tolist() == found.places.near(rows).tolist()
    assert whole.places.steps(rows).tolist() == found.places.steps(rows).tolist()
    assert np.array_equal(whole.plateaus, found.plateaus, equal_nan=True)
    assert np.array_equal(whole.plateaus_at(rows), found.plateaus, equal_nan=True)
    assert whole.best == found.best
