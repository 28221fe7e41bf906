"""The pages of a sweep, of trials and data, and the fragments that refresh them."""

from typing import Annotated, Any, cast

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse

from api.dashboard import rows
from api.dashboard.blocked import BlockedRow, blocked_rows
from api.dashboard.catalogue import HEADLINE, TABLE_COLUMNS, beside_labels, groups, labels
from api.dashboard.choices import heatmap_choice
from api.dashboard.controls import controls_of
from api.dashboard.pages import Pages
from api.dashboard.parameter_form import parameter_kinds
from api.dashboard.presenters import SweepCard
from api.dependencies import DatabaseDep, ReplaysDep
from api.documents import trial_config
from api.routes.parameters import Cursor, SweepId, TrialNumber
from api.routes.trials import exact_trades
from sweeps.heartbeats import live_beats
from sweeps.progress import get_sweep
from sweeps.queries import TrialView, one_trial, trial_page
from sweeps.spec import SweepSpec
from sweeps.trial import TrialState

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_PAGE_TRIALS = 25
_PAGE_TRADES = 50


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)


PagesDep = Annotated[Pages, Depends(_pages)]
Sort = Annotated[str | None, Query(max_length=64)]


@router.get("/dashboard/sweeps/{sweep_id}")
async def sweep_page(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    sweep_id: SweepId,
    sort: Sort = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """Return a sweep: progress, heatmap, trials."""
    sweep = await _sweep_card(database, sweep_id)
    context = await _trial_list(database, sweep, sort, cursor)
    choice = heatmap_choice(sweep, request.query_params)
    context |= {"choice": choice, "controls": controls_of(sweep.view), "kinds": parameter_kinds()}
    return pages.render(request, "sweep.html", section="sweeps", **context)


@router.get("/dashboard/sweeps/{sweep_id}/progress")
async def progress_fragment(
    request: Request, pages: PagesDep, database: DatabaseDep, sweep_id: SweepId
) -> HTMLResponse:
    """Return the progress of a sweep alone."""
    sweep = await _sweep_card(database, sweep_id)
    return pages.render(request, "sweep_progress.html", sweep=sweep, controls=controls_of(sweep.view))


@router.get("/dashboard/sweeps/{sweep_id}/trials")
async def trial_list_fragment(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    sweep_id: SweepId,
    sort: Sort = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """Return a page of the table of trials alone."""
    sweep = await _sweep_card(database, sweep_id)
    return pages.render(request, "trial_list.html", **await _trial_list(database, sweep, sort, cursor))


async def _sweep_card(database: DatabaseDep, sweep_id: int) -> SweepCard:
    def query(connection: sa.Connection) -> SweepCard:
        return SweepCard(get_sweep(connection, sweep_id), live_beats(connection))

    return await database.read(query)


async def _trial_list(
    database: DatabaseDep, sweep: SweepCard, sort: str | None, cursor: str | None
) -> dict[str, Any]:
    sort = sort or sweep.best_first
    page = await database.study(trial_page, sweep.id, sort=sort, limit=_PAGE_TRIALS, cursor=cursor)
    columns = labels(TABLE_COLUMNS)
    return {
        "sweep": sweep,
        "trials": [rows.trial_row(trial) for trial in page.trials],
        "next_cursor": page.next_cursor,
        "paged": cursor is not None,
        "sort": sort,
        "columns": columns,
        "first_sort": rows.first_sorts(sweep.axes, columns),
    }


@router.get("/dashboard/sweeps/{sweep_id}/trials/{number}")
async def trial_detail_page(
    request: Request, pages: PagesDep, database: DatabaseDep, sweep_id: SweepId, number: TrialNumber
) -> HTMLResponse:
    """Return a trial: metrics, equity, trades, configuration."""

    def query(connection: sa.Connection) -> tuple[SweepCard, TrialView]:
        return SweepCard(get_sweep(connection, sweep_id)), one_trial(connection, sweep_id, number)

    sweep, trial = await database.read(query)
    config = trial_config(sweep.view.spec, number)
    return pages.render(
        request,
        "trial.html",
        section="sweeps",
        sweep=sweep,
        trial=rows.trial_row(trial),
        completed=trial.state is TrialState.COMPLETED,
        headline=labels(HEADLINE),
        metric_groups=groups(),
        beside=beside_labels(),
        config=config,
        config_rows=[] if config is None else rows.config_rows(config),
    )


@router.get("/dashboard/sweeps/{sweep_id}/trials/{number}/trades")
async def trade_list_fragment(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    replays: ReplaysDep,
    sweep_id: SweepId,
    number: TrialNumber,
    start: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> HTMLResponse:
    """Return a page of the round trips of a trial."""
    sweep = await _sweep_card(database, sweep_id)
    trades = await exact_trades(database, replays, sweep_id, number)
    shown = trades[start : start + _PAGE_TRADES]
    end = start + len(shown)
    return pages.render(
        request,
        "trade_list.html",
        trades=[rows.trade_row(trade) for trade in shown],
        blocked=[] if trades else await _blocked(database, replays, sweep.view.spec, sweep_id, number),
        unit=sweep.unit,
        start=start,
        next_start=end if end < len(trades) else None,
        total=len(trades),
    )


async def _blocked(
    database: DatabaseDep, replays: ReplaysDep, spec: SweepSpec, sweep_id: int, number: int
) -> list[BlockedRow]:
    trial = await database.read(one_trial, sweep_id, number)
    reports = await run_in_threadpool(replays.blocked_entries, sweep_id, spec, trial)
    return blocked_rows(reports or [])
