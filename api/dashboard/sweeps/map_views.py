"""Matrices of a sweep's map, list by list: a fraction of the API's answer for the same cells."""

from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np
import sqlalchemy as sa
from fastapi import APIRouter, Request

from api.dependencies import DatabaseDep
from api.responses import JsonResponse
from api.routes.analysis import AskedMatrix, Most, Name
from api.routes.parameters import SCENARIO_PARAMETERS, SweepId, other_parameters
from api.routes.query_names import ANY_NAMES
from api.schemas.documents import matrix_axis, matrix_values
from bot.numbers.arrays import FloatArray, IntArray
from sweeps.analysis.grouping import Summaries
from sweeps.analysis.judged.cell_luck import chances_by, columns_read
from sweeps.analysis.judged.judged_panels import made_report
from sweeps.analysis.maps.cell_states import CellState
from sweeps.analysis.maps.heatmap import Heatmap
from sweeps.analysis.progress import get_spec

router = APIRouter(prefix="/dashboard/sweeps/{sweep_id}", include_in_schema=False)
_PARAMETERS = frozenset({"x", "y", "z", "metric", "agg", "most"}) | SCENARIO_PARAMETERS
_DIGITS = 7
"""Digits of a value: more than any view shows or colours, in half of the text that doubles take."""

_MOST_PLACES = 12


@router.get("/map", dependencies=[ANY_NAMES])
async def map_document(
    request: Request,
    database: DatabaseDep,
    sweep_id: SweepId,
    asked: AskedMatrix,
    z: Name = "",
    most: Most = None,
) -> JsonResponse:
    """Return one matrix, or with `z` one for each value of that axis, as the API's heatmap and panels."""
    fixed = other_parameters(request, _PARAMETERS)
    if not z:
        one = await database.analyze(asked.heatmap, sweep_id, fixed, most)
        return JsonResponse({"heatmaps": [_columns(one)], "values": [None], "omitted": 0})
    several = await database.analyze(asked.panels, sweep_id, fixed, z)
    maps = [_columns(one) for one in several.heatmaps]
    return JsonResponse({"heatmaps": maps, "values": several.labels, "omitted": several.omitted})


@router.get("/map/luck", dependencies=[ANY_NAMES])
async def map_luck(
    request: Request,
    database: DatabaseDep,
    sweep_id: SweepId,
    asked: AskedMatrix,
    most: Most = None,
) -> JsonResponse:
    """Return the chance of luck of each cell of the one matrix, null where nothing is judged yet."""
    fixed = other_parameters(request, _PARAMETERS)

    def query(connection: sa.Connection) -> list[Any] | None:
        spec = get_spec(connection, sweep_id)
        judged = made_report(connection, sweep_id, spec.validation)
        if judged is None:
            return None
        found = asked.heatmap(connection, sweep_id, fixed, most)
        numbers = found.cells.numbers
        columns = columns_read(connection, sweep_id, spec, numbers)
        chances = chances_by(judged, spec, numbers, columns)
        return found.column([None if isnan(one) else one for one in chances.round(4).tolist()])

    return JsonResponse({"p_luck": await database.analyze(query)})


def _columns(found: Heatmap) -> dict[str, Any]:
    """Return a matrix as lists over its cells, row by row.

    A trial is told by the step from the one before it, a state by the place of its name, from 1 on.
    `counts` is null where no cell has more than one trial.
    """
    counts = found.cells.counts
    return {
        "x": matrix_axis(found.x),
        "y": matrix_axis(found.y),
        "scenarios": found.scenarios.model_dump(mode="json"),
        "best": found.best,
        "plateau": found.plateau,
        "cells": found.column(_drawn(found.cells)),
        "trials": found.column(steps(found.cells.numbers).tolist()),
        "counts": found.column(counts.tolist(), 0) if len(counts) and counts.max() > 1 else None,
        "states": _states(found.states),
    }


def _drawn(cells: Summaries) -> list[Any]:
    """Return the value of each cell: amounts as exact text, others with all digits that are shown."""
    return matrix_values(cells) if cells.is_money else shortened(cells.values.astype(np.float64)).tolist()


def shortened(values: FloatArray) -> FloatArray:
    """Return values to seven digits, whole ones and NaN as they are."""
    sizes = np.abs(values)
    with np.errstate(divide="ignore"):
        places = _DIGITS - 1 - np.floor(np.log10(sizes))
    scales = 10.0 ** np.clip(places, 0, _MOST_PLACES)
    return np.where(sizes > 0, np.round(values * scales) / scales, values)


def steps(numbers: IntArray) -> IntArray:
    """Return each number less the one before it, the first as it is: those of neighbours differ by little."""
    return np.diff(numbers, prepend=0)


def _states(states: Sequence[CellState | None]) -> dict[str, Any]:
    digits: dict[CellState | None, str] = {None: "0"}
    digits |= {state: str(place) for place, state in enumerate(CellState, start=1)}
    return {"names": list(CellState), "cells": "".join([digits[state] for state in states])}
