"""Badges of a trial by the rules of a sweep's candidate, asked for once its page is drawn."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from api.dashboard.sweeps.views import PagesDep
from api.dependencies import DatabaseDep, ReplaysDep
from api.routes.parameters import SweepId, TrialNumber
from api.work.verdicts import trial_badges

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/dashboard/sweeps/{sweep_id}/trials/{number}/badges")
async def badges_fragment(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    replays: ReplaysDep,
    sweep_id: SweepId,
    number: TrialNumber,
) -> HTMLResponse:
    """Return what speaks against a trial, each with its rule."""
    found = await trial_badges(database, replays, sweep_id, number)
    return pages.render(request, "trial/trial_badges.html", badges=found)
