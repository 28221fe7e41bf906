"""Notification of a sweep: the address that is told when it has ended."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.dependencies import DatabaseDep
from api.responses import JsonResponse
from api.routes.parameters import SweepId
from api.schemas.openapi import PROBLEMS
from sweeps.jobs.jobs import JobState
from sweeps.jobs.notifications import notification_view, send_again

router = APIRouter(
    prefix="/sweeps/{sweep_id}/notification",
    tags=["sweeps"],
    responses=PROBLEMS,
    default_response_class=JsonResponse,
)


class Notification(BaseModel):
    """Notification of a sweep; the address itself may hold a secret and is not shown."""

    host: str
    state: JobState = Field(
        description="`completed` once it was delivered; `queued` until the sweep has ended"
    )
    delivered_at: str | None
    error: str | None = Field(description="why it has not been delivered so far")


@router.get("", summary="Notification of its end", response_model=Notification)
async def show(database: DatabaseDep, sweep_id: SweepId) -> JsonResponse:
    """Return which host is told, and whether it has been; 409 for a sweep without `notify_url`."""
    return JsonResponse((await database.read(notification_view, sweep_id)).document())


@router.post(
    "", status_code=202, summary="Send the notification of its end again", response_model=Notification
)
async def again(database: DatabaseDep, sweep_id: SweepId) -> JsonResponse:
    """Send the notification of an ended sweep again."""
    return JsonResponse((await database.write(send_again, sweep_id)).document(), 202)
