"""A sweep at a glance: heatmaps, and settings summed up over an axis."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.dependencies import DatabaseDep
from api.documents import heatmap_document, setting_document
from api.openapi import PROBLEMS
from api.responses import JsonResponse
from api.routes.parameters import Cursor, Limit, SweepId, other_parameters
from api.schemas import Heatmap, SettingPage
from sweeps.heatmap import Aggregate, heatmap
from sweeps.robustness import over_axis

router = APIRouter(
    prefix="/sweeps/{sweep_id}", tags=["trials"], responses=PROBLEMS, default_response_class=JsonResponse
)
Name = Annotated[str, Query(max_length=64)]
Metric = Annotated[str | None, Query(max_length=64, description="the objective if left out")]
_HEATMAP_PARAMETERS = frozenset({"x", "y", "metric", "agg"})
_AGGREGATE_PARAMETERS = frozenset({"over", "metric", "sort", "limit", "cursor"})


@router.get("/heatmap", summary="One metric over two axes", response_model=Heatmap)
async def matrix(
    request: Request,
    database: DatabaseDep,
    sweep_id: SweepId,
    x: Name,
    y: Name,
    metric: Metric = None,
    agg: Aggregate = Aggregate.BEST,
) -> JsonResponse:
    """Return the matrix; further parameters fix another axis at one of its values, the rest is aggregated."""
    fixed = other_parameters(request, _HEATMAP_PARAMETERS)
    found = await database.study(heatmap, sweep_id, x=x, y=y, metric=metric, aggregate=agg, fixed=fixed)
    return JsonResponse(heatmap_document(found))


@router.get("/aggregate", summary="Settings summed up over symbols", response_model=SettingPage)
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
    """Return how each setting of the other axes did: share of trials in profit, best, mean, median, worst.

    Further parameters fix another axis at one of its values.
    """
    fixed = other_parameters(request, _AGGREGATE_PARAMETERS)
    found = await database.study(
        over_axis, sweep_id, over=over, metric=metric, sort=sort, limit=limit, cursor=cursor, fixed=fixed
    )
    settings = [setting_document(setting) for setting in found.settings]
    head = {"over": found.over, "metric": found.metric}
    return JsonResponse({**head, "settings": settings, "next_cursor": found.next_cursor})
