"""Sweeps before and after their start: check, pause, retry, change, copy; and the strategies."""

from collections.abc import Callable
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Header, Request

from api.admission import admit, admit_extension
from api.dependencies import AdmissionDep, CompilingDep, DatabaseDep, ReplaysDep
from api.middleware.body import body_size, read_object
from api.responses import JsonResponse
from api.routes.parameters import SweepId
from api.schemas.answers import StrategyList, SweepDocument, SweepPlan
from api.schemas.documents import sweep_document
from api.schemas.openapi import CHANGE_BODY, CLONE_BODY, PROBLEMS, SWEEP_BODY
from api.schemas.patches import SweepChange
from bot.errors import InvalidInputError
from bot.market_store.store import HistoricalDataStore
from sweeps.analysis.progress import SweepView, get_spec, get_sweep
from sweeps.estimates.planning import plan_sweep
from sweeps.lifecycle.extend_clone import cloned_spec, extend_sweep
from sweeps.lifecycle.repository import create_sweep, pause_sweep, retry_failed
from sweeps.lifecycle.tags import label_sweep
from sweeps.spec.catalogue import strategies_document
from sweeps.spec.spec import SweepSpec

router = APIRouter(tags=["sweeps"], responses=PROBLEMS, default_response_class=JsonResponse)
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200)]


@router.get("/strategies", summary="Installed strategies", response_model=StrategyList)
async def strategies() -> JsonResponse:
    """Return parameters, defaults, a first grid and presets of each."""
    return JsonResponse(strategies_document())


@router.post(
    "/sweeps/validate",
    summary="Check a sweep without submitting it",
    response_model=SweepPlan,
    openapi_extra=SWEEP_BODY,
)
async def validate(request: Request, replays: ReplaysDep, compiling: CompilingDep) -> JsonResponse:
    """Return the plan of the sweep; refuse whatever a submission would refuse, in the same words."""
    document = await read_object(request)
    size = await body_size(request)
    spec = await compiling.run(lambda: admit(SweepSpec.parse(document), replays.store), size)

    def planned() -> dict[str, object]:
        with replays.store.engine.connect() as connection:
            return plan_sweep(connection, spec, replays.costs).document()

    return JsonResponse(await compiling.run(planned, size))


@router.post("/sweeps/{sweep_id}/pause", summary="Stop starting trials", response_model=SweepDocument)
async def pause(database: DatabaseDep, sweep_id: SweepId) -> JsonResponse:
    """Start no more trials until the sweep is resumed; those running stop before their next one."""
    return await _changed(database, sweep_id, lambda connection: pause_sweep(connection, sweep_id))


@router.post("/sweeps/{sweep_id}/retry", summary="Retry failed trials only", response_model=SweepDocument)
async def retry(database: DatabaseDep, sweep_id: SweepId) -> JsonResponse:
    """Queue the failed trials again, and nothing else."""
    return await _changed(database, sweep_id, lambda connection: retry_failed(connection, sweep_id))


@router.patch(
    "/sweeps/{sweep_id}",
    summary="Tag, annotate or extend a sweep",
    response_model=SweepDocument,
    openapi_extra=CHANGE_BODY,
)
async def change(
    request: Request,
    database: DatabaseDep,
    replays: ReplaysDep,
    compiling: CompilingDep,
    admission: AdmissionDep,
    sweep_id: SweepId,
) -> JsonResponse:
    """Replace name, tags or note, add values or a later end: trials keep their numbers, only new ones run."""
    asked = SweepChange.parse(await read_object(request))
    before = await database.read(get_spec, sweep_id)
    extended = before
    if asked.extends:
        extended = await compiling.run(
            lambda: _extended(asked, before, replays.store), await body_size(request)
        )
        admission.require_for(extended)

    def apply(connection: sa.Connection) -> None:
        if asked.extends:
            extend_sweep(connection, sweep_id, before, extended)
            admission.refuse_overload(connection)
        label_sweep(connection, sweep_id, name=asked.name, tags=asked.tags, note=asked.note)

    return await _changed(database, sweep_id, apply)


@router.post(
    "/sweeps/{sweep_id}/clone",
    status_code=202,
    summary="Submit a copy with changes",
    response_model=SweepDocument,
    openapi_extra=CLONE_BODY,
)
async def clone(
    request: Request,
    database: DatabaseDep,
    replays: ReplaysDep,
    compiling: CompilingDep,
    admission: AdmissionDep,
    sweep_id: SweepId,
    idempotency_key: IdempotencyKey = None,
) -> JsonResponse:
    """Submit a sweep like this one; results of the very same runs are taken over."""
    changes = await read_object(request)
    original = await database.read(get_spec, sweep_id)
    size = await body_size(request)
    spec = await compiling.run(lambda: admit(cloned_spec(original, changes), replays.store), size)
    admission.require_for(spec)

    def created(connection: sa.Connection) -> SweepView:
        made = create_sweep(connection, spec, idempotency_key=idempotency_key)
        if made.new:
            admission.refuse_overload(connection)
            label_sweep(connection, made.sweep_id, note=f"cloned from sweep {sweep_id}")
        return get_sweep(connection, made.sweep_id)

    copy = await database.write(created)
    return JsonResponse(sweep_document(copy), 202, {"Location": f"/sweeps/{copy.id}"})


def _extended(asked: SweepChange, before: SweepSpec, store: HistoricalDataStore) -> SweepSpec:
    try:
        return admit_extension(before, asked.applied_to(before), store)
    except InvalidInputError as error:
        raise asked.as_written(error) from None


async def _changed(
    database: DatabaseDep, sweep_id: int, command: Callable[[sa.Connection], object]
) -> JsonResponse:
    def change_and_look(connection: sa.Connection) -> SweepView:
        command(connection)
        return get_sweep(connection, sweep_id)

    return JsonResponse(sweep_document(await database.write(change_and_look)))
