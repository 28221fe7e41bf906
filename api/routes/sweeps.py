"""Sweeps: submit, list, follow, cancel, resume, delete."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Header, HTTPException, Query, Request, Response

from api.admission import Admission, admit
from api.dependencies import AdmissionDep, CompilingDep, DatabaseDep, ReplaysDep
from api.middleware.body import body_size, read_object
from api.responses import JsonResponse
from api.routes.parameters import Cursor, Limit, SweepId
from api.schemas.answers import SweepDocument, SweepPage
from api.schemas.documents import listed_sweep, sweep_document
from api.schemas.openapi import PROBLEMS, SWEEP_BODY
from bot.market_store.store import HistoricalDataStore
from sweeps.analysis.progress import MAX_SEARCH, SweepList, SweepView, get_sweep, list_sweeps
from sweeps.analysis.sweep_order import SweepOrder
from sweeps.lifecycle.deleting import delete_sweep
from sweeps.lifecycle.repository import cancel_sweep, create_sweep, resume_sweep
from sweeps.spec.spec import SweepSpec
from sweeps.storage.candidates import CandidateFigures, candidates_of
from sweeps.storage.states import SweepOutcome, SweepState

router = APIRouter(prefix="/sweeps", tags=["sweeps"], responses=PROBLEMS, default_response_class=JsonResponse)
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        description="The same key and sweep again answer the sweep that exists; another sweep is refused.",
    ),
]


@router.post(
    "",
    status_code=202,
    summary="Submit a sweep",
    response_model=SweepDocument,
    openapi_extra=SWEEP_BODY,
)
async def submit(
    request: Request,
    database: DatabaseDep,
    replays: ReplaysDep,
    compiling: CompilingDep,
    admission: AdmissionDep,
    idempotency_key: IdempotencyKey = None,
) -> JsonResponse:
    """Check the sweep, store it and answer; the dispatcher hands it to the workers."""
    document = await read_object(request)
    spec = await compiling.run(lambda: _admitted(document, replays.store), await body_size(request))
    admission.require_for(spec)
    sweep = await database.write(_created, spec, idempotency_key, admission)
    return JsonResponse(sweep_document(sweep), 202, {"Location": f"/sweeps/{sweep.id}"})


def _admitted(document: dict[str, object], store: HistoricalDataStore) -> SweepSpec:
    return admit(SweepSpec.parse(document), store)


def _created(connection: sa.Connection, spec: SweepSpec, key: str | None, admission: Admission) -> SweepView:
    created = create_sweep(connection, spec, idempotency_key=key)
    if created.new:
        admission.refuse_overload(connection)
    return get_sweep(connection, created.sweep_id)


@router.get("", summary="List sweeps", response_model=SweepPage)
async def list_page(
    database: DatabaseDep,
    state: SweepState | None = None,
    outcome: SweepOutcome | None = None,
    tag: Annotated[str | None, Query(max_length=64)] = None,
    q: Annotated[str | None, Query(max_length=MAX_SEARCH, description="part of a name, or a tag")] = None,
    sort: Annotated[
        SweepOrder, Query(description="the last two by the candidate of each sweep, the highest first")
    ] = SweepOrder.NEWEST,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JsonResponse:
    """Return a page of sweeps: all, or those in one state, with one outcome or tag, found by a word."""

    def query(connection: sa.Connection) -> tuple[SweepList, dict[int, CandidateFigures]]:
        page = list_sweeps(
            connection,
            state=state,
            outcome=outcome,
            tag=tag,
            search=q,
            order=sort,
            limit=limit,
            cursor=cursor,
        )
        return page, candidates_of(connection, [sweep.id for sweep in page.sweeps])

    page, candidates = await database.read(query)
    sweeps = [listed_sweep(sweep, candidates.get(sweep.id)) for sweep in page.sweeps]
    return JsonResponse({"sweeps": sweeps, "next_cursor": page.next_cursor})


@router.api_route("/validate", methods=["GET", "PUT", "PATCH", "DELETE"], include_in_schema=False)
async def only_post() -> None:
    """Refuse what would else be taken for a sweep whose number is no number."""
    raise HTTPException(405)


@router.get("/{sweep_id}", summary="One sweep and its progress", response_model=SweepDocument)
async def show(database: DatabaseDep, sweep_id: SweepId) -> JsonResponse:
    """Return spec, state, counts, times, rate, time left and best trial."""
    return JsonResponse(sweep_document(await database.read(get_sweep, sweep_id)))


@router.post("/{sweep_id}/cancel", summary="End a sweep, keep what is done", response_model=SweepDocument)
async def cancel(database: DatabaseDep, sweep_id: SweepId) -> JsonResponse:
    """Start no more trials; those running stop before their next one."""

    def change(connection: sa.Connection) -> SweepView:
        cancel_sweep(connection, sweep_id)
        return get_sweep(connection, sweep_id)

    return JsonResponse(sweep_document(await database.write(change)))


@router.post("/{sweep_id}/resume", summary="Finish the rest, retry the failed", response_model=SweepDocument)
async def resume(database: DatabaseDep, sweep_id: SweepId) -> JsonResponse:
    """Queue what has no result yet and what failed."""

    def change(connection: sa.Connection) -> SweepView:
        resume_sweep(connection, sweep_id)
        return get_sweep(connection, sweep_id)

    return JsonResponse(sweep_document(await database.write(change)))


@router.delete("/{sweep_id}", status_code=204, summary="Delete a sweep", response_class=Response)
async def delete(database: DatabaseDep, sweep_id: SweepId) -> Response:
    """Remove a sweep with all its trials."""
    await database.write(delete_sweep, sweep_id)
    return Response(status_code=204)
