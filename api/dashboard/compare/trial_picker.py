"""Lists to pick trials from for a comparison: sweeps by a word of their name, and the best trials of one."""

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from api.dashboard.rows import trial_row
from api.dashboard.sweeps.views import PagesDep
from api.dependencies import DatabaseDep
from api.presentation.metric_catalogue import labels
from api.presentation.presenters import SweepCard
from api.routes.parameters import SweepId
from sweeps.analysis.progress import MAX_SEARCH, get_sweep, list_sweeps
from sweeps.analysis.queries import trial_page
from sweeps.storage.candidates import CandidateFigures, candidates_of
from sweeps.storage.states import TrialState

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, prefix="/dashboard/compare")
_SWEEPS, _TRIALS = 12, 10
_SHOWN = ("annualized_return", "net_pnl_over_hold", "total_trades")


@router.get("/pick")
async def pickable_sweeps(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    q: Annotated[str, Query(max_length=MAX_SEARCH)] = "",
) -> HTMLResponse:
    """Return sweeps whose name or tag holds `q`, each with its candidate, or else its best trial, to tick."""

    def query(connection: sa.Connection) -> tuple[list[SweepCard], dict[int, CandidateFigures]]:
        found = list_sweeps(connection, search=q.strip() or None, limit=_SWEEPS).sweeps
        return [SweepCard(view) for view in found], candidates_of(connection, [view.id for view in found])

    sweeps, candidates = await database.read(query)
    return pages.render(
        request, "compare/pick_sweeps.html", sweeps=sweeps, candidates=candidates, search=q.strip()
    )


@router.get("/pick/{sweep_id}")
async def pickable_trials(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    sweep_id: SweepId,
) -> HTMLResponse:
    """Return the best trials of a sweep to tick."""

    def query(connection: sa.Connection) -> tuple[SweepCard, list[Any]]:
        card = SweepCard(get_sweep(connection, sweep_id))
        page = trial_page(
            connection, sweep_id, state=TrialState.COMPLETED, sort=card.best_first, limit=_TRIALS
        )
        return card, [trial_row(trial) for trial in page.trials]

    sweep, trials = await database.analyze(query)
    return pages.render(
        request,
        "compare/pick_trials.html",
        sweep=sweep,
        trials=trials,
        shown_metrics=labels(tuple(dict.fromkeys((sweep.objective.name, *_SHOWN)))),
    )
