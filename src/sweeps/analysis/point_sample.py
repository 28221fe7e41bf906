"""Sample of trials for charts: the same ones each time, in whatever order they finish."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.intp]
_MULTIPLIERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_GOLDEN = 0x9E3779B97F4A7C15


def point_sample(numbers: npt.NDArray[np.int64], most: int, always: Sequence[int] = ()) -> Places:
    """Return the places of at most `most` trials, ascending, spread like all of them, and those of `always`.

    Numbers are scattered by a fixed hash (splitmix64): every n-th one would fall in step with the axes.
    """
    if len(numbers) <= most:
        return np.arange(len(numbers))
    keys = _scattered(numbers)
    chosen = np.argpartition(keys, most - 1)[:most]
    return np.unique(np.concatenate([chosen, np.asarray(always, dtype=np.intp)]))


def _scattered(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        mixed = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(_GOLDEN)
        for shift, multiplier in zip((30, 27), _MULTIPLIERS, strict=True):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(multiplier)
        return mixed ^ (mixed >> np.uint64(31))
