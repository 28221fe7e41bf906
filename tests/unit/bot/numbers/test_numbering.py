"""Numbers that occur in a column."""

import subprocess
import sys

import numpy as np
import pytest

from bot.numbers.numbering import by_first, in_order_of_first, occurring


@pytest.mark.parametrize("values", [[], [4], [3, -1, 3, 2, -1], [5, 5, 5]])
def test_numbers_that_occur_are_each_told_once_and_ascending(values: list[int]) -> None:
    assert occurring(np.array(values, dtype=np.int64)).tolist() == sorted(set(values))


def test_asking_which_numbers_occur_loads_no_arrays_with_masks() -> None:
    script = (
        "import sys, numpy as np; from bot.numbers.numbering import occurring;"
        " print(occurring(np.array([2, 1, 2])).tolist(), 'numpy.ma' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[0] == "[1, 2] False"


@pytest.mark.parametrize("values", [[], [4], [3, 1, 2], [3, -1, 3, 2, -1, -1, 7], [5, 5, 5]])
def test_numbers_are_counted_in_the_order_in_which_they_come_first(values: list[int]) -> None:
    first, kinds = by_first(np.array(values, dtype=np.int64))
    different = list(dict.fromkeys(values))
    assert first.tolist() == [values.index(value) for value in different]
    assert kinds.tolist() == [different.index(value) for value in values]


def test_kinds_in_another_order_are_counted_in_that_of_their_first_places() -> None:
    first, kinds = in_order_of_first(np.array([2, 0, 3]), np.array([1, 1, 0, 2, 0]))
    assert (first.tolist(), kinds.tolist()) == ([0, 2, 3], [0, 0, 1, 2, 1])
