"""Liveness and readiness."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError

from api.dependencies import DatabaseDep, SettingsDep
from api.responses import JsonResponse
from api.routes.query_names import ANY_NAMES
from api.schemas.answers import Liveness, Readiness
from api.schemas.openapi import PROBLEMS
from api.settings import Settings
from api.work.database_threads import Database
from bot.kernel.loading import replay_path
from sweeps.queue.heartbeats import Beat, Component, live_beats

router = APIRouter(tags=["operation"], responses=PROBLEMS, dependencies=[ANY_NAMES])
_BROKER_TIMEOUT_S = 1.0


@router.get("/healthz", summary="Is this process alive?", response_model=Liveness)
async def healthz() -> JsonResponse:
    """Answer without looking at anything else."""
    return JsonResponse({"status": "ok"})


@router.get(
    "/readyz",
    summary="Can sweeps run?",
    response_model=Readiness,
    responses={503: {"description": "A component does not answer", "model": Readiness}},
)
async def readyz(database: DatabaseDep, settings: SettingsDep) -> JsonResponse:
    """Report database, broker, dispatcher and workers, and how many live; 503 unless all of them answer."""
    beats = await _beats(database)
    components = {
        "database": "ok" if beats is not None else "unreachable",
        "broker": await _broker(settings),
        **_processes(beats or []),
    }
    ready = all(state == "ok" for state in components.values())
    content: dict[str, Any] = {
        "status": "ready" if ready else "degraded",
        "components": components,
        "processes": {str(kind): len(_of(beats, kind)) for kind in Component},
        "replays": replay_path(),
        "slots": sum(beat.slots for beat in _of(beats, Component.WORKER)),
    }
    return JsonResponse(content, 200 if ready else 503)


async def _beats(database: Database) -> list[Beat] | None:
    try:
        return await database.read(live_beats)
    except (SQLAlchemyError, OSError):
        return None


def _of(beats: list[Beat] | None, kind: Component) -> list[Beat]:
    return [beat for beat in beats or [] if beat.component is kind]


def _processes(beats: list[Beat]) -> dict[str, str]:
    alive = {beat.component for beat in beats}
    return {str(component): "ok" if component in alive else "silent" for component in Component}


async def _broker(settings: Settings) -> str:
    if not settings.broker_url:
        return "not configured"
    # The client is large, and the start of the API need not wait for it.
    import redis.asyncio  # noqa: PLC0415

    client = redis.asyncio.Redis.from_url(
        settings.broker_url, socket_timeout=_BROKER_TIMEOUT_S, socket_connect_timeout=_BROKER_TIMEOUT_S
    )
    try:
        await client.ping()
    except (redis.RedisError, OSError):
        return "unreachable"
    finally:
        await client.aclose()
    return "ok"
