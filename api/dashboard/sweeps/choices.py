"""Choices on a sweep's page, and their defaults where the address names none."""

from collections.abc import Mapping
from typing import Any

from api.presentation.presenters import SweepPage, text_of
from sweeps.analysis.grouping import Aggregate
from sweeps.analysis.heatmap import MOST_CELLS
from sweeps.analysis.matrix_axes import is_ordered
from sweeps.analysis.overview import GAIN, RISK
from sweeps.analysis.selection import NULL
from sweeps.spec.axes import Axis
from sweeps.spec.axis_positions import absent, ascending
from sweeps.spec.metrics import METRICS
from sweeps.spec.sampling import GridSampler

_LEAST_CELLS, _TRIALS_OF_A_CELL = 64, 2
"""Samples are scattered: their heatmap has fewer cells, so that most have a trial."""

VIEW_PARAMETERS = frozenset({"x", "y", "z", "metric", "agg", "risk", "gain", "sort", "cursor"})


def view_document(sweep: SweepPage) -> dict[str, Any]:
    """Return the axes with their values ascending, as text, and what is shown by default."""
    axes = sweep.spec.space.axes
    widest = sorted(axes, key=lambda axis: -len(axis.values))[:2]
    x, y, *_ = [axis.name for axis in axes if axis in widest] + ["", ""]
    return {
        "axes": [_axis(axis) for axis in axes],
        "most_cells": _most_cells(sweep),
        "defaults": {
            "x": x,
            "y": y,
            "metric": sweep.objective.name,
            "agg": Aggregate.BEST,
            "risk": RISK,
            "gain": GAIN,
        },
    }


def chosen_filters(sweep: SweepPage, query: Mapping[str, str]) -> dict[str, str]:
    """Return the part of an address that selects trials: axes and metrics with a value or a range each."""
    known = {*sweep.spec.space.by_name, *METRICS} - VIEW_PARAMETERS
    return {name: text for name, text in query.items() if name in known}


def _most_cells(sweep: SweepPage) -> int:
    if isinstance(sweep.spec.sampler, GridSampler):
        return MOST_CELLS
    return max(_LEAST_CELLS, sweep.view.trials_total // _TRIALS_OF_A_CELL)


def _axis(axis: Axis) -> dict[str, Any]:
    order = ascending(axis)
    return {
        "name": axis.name,
        "values": [NULL if absent(axis, at) else text_of(axis.labels[at]) for at in order],
        "ordered": is_ordered(axis),
        "absent": absent(axis, order[0]),
    }
