"""Numbers for Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.dependencies import DatabaseDep
from api.routes.exposition import exposition
from api.routes.query_names import ANY_NAMES
from api.schemas.openapi import PROBLEMS
from sweeps.work.telemetry import telemetry

router = APIRouter(tags=["operation"], responses=PROBLEMS, dependencies=[ANY_NAMES])


@router.get(
    "/metrics",
    summary="Numbers for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "The text format of Prometheus"}},
)
async def metrics(database: DatabaseDep) -> Response:
    """Return counts and gauges of the whole service, the same from every API process."""
    found = await database.analyze(telemetry)
    return Response(exposition(found), media_type=CONTENT_TYPE_LATEST)
