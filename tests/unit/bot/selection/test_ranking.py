"""Best trials of windows and their ranks: exact among ties and near ties, however trials are parted."""

import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.numbers.arrays import FloatArray
from bot.selection.best_trials import BestTrials, Ranks
from bot.selection.days.ranking import Ranking, Rows, Windows
from bot.selection.days.segments import Segments

DAYS, EXPONENTS = 8, (3, 4)
SEGMENTS = Segments.of(DAYS, [2, 4, 6])
WINDOWS: FloatArray = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 1], [1, 1, 1, 1]], dtype=np.float64)

# Large values beside small steps: keys that floats cannot tell apart, and keys that are equal.
values = st.sampled_from([0, 1, -1, 2, 2**20, 2**20 + 1, -(2**20)])
trials = st.lists(st.lists(values, min_size=DAYS, max_size=DAYS), min_size=1, max_size=9)


def rows_of(returns: list[list[int]], numbers: list[int]) -> Rows:
    own: FloatArray = np.array([returns[number] for number in numbers], dtype=np.float64)
    exponents = np.array([EXPONENTS[number % 2] for number in numbers], dtype=np.int64)
    return Rows(np.array(numbers), exponents, SEGMENTS.sums(own))


def key_by_hand(days: list[int], number: int, window: FloatArray, *, by_money: bool) -> Fraction | None:
    inside = [day for place, day in enumerate(days) if window[place // 2]]
    total, squares = sum(inside), sum(day * day for day in inside)
    if not squares:
        return None
    money = Fraction(total) / 2 ** EXPONENTS[number % 2]
    return money if by_money else Fraction(total * abs(total), squares)


@pytest.mark.parametrize("by_money", [False, True])
@settings(max_examples=150, derandomize=True)
@given(trials, st.randoms(use_true_random=False), st.integers(1, 9))
def test_best_trials_and_ranks_equal_exact_keys_in_any_order(
    by_money: bool, returns: list[list[int]], chance: random.Random, size: int
) -> None:
    order = list(range(len(returns)))
    chance.shuffle(order)
    parts = [rows_of(returns, order[first : first + size]) for first in range(0, len(order), size)]
    ranking = Ranking(by_money)
    best = BestTrials(Windows(ranking, WINDOWS))
    for part in parts:
        best.take(part)
    chosen = best.chosen
    outside = 1.0 - WINDOWS[chosen]
    ranks = Ranks(Windows(ranking, outside), best.sums(chosen, outside))
    for part in parts:
        ranks.take(part)
    expected = {}
    for place, window in enumerate(WINDOWS):
        keys = {
            number: key
            for number, days in enumerate(returns)
            if (key := key_by_hand(days, number, window, by_money=by_money)) is not None
        }
        if keys:
            winner = max(keys, key=lambda number: (keys[number], -number))
            others = [
                key_by_hand(days, number, 1.0 - window, by_money=by_money)
                for number, days in enumerate(returns)
            ]
            own = others[winner]
            worse = sum(own is not None and (one is None or one < own) for one in others)
            expected[place] = winner, worse, sum(one == own for one in others)
    found = zip(best.numbers(chosen).tolist(), ranks.worse.tolist(), ranks.equal.tolist(), strict=True)
    assert dict(zip(chosen.tolist(), found, strict=True)) == expected
    assert [pick and pick.number for pick in best.picks] == [
        expected[place][0] if place in expected else None for place in range(len(WINDOWS))
    ]
