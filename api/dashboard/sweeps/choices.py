"""Choices on a sweep's page, and their defaults where the address names none."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from api.dashboard.sweeps.trial_table import ROW_COUNTS, usually_distinct
from api.presentation.presenters import SweepPage
from api.presentation.rate_words import rate_parameters
from api.routes.parameters import NO_AXES
from api.routes.query_names import refuse_repeated
from bot.config.strategy_registry import usable_strategies
from bot.errors import FieldError, FieldErrors
from bot.notation import quoted, text_of
from bot.validation import refuse_unknown
from sweeps.analysis.grouping import Aggregate
from sweeps.analysis.maps.heatmap import MOST_CELLS
from sweeps.analysis.matrix_axes import is_ordered
from sweeps.analysis.overview import GAIN, RISK
from sweeps.analysis.scenarios import usual_scenarios
from sweeps.analysis.selection import NULL
from sweeps.spec.axes import Axis
from sweeps.spec.axis_positions import absent, ascending
from sweeps.spec.parameters import variables
from sweeps.spec.sampling import GridSampler
from sweeps.spec.scenarios import ScenarioRank, Scenarios

_LISTS = frozenset({"cols", "columns", "log"})
_LEAST_CELLS, _TRIALS_OF_A_CELL = 64, 2
"""Samples are scattered: their heatmap has fewer cells, so that most have a trial."""

VIEW_PARAMETERS = frozenset(
    {
        *("x", "y", "z", "metric", "agg", "risk", "gain", "scenarios", "scenario_rank", "pins"),
        *("sort", "cursor", "cols", "rows", "distinct", "columns", "log", "zoom"),
    }
)


def view_document(sweep: SweepPage, leading: Sequence[str], pinned: Sequence[int]) -> dict[str, Any]:
    """Return the axes with their values ascending, as text, and what is shown by default."""
    axes = sweep.spec.space.axes
    scenarios = usual_scenarios(sweep.spec)
    x, y, *_ = [*leading, "", ""]
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
            "scenarios": ",".join(scenarios.axes) or NO_AXES,
            "scenario_rank": scenarios.rank.value,
            "pins": ",".join(map(str, pinned)),
            "distinct": usually_distinct(sweep),
        },
    }


def first_map(view: Mapping[str, Any]) -> str | None:
    """Return the query of the map that a page shows first, as its scripts ask for it; None without axes."""
    usual = view["defaults"]
    if not (usual["x"] and usual["y"]):
        return None
    names = ["x", "y", "metric", "agg", "scenarios"]
    if usual["scenarios"] != NO_AXES:
        names.append("scenario_rank")
    return urlencode({**{name: usual[name] for name in names}, "most": view["most_cells"]})


def refuse_unknown_choices(sweep: SweepPage, query: QueryParams) -> None:
    """Refuse an address with a name that no page of a sweep knows, with one twice, or an unknown choice.

    A name of a parameter that is no axis of this sweep may come from the page of another.
    Raises: InvalidInputError.
    """
    strategies = tuple(plugin.name for plugin in usable_strategies()[0])
    refuse_unknown(query, {*VIEW_PARAMETERS, *sweep.metrics, *variables(strategies).fields})
    refuse_repeated(query)
    errors = FieldErrors()
    for name, (kind, known) in _choices(sweep).items():
        asked = query.get(name, "")
        for one in asked.split(",") if name in _LISTS else [asked]:
            if one and one not in known:
                told = ", ".join(known) or "none"
                errors.add(FieldError(name, f"{quoted(one)} is no {kind}; there are {told}"))
    for name, other in (("y", "x"), ("z", "x"), ("z", "y")):
        if query.get(name) and query.get(name) == query.get(other):
            errors.add(FieldError(name, f"{quoted(query[name])} is the {other} axis already"))
    errors.raise_if_any()


def _choices(sweep: SweepPage) -> dict[str, tuple[str, Collection[str]]]:
    """Return what each parameter of an address chooses from, with its kind in words."""
    axes, metrics = sweep.spec.space.by_name, sweep.metrics
    return {
        **dict.fromkeys(("x", "y", "z"), ("axis of this sweep", axes)),
        **dict.fromkeys(("metric", "risk", "gain", "cols"), ("metric of this sweep", metrics)),
        "columns": ("axis or metric of this sweep", [*axes, *metrics]),
        "agg": ("aggregate of cells", list(Aggregate)),
        "scenario_rank": ("rank over scenarios", list(ScenarioRank)),
        "rows": ("number of rows", list(map(str, ROW_COUNTS))),
        "distinct": ("choice about equal results", ("0", "1")),
        "log": ("axis of the scatter plot", ("x", "y")),
    }


def chosen_filters(sweep: SweepPage, query: Mapping[str, str]) -> dict[str, str]:
    """Return the part of an address that selects trials: axes and metrics with a value or a range each."""
    known = {*sweep.spec.space.by_name, *sweep.metrics} - VIEW_PARAMETERS
    return {name: text for name, text in query.items() if name in known}


def chosen_scenarios(sweep: SweepPage, query: Mapping[str, str]) -> Scenarios:
    """Return the scenarios of an address, the usual ones where it names none."""
    usual = usual_scenarios(sweep.spec)
    axes = query.get("scenarios")
    names = usual.axes if axes is None else () if axes == NO_AXES else tuple(axes.split(","))
    return Scenarios(axes=names, rank=ScenarioRank(query.get("scenario_rank") or usual.rank))


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
        "rate": axis.name in rate_parameters(),
    }
