"""The pages of a sweep, of trials and data, and the fragments that refresh them."""

from collections.abc import Mapping
from typing import Annotated, Any, cast

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse

from api.dashboard import rows
from api.dashboard.forms.parameter_form import parameter_kinds
from api.dashboard.pages import Pages
from api.dashboard.sweeps.choices import (
    chosen_filters,
    chosen_scenarios,
    first_map,
    refuse_unknown_choices,
    view_document,
)
from api.dashboard.sweeps.controls import controls_of
from api.dashboard.sweeps.trial_table import ROW_COUNTS, USUAL_COLUMNS, TableChoice
from api.dependencies import DatabaseDep
from api.presentation.metric_catalogue import brief, labels
from api.presentation.presenters import SweepCard, SweepPage, metrics_of
from api.routes.parameters import Cursor, SweepId, TrialNumber
from api.routes.query_names import ANY_NAMES
from sweeps.analysis.failures import failures_of
from sweeps.analysis.findings import best_findings, sweep_findings
from sweeps.analysis.maps.heatmap import checked_metric
from sweeps.analysis.maps.leading_axes import leading_axes
from sweeps.analysis.progress import SweepView, get_spec, get_sweep
from sweeps.analysis.queries import TrialPage, TrialView, one_trial, trial_page
from sweeps.analysis.scenarios import usual_scenarios
from sweeps.lifecycle.trial_marks import pinned_trials
from sweeps.queue.heartbeats import live_beats
from sweeps.spec.spec import SweepSpec

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_GLANCE = (
    "net_pnl",
    "annualized_return",
    "net_pnl_over_hold",
    "sharpe",
    "max_drawdown_pct",
    "total_trades",
    "liquidations",
    "time_in_market",
)
_PINNED = ("annualized_return", "net_pnl_over_hold", "max_drawdown_pct", "total_trades", "liquidations")


async def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)


PagesDep = Annotated[Pages, Depends(_pages)]
MetricName = Annotated[str | None, Query(max_length=64)]


async def _pinned(trials: Annotated[str, Query(pattern=r"^(\d{1,9}(,\d{1,9}){0,4})?$")] = "") -> list[int]:
    return [int(text) for text in trials.split(",") if text]


Pinned = Annotated[list[int], Depends(_pinned)]


@router.get("/dashboard/sweeps/{sweep_id}", dependencies=[ANY_NAMES])
async def sweep_page(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    sweep_id: SweepId,
    cursor: Cursor = None,
) -> HTMLResponse:
    """Return a sweep: progress, heatmap, trials."""
    context = await _trial_list(request, database, sweep_id, cursor)
    spec = context["sweep"].spec
    context["leading"] = await database.analyze(leading_axes, sweep_id, spec, usual_scenarios(spec))
    sweep = context["sweep"]
    view = view_document(sweep, context["leading"], context["pinned"])
    context |= {
        "view": view,
        "first_map": None if request.url.query else first_map(view),
        "metrics": sweep.metrics,
        "metrics_brief": brief(sweep.metrics),
        "controls": controls_of(sweep.view),
        "kinds": parameter_kinds(),
        "row_counts": ROW_COUNTS,
        "usual_columns": USUAL_COLUMNS,
    }
    return pages.render(request, "sweeps/sweep.html", section="sweeps", **context)


@router.get("/dashboard/sweeps/{sweep_id}/progress")
async def progress_fragment(
    request: Request, pages: PagesDep, database: DatabaseDep, sweep_id: SweepId
) -> HTMLResponse:
    """Return the progress of a sweep alone."""
    sweep = await _sweep_card(database, sweep_id)
    return pages.render(request, "sweeps/sweep_progress.html", sweep=sweep, controls=controls_of(sweep.view))


@router.get("/dashboard/sweeps/{sweep_id}/trials", dependencies=[ANY_NAMES])
async def trial_list_fragment(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    sweep_id: SweepId,
    cursor: Cursor = None,
) -> HTMLResponse:
    """Return a page of the table of trials alone."""
    context = await _trial_list(request, database, sweep_id, cursor)
    return pages.render(request, "sweeps/trial_list.html", **context)


@router.get("/dashboard/sweeps/{sweep_id}/trials/{number}/glance")
async def glance_fragment(
    request: Request, pages: PagesDep, database: DatabaseDep, sweep_id: SweepId, number: TrialNumber
) -> HTMLResponse:
    """Return the parameters of a trial and eight numbers, for the place beside the map."""
    trial = await database.read(one_trial, sweep_id, number)
    return pages.render(
        request, "sweeps/trial_glance.html", trial=rows.trial_row(trial), shown_metrics=labels(_GLANCE)
    )


@router.get("/dashboard/sweeps/{sweep_id}/pins")
async def pins_fragment(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    sweep_id: SweepId,
    trials: Pinned,
    metric: MetricName,
) -> HTMLResponse:
    """Return the trials that are pinned, with their parameters and a few numbers."""

    def query(connection: sa.Connection) -> tuple[SweepSpec, list[TrialView]]:
        spec = get_spec(connection, sweep_id)
        return spec, [one_trial(connection, sweep_id, number) for number in dict.fromkeys(trials)]

    spec, found = await database.read(query)
    known, first = metrics_of(spec), checked_metric(spec, metric)
    return pages.render(
        request,
        "sweeps/pins.html",
        sweep_id=sweep_id,
        trials=[rows.trial_row(trial) for trial in found],
        shown_metrics=[known[name] for name in dict.fromkeys((first, *_PINNED))],
    )


async def _sweep_card(database: DatabaseDep, sweep_id: int) -> SweepCard:
    return await database.read(_card, sweep_id)


def _card(connection: sa.Connection, sweep_id: int) -> SweepCard:
    view = get_sweep(connection, sweep_id)
    return SweepCard(view, *_beside(connection, view))


def _page(connection: sa.Connection, sweep_id: int) -> SweepPage:
    view, spec = get_sweep(connection, sweep_id), get_spec(connection, sweep_id)
    return SweepPage(view, spec, *_beside(connection, view))


def _beside(connection: sa.Connection, view: SweepView) -> tuple[Any, ...]:
    """Return live components, failure reasons, and the findings of the sweep and of its best trial."""
    return (
        live_beats(connection),
        failures_of(connection, view),
        sweep_findings(connection, view.id) if view.finding_names else (),
        best_findings(connection, view),
    )


async def _trial_list(
    request: Request, database: DatabaseDep, sweep_id: int, cursor: str | None
) -> dict[str, Any]:
    def query(
        connection: sa.Connection,
    ) -> tuple[SweepPage, Mapping[str, str], TableChoice, TrialPage, list[int]]:
        sweep = _page(connection, sweep_id)
        refuse_unknown_choices(sweep, request.query_params)
        filters = chosen_filters(sweep, request.query_params)
        table = TableChoice.of(sweep, request.query_params)
        page = trial_page(
            connection,
            sweep_id,
            limit=table.rows,
            cursor=cursor,
            sort=table.sort,
            filters=filters,
            scenarios=chosen_scenarios(sweep, request.query_params),
            distinct=table.distinct,
        )
        return sweep, filters, table, page, pinned_trials(connection, sweep_id)

    # All at once: each turn that a reader of its own waits for is long while other views are worked out.
    sweep, filters, table, page, pinned = await database.analyze(query)
    return {
        "sweep": sweep,
        "trials": [rows.trial_row(trial) for trial in page.trials],
        "next_cursor": page.next_cursor,
        "paged": cursor is not None,
        "selecting": bool(filters),
        "table": table,
        "pinned": pinned,
    }
