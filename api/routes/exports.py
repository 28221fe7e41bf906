"""Trials of a sweep as a file, and the manifest that belongs to it."""

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from api.dependencies import DatabaseDep
from api.responses import JsonResponse
from api.routes.parameters import TABLE_PARAMETERS, AskedTable, SweepId, other_parameters
from api.routes.query_names import ANY_NAMES
from api.schemas.openapi import PROBLEMS
from bot.market_store.loading import resolve_exchange
from bot.market_store.sql import refuse_sealed
from sweeps.analysis.progress import get_spec, get_sweep
from sweeps.export import ExportFormat, exported, manifest
from sweeps.export.view import TrialsSeen, trials_seen
from sweeps.spec.spec import SweepSpec

router = APIRouter(prefix="/sweeps/{sweep_id}/export", tags=["trials"], responses=PROBLEMS)
_VIEW_PARAMETERS = frozenset({"columns"}) | TABLE_PARAMETERS


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
    headers = _headers(sweep_id, f"sweep-{sweep_id}.{file_format}")
    return StreamingResponse(chunks, media_type=file_format.media_type, headers=headers)


@router.get(
    "/view",
    dependencies=[ANY_NAMES],
    summary="Trials as the page shows them, as CSV",
    response_class=StreamingResponse,
    responses={200: {"content": {ExportFormat.CSV.media_type: {}}, "description": "The file"}},
)
async def view(
    request: Request,
    database: DatabaseDep,
    sweep_id: SweepId,
    asked: AskedTable,
    columns: Annotated[
        str | None, Query(max_length=2_000, description="metrics by comma; all if left out")
    ] = None,
) -> StreamingResponse:
    """Stream the trials asked for in their order: parameters, some metrics, chance of luck, plateau.

    Further parameters name an axis or a metric and a value or a range. The header `Link` names the manifest.
    """
    wanted = asked | {"filters": other_parameters(request, _VIEW_PARAMETERS)}

    def query(connection: sa.Connection) -> TrialsSeen:
        spec, _ = _exportable(connection, sweep_id)
        names = spec.metrics() if columns is None else tuple(columns.split(","))
        return trials_seen(connection, sweep_id, names, **wanted)

    seen = await database.analyze(query)
    headers = _headers(sweep_id, f"sweep-{sweep_id}-view.csv")
    return StreamingResponse(seen.csv(), media_type=ExportFormat.CSV.media_type, headers=headers)


@router.get("/manifest", summary="Manifest of an export: spec, data, versions", response_class=JsonResponse)
async def describe(database: DatabaseDep, sweep_id: SweepId) -> JsonResponse:
    """Return the sweep as asked for, the digest of its market data, engine and library versions, columns."""
    _, notes = await database.analyze(_described, sweep_id)
    return JsonResponse(notes)


def _headers(sweep_id: int, name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Link": f'</sweeps/{sweep_id}/export/manifest>; rel="describedby"; type="application/json"',
        "Cache-Control": "no-store",
    }


def _exportable(connection: sa.Connection, sweep_id: int) -> tuple[SweepSpec, dict[str, Any]]:
    spec, notes = _described(connection, sweep_id)
    for exchange in spec.exchanges():
        refuse_sealed(connection, exchange or resolve_exchange(connection, None), spec.window()[1])
    return spec, notes


def _described(connection: sa.Connection, sweep_id: int) -> tuple[SweepSpec, dict[str, Any]]:
    sweep, spec = get_sweep(connection, sweep_id), get_spec(connection, sweep_id)
    return spec, manifest(connection, sweep, spec)
