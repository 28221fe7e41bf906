"""Trials that the compiled library compares are chosen and placed as exact keys, and matrices, do it."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.kernel import comparing
from bot.kernel.comparing import comparing_by
from bot.kernel.loading import Library
from bot.numbers.arrays import FloatArray
from bot.selection.best_trials import BestTrials, Ranks
from bot.selection.days.ranking import BY_MATRICES, Comparing, Ranking, Rows, Windows
from bot.selection.days.segments import SegmentSums
from bot.selection.days.whole_returns import BITS, MOST_DAYS

LARGEST = 2**BITS * MOST_DAYS, 4**BITS * MOST_DAYS
SEGMENTS = 6

# Of a segment: few sums and squares of them, so that keys are equal, and the largest, which floats cannot
# tell from those beside them.
sums = st.one_of(
    st.sampled_from([(0, 0), (0, 2), (1, 1), (-1, 1), (2, 2), (2, 4), (3, 9), (-4, 16)]),
    st.builds(
        lambda less, sign: (sign * (LARGEST[0] // SEGMENTS - less), LARGEST[1] // SEGMENTS - less),
        st.integers(0, 3),
        st.sampled_from([-1, 1]),
    ),
)
trials = st.lists(
    st.tuples(st.lists(sums, min_size=SEGMENTS, max_size=SEGMENTS), st.sampled_from([3, 4, 13, -70])),
    min_size=1,
    max_size=40,
)
windows = st.lists(st.lists(st.booleans(), min_size=SEGMENTS, max_size=SEGMENTS), min_size=1, max_size=12)


def rows_of(drawn: Sequence[tuple[list[tuple[int, int]], int]], numbers: Sequence[int]) -> Rows:
    own = np.array([drawn[number][0] for number in numbers], dtype=np.int64)
    exponents = np.array([drawn[number][1] for number in numbers], dtype=np.int64)
    active = (own[:, :, 1] % 4).astype(np.uint8)
    return Rows(np.array(numbers), exponents, SegmentSums(own[:, :, 0], own[:, :, 1], active))


def judged(own: Windows, outside: FloatArray, parts: Sequence[Rows], by: Comparing) -> list[Any]:
    """Return the best trials of windows, and their places in others."""
    best = BestTrials(own, by)
    for part in parts:
        best.take(part)
    chosen = best.chosen
    ranks = Ranks(Windows(own.ranking, outside[chosen]), best.sums(chosen, outside[chosen]), by)
    for part in parts:
        ranks.take(part)
    picks = [pick and (pick.number, pick.exponent, pick.totals.tolist()) for pick in best.picks]
    return [picks, ranks.worse.tolist(), ranks.equal.tolist()]


@pytest.mark.parametrize("by_money", [False, True])
@pytest.mark.parametrize("at_once", [1, 9, 4_096])
def test_drawn_trials_are_chosen_and_placed_as_by_matrices(
    library: Library, by_money: bool, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "_ROWS", at_once)

    @settings(max_examples=60, derandomize=True)
    @given(trials, windows, st.integers(0, 4), st.integers(1, 40), st.randoms(use_true_random=False))
    def compare(
        drawn: list[tuple[list[tuple[int, int]], int]],
        inside: list[list[bool]],
        fewest: int,
        size: int,
        chance: random.Random,
    ) -> None:
        order = list(range(len(drawn)))
        chance.shuffle(order)
        parts = [rows_of(drawn, order[first : first + size]) for first in range(0, len(order), size)]
        matrix = np.array(inside, dtype=np.float64)
        own = Windows(Ranking(by_money), matrix, fewest)
        expected = judged(own, 1.0 - matrix, parts, BY_MATRICES)
        for code in (library, library.in_plain_c()):
            assert judged(own, 1.0 - matrix, parts, comparing_by(code)) == expected

    compare()


def test_keys_are_told_apart_that_differ_by_the_last_bit(library: Library) -> None:
    total, squares = LARGEST
    pairs = [
        (total - 1, squares - 1),
        (total - 1, squares - 2),
        (total - 1, squares),
        (total - 1, squares - 2),
    ]
    own = np.array(pairs, dtype=np.int64)[:, :, None]
    rows = Rows(np.arange(4), np.zeros(4, dtype=np.int64), SegmentSums(own[:, 0], own[:, 1], own[:, 0] * 0))
    whole = Windows(Ranking(by_money=False), np.ones((1, 1)))
    for by in (BY_MATRICES, *map(comparing_by, (library, library.in_plain_c()))):
        picks, worse, equal = judged(whole, np.ones((1, 1)), [rows], by)
        assert (picks[0][0], worse, equal) == (1, [2], [2])
