"""The compare page: a form, and the strategies that are compared over its window."""

from dataclasses import fields

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.dashboard import rows
from api.dashboard.compare import comparison_rows
from api.dashboard.compare.compare_trials import Names, trials_page
from api.dashboard.forms.compare_form import FIRST_PARAMETERS, CompareForm, held_pairs
from api.dashboard.forms.form_defaults import first_comparison, first_suggestions, held_markets
from api.dashboard.sweeps.views import PagesDep
from api.dependencies import ComparisonsDep, DatabaseDep, ReplaysDep
from api.errors.problems import problem_of
from api.presentation.presenters import reads_generated
from api.routes.parameters import NamedTrial
from api.routes.query_names import QueryNames
from bot.config.run_config import RunConfig
from bot.config.strategy_registry import compared_strategies
from bot.errors import BotError, InvalidInputError
from bot.market_names import quote_of
from sweeps.analysis.queries import spec_of_trial

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, prefix="/dashboard/compare")
_MOST_CHARACTERS = 20_000
FORM_NAMES = Depends(QueryNames(*(field.name for field in fields(CompareForm)), repeated=["symbols"]))


@router.get("", dependencies=[FORM_NAMES])
async def compare_page(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    trial: NamedTrial,
    trials: Names = None,
    sweeps: Names = None,
) -> Response:
    """Return the form, and the place for what it asks for; `sweep` and `trial` fill it in from a trial.

    `trials` or `sweeps` ask for those side by side instead.
    """
    if trials is not None or sweeps is not None:
        return await trials_page(request, pages, database, trials, sweeps)
    if trial is not None:
        config = await database.read(_config_of, *trial)
        return RedirectResponse(CompareForm.of_config(config).address, status_code=303)
    query = request.query_params
    pairs, first = await database.read(_offered)
    form = CompareForm.of_query(query) if query else first
    refused = _refusal(form, len(request.url.query)) if query else None
    return pages.render(
        request,
        "compare/compare.html",
        status=422 if refused else 200,
        section="compare",
        form=form,
        fresh=not query,
        first_parameters=FIRST_PARAMETERS,
        pairs=pairs,
        refused=refused,
        source=f"/dashboard/compare/result?{request.url.query}" if query and not refused else "",
        strategies=compared_strategies(),
        defaults=rows.default_rows(),
    )


def _config_of(connection: sa.Connection, sweep_id: int, number: int) -> RunConfig:
    return spec_of_trial(connection, sweep_id, number).config(number)


def _offered(connection: sa.Connection) -> tuple[dict[str, list[str]], CompareForm]:
    markets = held_markets(connection)
    suggested = first_suggestions(connection, markets)
    return held_pairs(connection), first_comparison(markets, suggested)


def _refusal(form: CompareForm, characters: int) -> InvalidInputError | None:
    if characters > _MOST_CHARACTERS:
        return InvalidInputError.of(
            "parameters", f"{characters:,} characters are more than {_MOST_CHARACTERS:,}"
        )
    try:
        form.config()
    except InvalidInputError as error:
        return error
    return None


@router.get("/result", dependencies=[FORM_NAMES])
async def comparison_fragment(
    request: Request,
    pages: PagesDep,
    comparisons: ComparisonsDep,
    replays: ReplaysDep,
) -> HTMLResponse:
    """Return the comparison that the address asks for, or why there is none."""
    form = CompareForm.of_query(request.query_params)
    try:
        found, window = await replays.work.run(lambda: comparisons.run(form.config()))
    except BotError as error:
        problem = problem_of(error)
        instead = problem.common_window and form.over(*problem.common_window)
        return pages.render(
            request,
            "compare/comparison_refused.html",
            status=problem.status,
            problem=problem,
            instead=instead,
        )
    config = found.hold.config
    return pages.render(
        request,
        "compare/comparison.html",
        config=config,
        unit=quote_of(config.symbols),
        synthetic=reads_generated(config),
        findings=[(comparison_rows.title_of(name), run.findings) for name, run in found.runs.items()],
        titles=[comparison_rows.title_of(name) for name in found.runs],
        figures=await run_in_threadpool(comparison_rows.figures, found),
        unmatched=comparison_rows.unmatched_trades(found),
        divergence=await run_in_threadpool(comparison_rows.first_divergence, found, window),
        data=rows.data_rows(found.hold),
        curves=comparison_rows.curves(found),
    )
