"""Equal rows of returns: worked out once, and never taken for each other where anything differs."""

import numpy as np

from bot.selection.days.equal_rows import equal_rows

_DAYS = np.random.default_rng(1).normal(0.0, 0.01, (3, 50))


def test_rows_equal_in_both_matrices_share_the_first() -> None:
    first, place = equal_rows(_DAYS[[0, 1, 0, 2, 1]], np.zeros((5, 50)))
    assert first.tolist() == [0, 1, 3]
    assert place.tolist() == [0, 1, 0, 2, 1]


def test_rows_beside_another_hold_or_with_one_bit_changed_are_kept_apart() -> None:
    hold = np.zeros((3, 50))
    hold[1, 7] = 1e-9
    returns = _DAYS[[0, 0, 0]].copy()
    returns[2, 49] = np.nextafter(returns[2, 49], 1.0)
    first, place = equal_rows(returns, hold)
    assert place.tolist() == first.tolist() == [0, 1, 2]


def test_broken_rows_are_found_as_rows_of_their_own() -> None:
    returns = np.vstack([np.full(50, np.nan), _DAYS[0], np.full(50, np.nan)])
    first, place = equal_rows(returns, np.zeros((3, 50)))
    assert [np.isnan(returns[first[one]]).any() for one in place] == [True, False, True]


def test_rows_with_equal_sums_and_other_days_are_kept_apart() -> None:
    returns = np.zeros((4, 50))
    returns[[0, 2], 0] = np.sqrt(2.0)
    returns[[1, 3], 1] = 1.0
    first, place = equal_rows(returns, np.zeros((4, 50)))
    assert place[0] == place[2] != place[1]
    assert first[place[1]] == 1


def test_no_rows_have_no_first() -> None:
    first, place = equal_rows(np.empty((0, 50)), np.empty((0, 50)))
    assert first.tolist() == place.tolist() == []


def test_pairs_of_rows_are_compared_by_place_and_rows_that_none_names_may_hold_anything() -> None:
    returns = np.vstack([np.full(50, 1e308), _DAYS[0], _DAYS[1], _DAYS[1]])
    hold = np.vstack([np.zeros(50), np.full(50, 1e-9)])
    pairs = np.array([3, 1, 2, 2]), np.array([0, 0, 0, 1])
    first, place = equal_rows(returns, hold, pairs)
    assert first.tolist() == [0, 1, 3]
    assert place.tolist() == [0, 1, 0, 2]
