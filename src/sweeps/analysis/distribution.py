"""Distribution of a metric over trials: counts in bins of equal width, zero being an edge."""

from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_NARROW = 1e-9
_LEAST_SPAN = 1e-290
"""Below it the width of a bin is no normal number any more."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """`every[i]` values lie in [`edges[i]`, `edges[i + 1]`), the last one included, `counts[i]` are selected.

    Of those selected, `quantiles` are the values at 5, 25, 50, 75 and 95 %, none without values, and
    `undefined` have no value.
    """

    edges: list[float]
    every: list[int]
    counts: list[int]
    quantiles: list[float]
    undefined: int


def distribution(values: Floats, selected: Bools, bins: int = 40, *, whole: bool = False) -> Distribution:
    """Return the distribution of `values` (NaN where undefined) over at most `bins` bins of a round width.

    Bins of `whole` numbers are at least one wide.
    """
    defined = ~np.isnan(values)
    known, chosen = values[defined], values[defined & selected]
    undefined = int(np.count_nonzero(selected)) - len(chosen)
    if not len(known):
        return Distribution([], [], [], [], undefined)
    edges = _edges(float(known.min()), float(known.max()), bins, whole=whole)
    every, _ = np.histogram(known, bins=edges)
    counts, _ = np.histogram(chosen, bins=edges)
    quantiles = np.quantile(chosen, _QUANTILES).tolist() if len(chosen) else []
    return Distribution(edges.tolist(), every.tolist(), counts.tolist(), quantiles, undefined)


def _edges(low: float, high: float, bins: int, *, whole: bool) -> Floats:
    span = high - low
    if span <= max(_NARROW * max(abs(low), abs(high)), _LEAST_SPAN):
        margin = max(abs(low), 1.0) / 2
        return np.array([low - margin, high + margin])
    width = _round_up(span / bins)
    if whole:
        width = max(1.0, float(ceil(width)))
    first, last = floor(low / width), floor(high / width) + 1
    edges = np.arange(first, last + 1, dtype=np.float64) * width
    edges[0] = min(edges[0], low)  # 70 * 0.01 is a little more than 0.7, which would fall out
    return edges


def _round_up(width: float) -> float:
    magnitude = 10.0 ** floor(log10(width))
    return next(step * magnitude for step in _STEPS if step * magnitude >= width * (1 - _NARROW))
