"""Numbers that occur in a column."""

import subprocess
import sys

import numpy as np
import pytest

from bot.numbers.numbering import occurring


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
