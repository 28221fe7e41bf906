"""A sweep at a glance: heatmaps, what else is drawn of it, and settings summed up over an axis."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request

from api.dependencies import DatabaseDep
from api.responses import JsonResponse
from api.routes.parameters import (
    SCENARIO_PARAMETERS,
    AskedScenarios,
    Cursor,
    Limit,
    SweepId,
    other_parameters,
)
from api.routes.query_names import ANY_NAMES
from api.schemas.analysis import Heatmap as HeatmapDocument
from api.schemas.analysis import Overview, Panels, SettingPage, SlicesDocument
from api.schemas.documents import (
    heatmap_document,
    overview_document,
    panels_document,
    setting_document,
    slices_document,
)
from api.schemas.openapi import PROBLEMS
from bot.numbers.arrays import FloatArray
from sweeps.analysis.judged.cell_luck import chances_of_luck
from sweeps.analysis.maps.heatmap import Aggregate, Heatmap, heatmap, panels
from sweeps.analysis.maps.heatmap import Panels as HeatmapPanels
from sweeps.analysis.maps.slices import slices
from sweeps.analysis.overview import GAIN, MOST_POINTS, RISK, overview
from sweeps.analysis.robustness import over_axis
from sweeps.spec.scenarios import Scenarios

router = APIRouter(
    prefix="/sweeps/{sweep_id}", tags=["trials"], responses=PROBLEMS, default_response_class=JsonResponse
)
Name = Annotated[str, Query(max_length=64)]
Metric = Annotated[str | None, Query(max_length=64, description="the objective if left out")]
Most = Annotated[
    int | None,
    Query(ge=1, le=1_000_000, description="ascending values, neighbours merged to so many cells at most"),
]
_HEATMAP_PARAMETERS = frozenset({"x", "y", "metric", "agg", "most", "luck"}) | SCENARIO_PARAMETERS
_PANEL_PARAMETERS = frozenset({"x", "y", "z", "metric", "agg"}) | SCENARIO_PARAMETERS
_OVERVIEW_PARAMETERS = frozenset({"metric", "risk", "gain", "points", "beside"}) | SCENARIO_PARAMETERS
_SLICE_PARAMETERS = frozenset({"metric"}) | SCENARIO_PARAMETERS
_AGGREGATE_PARAMETERS = frozenset({"over", "metric", "sort", "limit", "cursor"})


@dataclass(frozen=True, slots=True)
class MatrixQuery:
    """Sides of a matrix, its metric, the aggregate of its cells, and the scenarios that settings stand at."""

    x: str
    y: str
    metric: str | None
    aggregate: Aggregate
    scenarios: Scenarios | None

    def heatmap(
        self, connection: sa.Connection, sweep_id: int, fixed: Mapping[str, str], most: int | None
    ) -> Heatmap:
        """Return the matrix of the trials that `fixed` selects, of `most` cells at most."""
        return heatmap(connection, sweep_id, most=most, fixed=fixed, **self._shown())

    def panels(
        self, connection: sa.Connection, sweep_id: int, fixed: Mapping[str, str], z: str
    ) -> HeatmapPanels:
        """Return a matrix for each value of `z`."""
        return panels(connection, sweep_id, z=z, fixed=fixed, **self._shown())

    def _shown(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("x", "y", "metric", "aggregate", "scenarios")}


async def _matrix_query(
    x: Name, y: Name, scenarios: AskedScenarios, metric: Metric = None, agg: Aggregate = Aggregate.BEST
) -> MatrixQuery:
    return MatrixQuery(x, y, metric, agg, scenarios)


AskedMatrix = Annotated[MatrixQuery, Depends(_matrix_query)]


@router.get(
    "/heatmap", dependencies=[ANY_NAMES], summary="One metric over two axes", response_model=HeatmapDocument
)
async def matrix(
    request: Request,
    database: DatabaseDep,
    sweep_id: SweepId,
    asked: AskedMatrix,
    most: Most = None,
    luck: Annotated[bool, Query(description="add the chance of luck of each cell's trial")] = False,
) -> JsonResponse:
    """Return the matrix; further parameters name an axis or a metric and a value or `lowest..highest`.

    The trials that those mean are aggregated over the other axes.
    """
    fixed = other_parameters(request, _HEATMAP_PARAMETERS)

    def query(connection: sa.Connection) -> tuple[Heatmap, FloatArray | None]:
        found = asked.heatmap(connection, sweep_id, fixed, most)
        return found, chances_of_luck(connection, sweep_id, found.cells.numbers) if luck else None

    return JsonResponse(heatmap_document(*await database.analyze(query)))


@router.get("/panels", dependencies=[ANY_NAMES], summary="Heatmaps over a third axis", response_model=Panels)
async def matrices(
    request: Request,
    database: DatabaseDep,
    sweep_id: SweepId,
    asked: AskedMatrix,
    z: Name,
) -> JsonResponse:
    """Return a matrix for each value of `z`, evenly chosen ones where there are many; else as the heatmap."""
    fixed = other_parameters(request, _PANEL_PARAMETERS)
    found = await database.analyze(asked.panels, sweep_id, fixed, z)
    return JsonResponse(panels_document(found))


@dataclass(frozen=True, slots=True)
class DrawnMetrics:
    """Metrics that the points of an overview have: the first is summed up as well."""

    metric: str | None
    risk: str
    gain: str
    beside: tuple[str, ...]


async def _drawn_metrics(
    metric: Metric = None,
    risk: Name = RISK,
    gain: Name = GAIN,
    beside: Annotated[
        str | None, Query(max_length=1000, description="more metrics of each point, by comma")
    ] = None,
) -> DrawnMetrics:
    return DrawnMetrics(metric, risk, gain, tuple(beside.split(",")) if beside else ())


AskedMetrics = Annotated[DrawnMetrics, Depends(_drawn_metrics)]


@router.get(
    "/overview",
    dependencies=[ANY_NAMES],
    summary="Distribution, importance, risk and return",
    response_model=Overview,
)
async def all_at_once(
    request: Request,
    database: DatabaseDep,
    sweep_id: SweepId,
    scenarios: AskedScenarios,
    drawn: AskedMetrics,
    points: Annotated[
        int, Query(ge=1, le=20_000, description="most trials returned one by one")
    ] = MOST_POINTS,
) -> JsonResponse:
    """Return the distribution of a metric, the axes that explain it, and the front of risk and return.

    Further parameters name an axis or a metric and a value or `lowest..highest`.
    """
    filters = other_parameters(request, _OVERVIEW_PARAMETERS)
    found = await database.analyze(
        overview,
        sweep_id,
        metric=drawn.metric,
        risk=drawn.risk,
        gain=drawn.gain,
        beside=drawn.beside,
        filters=filters,
        most=points,
        scenarios=scenarios,
    )
    return JsonResponse(overview_document(found))


@router.get(
    "/slices",
    dependencies=[ANY_NAMES],
    summary="Spread of a metric at each value of each axis",
    response_model=SlicesDocument,
)
async def spread(
    request: Request,
    database: DatabaseDep,
    sweep_id: SweepId,
    scenarios: AskedScenarios,
    metric: Metric = None,
) -> JsonResponse:
    """Return quantiles of a metric among the eligible trials, by the value of each axis in turn.

    Further parameters name an axis or a metric and a value or `lowest..highest`.
    """
    filters = other_parameters(request, _SLICE_PARAMETERS)
    found = await database.analyze(slices, sweep_id, metric=metric, filters=filters, scenarios=scenarios)
    return JsonResponse(slices_document(found))


@router.get(
    "/aggregate",
    dependencies=[ANY_NAMES],
    summary="Settings summed up over symbols",
    response_model=SettingPage,
)
async def aggregate(
    request: Request,
    database: DatabaseDep,
    sweep_id: SweepId,
    over: Annotated[str, Query(max_length=64, description="the axis to sum up over")] = "symbols",
    metric: Metric = None,
    sort: Annotated[
        str | None,
        Query(
            max_length=64,
            description="`profitable_share`, `best`, `mean`, `median` or `worst`; `-` for descending; "
            "the best median first if left out",
        ),
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> JsonResponse:
    """Return the results of each setting of other axes: share of trials in profit, best, mean, median, worst.

    Further parameters name an axis or a metric and a value or `lowest..highest`.
    """
    fixed = other_parameters(request, _AGGREGATE_PARAMETERS)
    found = await database.analyze(
        over_axis, sweep_id, over=over, metric=metric, sort=sort, limit=limit, cursor=cursor, fixed=fixed
    )
    settings = [setting_document(setting) for setting in found.settings]
    head = {"over": found.over, "metric": found.metric}
    return JsonResponse({**head, "settings": settings, "next_cursor": found.next_cursor})
