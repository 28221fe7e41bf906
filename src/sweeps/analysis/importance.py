"""Importance of each parameter: the share of a metric's variance that its value alone explains."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sweeps.spec.axis_positions import Numbers, ascending
from sweeps.spec.scenarios import Scenarios
from sweeps.spec.space import TrialSpace
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import Measured

Floats = npt.NDArray[np.float64]
MOST_GROUPS = 16
_ALIKE = 1e-12


@dataclass(frozen=True, slots=True)
class Importance:
    """An axis with its share of the variance, adjusted for chance, by how many groups of its values."""

    name: str
    share: float
    groups: int


def leading_importance(
    spec: SweepSpec, done: Measured, cells: Numbers, metric: str, scenarios: Scenarios
) -> list[Importance] | None:
    """Return the chosen axes by what they explain of a metric among the eligible trials.

    While none is eligible, it is among all. Over scenarios each setting stands at one value of the others,
    which are left out. None as `importance`.
    """
    if done.eligible.any():
        done, cells = done.only(done.eligible), cells[done.eligible]
    found = importance(spec.space, cells, done.floats(metric))
    return None if found is None else [one for one in found if one.name not in scenarios.axes]


def importance(space: TrialSpace, cells: Numbers, values: Floats) -> list[Importance] | None:
    """Return the axes by share of the variance of `values` (NaN where undefined), the largest first.

    Trials are grouped by the value of the axis, neighbouring values together where there are more than
    `MOST_GROUPS`. The share is epsilon squared of a one-way analysis of variance, the adjusted R²:
    1 - (within / (n - groups)) / (total / (n - 1)), both sums of squares; less than 0 is chance and 0.
    On a large full grid it is the first-order Sobol' index. None with less than three values, or equal ones.
    """
    known = ~np.isnan(values)
    cells, values = cells[known], values[known]
    if len(values) < 3 or np.ptp(values) <= _ALIKE * np.abs(values).max():
        return None
    total = float(np.sum((values - values.mean()) ** 2))
    shares = [_share(space, name, cells, values, total) for name in space.by_name]
    return sorted(shares, key=lambda found: -found.share)


def _share(space: TrialSpace, name: str, cells: Numbers, values: Floats, total: float) -> Importance:
    groups = _groups(space, name, cells)
    counts = np.bincount(groups)
    used, n = int(np.count_nonzero(counts)), len(values)
    if used < 2 or n <= used:
        return Importance(name, 0.0, used)
    means = np.bincount(groups, weights=values) / np.maximum(counts, 1)
    within = float(np.sum((values - means[groups]) ** 2))
    share = 1 - (within / (n - used)) / (total / (n - 1))
    return Importance(name, min(max(share, 0.0), 1.0), used)


def _groups(space: TrialSpace, name: str, cells: Numbers) -> Numbers:
    """Return a group for each cell; where values are many, groups hold about as many trials each."""
    axis = space.by_name[name]
    ranks = np.empty(len(axis.values), dtype=np.int64)
    ranks[ascending(axis)] = np.arange(len(axis.values))
    places = ranks[space.positions(cells, name)]
    held = np.bincount(places, minlength=len(ranks))
    if np.count_nonzero(held) <= MOST_GROUPS:
        return places
    before = np.cumsum(held) - held
    return (before * MOST_GROUPS // len(cells))[places]
