"""The first part of a sweep's page: verdict in words, candidate, badges; and the funnel of its trials."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse

from api.dashboard.pages import Pages
from api.dashboard.rows import trial_row
from api.dashboard.sweeps.holdout import holdout_of
from api.dependencies import DatabaseDep, ReplaysDep
from api.routes.parameters import SweepId
from api.work.verdicts import positive_years, verdict_on
from bot.market_names import quote_of
from sweeps.analysis.progress import get_sweep
from sweeps.analysis.verdicts.verdict import Funnel

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


async def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)


@router.get("/dashboard/sweeps/{sweep_id}/verdict")
async def verdict_fragment(
    request: Request,
    pages: Annotated[Pages, Depends(_pages)],
    database: DatabaseDep,
    replays: ReplaysDep,
    sweep_id: SweepId,
) -> HTMLResponse:
    """Return the verdict on a sweep, with its candidate beside holding."""
    verdict = await verdict_on(database, replays, sweep_id)
    found = verdict.found
    holdout = None
    if found.trial is not None:
        holdout = await database.read(holdout_of, found.spec.config(found.trial.number))
    return pages.render(
        request,
        "sweeps/sweep_verdict.html",
        verdict=verdict,
        found=found,
        trial=None if found.trial is None else trial_row(found.trial),
        unit=quote_of(found.sweep.summary.symbols()),
        funnel=_steps(found.funnel),
        holdout=holdout,
    )


def _steps(funnel: Funnel) -> list[dict[str, Any]]:
    """Return the steps of a funnel with their words, and each one's share of the first."""
    steps = (
        ("trials", funnel.trials),
        ("completed", funnel.finished),
        ("distinct", funnel.distinct),
        ("traded", funnel.traded),
        ("beat holding", funnel.beat_holding),
        ("never liquidated", funnel.safe),
        ("eligible", funnel.eligible),
    )
    most = funnel.trials or 1
    return [{"title": title, "count": count, "share": count / most} for title, count in steps]


@router.get("/dashboard/sweeps/{sweep_id}/positive-years")
async def positive_years_fragment(
    request: Request,
    pages: Annotated[Pages, Depends(_pages)],
    database: DatabaseDep,
    replays: ReplaysDep,
    sweep_id: SweepId,
) -> HTMLResponse:
    """Return the last step of the funnel, whose trials are replayed for it."""
    found = await positive_years(database, replays, sweep_id)
    sweep = await database.read(get_sweep, sweep_id)
    return pages.render(request, "sweeps/positive_years.html", found=found, trials=sweep.trials_total)
