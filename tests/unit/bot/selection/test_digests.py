"""Digests of trials: of equal ones the lowest number stays."""

import numpy as np
import pytest

from bot.selection.days.digests import first_of_equals


@pytest.mark.parametrize("words", [1, 2, 4, 10**9])
def test_of_equal_digests_the_lowest_number_stays_whichever_word_differs(words: int) -> None:
    for seed in range(30):
        random = np.random.default_rng(seed)
        count = int(random.integers(0, 30))
        numbers = random.permutation(100)[:count]
        digests = random.integers(0, words, (count, 2)).astype(np.uint64)
        lowest: dict[bytes, int] = {}
        for row in np.argsort(numbers).tolist():
            lowest.setdefault(digests[row].tobytes(), row)
        assert first_of_equals(numbers, digests).tolist() == list(lowest.values())
