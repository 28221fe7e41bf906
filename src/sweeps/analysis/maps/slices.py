"""Slices through a sweep: how a metric of its trials spreads at each value of each axis."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from bot.numbers.arrays import FloatArray, IntArray
from sweeps.analysis.grouping import is_maximized
from sweeps.analysis.maps.heatmap import checked_metric
from sweeps.analysis.matrix_axes import MatrixAxis, drawn_matrix_axis
from sweeps.analysis.progress import get_spec
from sweeps.analysis.scenarios import scenarios_for
from sweeps.analysis.selection import selected
from sweeps.spec.scenarios import Scenarios
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import Measured

MOST_STEPS = 200
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the trials at a value that lie at or below each level of a slice."""


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """One axis, its values ascending: eligible trials at each, their spread and best one.

    `levels` are (values x quantiles), NaN where no trial counts; `best` are numbers of trials, -1 there, of
    equal ones the lowest.
    """

    axis: MatrixAxis
    counts: IntArray
    levels: FloatArray
    best: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """One slice for each axis, in the order written."""

    metric: str
    slices: list[Slice]


def slices(
    connection: sa.Connection,
    sweep_id: int,
    *,
    metric: str | None = None,
    filters: Mapping[str, str] | None = None,
    scenarios: Scenarios | None = None,
) -> Slices:
    """Return a slice for each axis over the selected eligible trials and have the metric.

    Each axis is shown in its own slice, so that it is no scenario there. Raises: UnknownSweepError,
    InvalidInputError.
    """
    spec = get_spec(connection, sweep_id)
    metric = checked_metric(spec, metric)
    found = []
    for axis in spec.axes:
        standing = scenarios_for(spec, scenarios, (axis.name,))
        done, cells = selected(connection, sweep_id, spec, [metric], filters, standing)
        drawn = drawn_matrix_axis(axis, MOST_STEPS)
        found.append(_slice(spec, metric, drawn, done, drawn.of(spec.space, cells)))
    return Slices(metric, found)


def _slice(spec: SweepSpec, metric: str, axis: MatrixAxis, done: Measured, steps: IntArray) -> Slice:
    kept = done.eligible & done.defined(metric)
    values, numbers, steps = done.floats(metric)[kept], done.numbers[kept], steps[kept]
    counts = np.bincount(steps, minlength=axis.size)
    order = np.lexsort((values, steps))
    starts = np.cumsum(counts) - counts
    held = np.flatnonzero(counts)
    levels = np.full((axis.size, len(QUANTILES)), np.nan)
    for at, share in enumerate(QUANTILES):
        places = starts[held] + np.rint(share * (counts[held] - 1)).astype(np.int64)
        levels[held, at] = values[order[places]]
    best = np.full(axis.size, -1, dtype=np.int64)
    for step in held:
        own = order[starts[step] :][: counts[step]]  # equal values by number
        first = np.searchsorted(values[own], values[own[-1]]) if is_maximized(spec, metric) else 0
        best[step] = numbers[own[first]]
    return Slice(axis, counts, levels, best)
