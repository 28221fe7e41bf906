"""How a metric is distributed over trials: counts in bins of equal width, one edge at zero."""

from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_NARROW = 1e-9


@dataclass(frozen=True, slots=True)
class Distribution:
    """`counts[i]` values lie in [`edges[i]`, `edges[i + 1]`), the last edge included.

    `quantiles` are those of 5, 25, 50, 75 and 95 %, empty without values. `undefined` trials have no value.
    """

    edges: list[float]
    counts: list[int]
    quantiles: list[float]
    undefined: int

    @property
    def defined(self) -> int:
        """How many values were counted."""
        return sum(self.counts)


def distribution(values: Floats, bins: int = 40, *, whole: bool = False) -> Distribution:
    """Return the distribution of `values` (NaN where undefined) over about `bins` bins of a round width.

    Bins of `whole` numbers are at least one wide.
    """
    known = values[~np.isnan(values)]
    undefined = len(values) - len(known)
    if not len(known):
        return Distribution([], [], [], undefined)
    edges = _edges(float(known.min()), float(known.max()), bins, whole=whole)
    counts, _ = np.histogram(known, bins=edges)
    quantiles = np.quantile(known, _QUANTILES).tolist()
    return Distribution(edges.tolist(), counts.tolist(), quantiles, undefined)


def _edges(low: float, high: float, bins: int, *, whole: bool) -> Floats:
    span = high - low
    if span <= _NARROW * max(abs(low), abs(high)):
        margin = max(abs(low), 1.0) / 2
        return np.array([low - margin, high + margin])
    width = _round_up(span / bins)
    if whole:
        width = max(1.0, float(ceil(width)))
    first, last = floor(low / width), floor(high / width) + 1
    return np.arange(first, last + 1, dtype=np.float64) * width


def _round_up(width: float) -> float:
    magnitude = 10.0 ** floor(log10(width))
    return next(step * magnitude for step in _STEPS if step * magnitude >= width * (1 - _NARROW))
