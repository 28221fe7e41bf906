"""Trials side by side: two to ten of them, of one sweep or several, or the best of several sweeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response

from api.dashboard.compare.caveats import caveats_of
from api.dashboard.compare.compared_trials import (
    ChosenRun,
    ChosenTrial,
    ComparedTrial,
    Key,
    best_trials,
    chosen_runs,
    chosen_trials,
    compared_run,
    compared_runs,
    compared_trials,
    differing_parameters,
    name_of,
    parse_sweeps,
    parse_trials,
)
from api.dashboard.compare.divergence_rows import divergence_view
from api.dashboard.sweeps.views import PagesDep
from api.dashboard.trial.charts import Span, curve_document
from api.dashboard.trial.trial_pages import Moment, span_of
from api.dependencies import DatabaseDep, ReplaysDep
from api.errors.problems import problem_of
from api.presentation.metric_catalogue import MetricLabel, beside_labels, groups
from api.responses import JsonResponse
from api.work.database_threads import Database
from api.work.replays import Replays
from bot.backtest.baseline import FinishedRun
from bot.backtest.result import Curve
from bot.config.run_config import RunConfig
from bot.errors import BotError, InvalidInputError
from bot.market_names import quote_of
from bot.notation import text_of
from bot.numbers.money import exact
from bot.statistics.trial_metrics import KNOWN_OF_HEDGES

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, prefix="/dashboard/compare")
Names = Annotated[str | None, Query(max_length=400)]


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric of each trial, and by how much each differs from the first."""

    metric: MetricLabel
    values: Sequence[Any]
    differences: Sequence[Any]

    @property
    def best(self) -> Any:
        """The best of the values, None where all are equal or none is defined."""
        known = {value for value in self.values if value is not None}
        if len(known) < 2 or not (self.metric.signed or self.metric.small_is_good):
            return None
        return min(known) if self.metric.small_is_good else max(known)


async def _keys(database: Database, trials: str | None, sweeps: str | None) -> list[Key]:
    if sweeps is not None:
        return await database.read(best_trials, parse_sweeps(sweeps))
    return parse_trials(trials or "")


async def trials_page(
    request: Request, pages: PagesDep, database: Database, trials: str | None, sweeps: str | None
) -> HTMLResponse:
    """Return the page of a comparison of trials, to be filled once they have been replayed."""
    asked = {"sweeps": sweeps} if sweeps is not None else {"trials": trials or ""}
    keys, refused = await _keys_or_refusal(database, trials, sweeps)
    return pages.render(
        request,
        "compare/compare_trials.html",
        status=422 if refused else 200,
        section="compare",
        refused=refused,
        best_of_sweeps=sweeps is not None,
        names=[name_of(key) for key in keys],
        source=f"/dashboard/compare/trials?{urlencode(asked)}",
    )


async def _keys_or_refusal(
    database: Database, trials: str | None, sweeps: str | None
) -> tuple[list[Key], InvalidInputError | None]:
    try:
        return await _keys(database, trials, sweeps), None
    except InvalidInputError as error:
        return [], error


@router.get("/trials")
async def trials_fragment(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    replays: ReplaysDep,
    trials: Names = None,
    sweeps: Names = None,
) -> Response:
    """Return the comparison of the trials that the address names, or why there is none."""
    try:
        chosen = await database.read(chosen_trials, await _keys(database, trials, sweeps))
        compared = await replays.work.run(lambda: compared_trials(replays, chosen))
    except BotError as error:
        problem = problem_of(error)
        return pages.render(
            request, "compare/comparison_refused.html", status=problem.status, problem=problem, instead=None
        )
    return await run_in_threadpool(
        pages.render, request, "compare/compared_trials.html", **_context(compared)
    )


def _context(compared: Sequence[ComparedTrial]) -> dict[str, Any]:
    chosen = [trial.chosen for trial in compared]
    differing, equal = differing_parameters(chosen)
    first, *others = compared
    return {
        "compared": compared,
        "unit": quote_of([symbol for one in chosen for symbol in one.config.symbols]),
        "names": ",".join(one.name for one in chosen),
        "synthetic": any(one.sweep.synthetic for one in chosen),
        "caveats": caveats_of(compared),
        "differing": [(name, [text_of(value) for value in values]) for name, values in differing],
        "equal": equal,
        "figures": _figures(chosen),
        "divergences": [
            divergence_view(first.run, other.run, 0) for other in others if first.run and other.run
        ],
    }


def _figures(chosen: Sequence[ChosenTrial]) -> list[tuple[str, list[MetricRow]]]:
    all_of = [one.figures for one in chosen]
    with_hedges = any(KNOWN_OF_HEDGES in figures for figures in all_of)

    def row(metric: MetricLabel) -> MetricRow:
        values: list[Any] = [figures.get(metric.name) for figures in all_of]
        first = values[0]
        away = [None if None in (first, value) else value - first for value in values]
        return MetricRow(metric, values, away)

    with exact():
        headed = [*groups(with_hedges=with_hedges), ("Beside holding", beside_labels())]
        return [(heading, [row(metric) for metric in metrics]) for heading, metrics in headed]


@router.get("/parting")
async def divergence_fragment(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    replays: ReplaysDep,
    trials: Names = None,
    at: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> HTMLResponse:
    """Return the difference number `at` between the first two of `trials`."""
    chosen = await database.read(chosen_runs, parse_trials(trials or ""))

    def found() -> HTMLResponse:
        one, other = (compared_run(replays, trial) for trial in chosen[:2])
        return pages.render(
            request, "compare/compare_divergence.html", divergence=divergence_view(one, other, at)
        )

    return await replays.work.run(found)


@router.get("/curves")
async def curves(
    database: DatabaseDep,
    replays: ReplaysDep,
    trials: Names = None,
    first: Moment = None,
    last: Moment = None,
) -> JsonResponse:
    """Return the equity of each trial as lines of a chart, and that of holding where they share it."""
    chosen = await database.read(chosen_runs, parse_trials(trials or ""))

    def drawn() -> JsonResponse:
        return JsonResponse({"lines": _lines(replays, chosen, span_of(first, last))})

    return await replays.work.run(drawn)


def _lines(replays: Replays, chosen: Sequence[ChosenRun], span: Span | None) -> list[dict[str, Any]]:
    lines, holds = [], dict[str, FinishedRun]()
    for one, (compared, _) in zip(chosen, compared_runs(replays, chosen), strict=True):
        run, record = one.recorded.run, one.recorded.record
        if record is not None:
            lines.append(_line(one.name, record.curve, one.config, span))
        elif compared is not None:
            lines.append(_line(one.name, replays.result(run).curve, one.config, span))
        if compared is not None:
            hold = replays.hold(run)
            holds[hold.run_key] = hold
    if len(holds) == 1:
        [hold] = holds.values()
        lines.append(_line("Holding", hold.curve, hold.config, span))
    return lines


def _line(name: str, curve: Curve, config: RunConfig, span: Span | None) -> dict[str, Any]:
    return {"name": name, **curve_document(curve, config.initial_capital, span)}
