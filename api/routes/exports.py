"""Trials of a sweep as a file, and the manifest that belongs to it."""

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from api.dependencies import DatabaseDep
from api.responses import JsonResponse
from api.routes.parameters import SweepId
from api.schemas.openapi import PROBLEMS
from bot.market_store.loading import resolve_exchange
from bot.market_store.sql import refuse_sealed
from sweeps.analysis.progress import get_spec, get_sweep
from sweeps.export import ExportFormat, exported, manifest
from sweeps.spec.spec import SweepSpec

router = APIRouter(prefix="/sweeps/{sweep_id}/export", tags=["trials"], responses=PROBLEMS)


@router.get(
    "",
    summary="Finished trials as CSV, JSON lines or Parquet",
    response_class=StreamingResponse,
    responses={200: {"content": {kind.media_type: {} for kind in ExportFormat}, "description": "The file"}},
)
async def export(
    database: DatabaseDep,
    sweep_id: SweepId,
    file_format: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.CSV,
) -> StreamingResponse:
    """Stream every finished trial by number: parameters, state, error, run key and all metrics.

    Exact amounts are decimals in CSV and Parquet and text in JSON lines. Text in CSV that a spreadsheet would
    take for a formula starts with an apostrophe. The header `Link` names the manifest.
    """
    spec, notes = await database.analyze(_exportable, sweep_id)
    chunks = exported(database.engine, sweep_id, spec, file_format, notes)
    headers = {
        "Content-Disposition": f'attachment; filename="sweep-{sweep_id}.{file_format}"',
        "Link": f'</sweeps/{sweep_id}/export/manifest>; rel="describedby"; type="application/json"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(chunks, media_type=file_format.media_type, headers=headers)


@router.get("/manifest", summary="What belongs to exported numbers", response_class=JsonResponse)
async def describe(database: DatabaseDep, sweep_id: SweepId) -> JsonResponse:
    """Return the sweep as asked for, the digest of its market data, engine and library versions, columns."""
    _, notes = await database.analyze(_described, sweep_id)
    return JsonResponse(notes)


def _exportable(connection: sa.Connection, sweep_id: int) -> tuple[SweepSpec, dict[str, Any]]:
    spec, notes = _described(connection, sweep_id)
    for exchange in spec.exchanges():
        refuse_sealed(connection, exchange or resolve_exchange(connection, None), spec.window()[1])
    return spec, notes


def _described(connection: sa.Connection, sweep_id: int) -> tuple[SweepSpec, dict[str, Any]]:
    sweep, spec = get_sweep(connection, sweep_id), get_spec(connection, sweep_id)
    return spec, manifest(connection, sweep, spec)
