"""The page of a trial, and the parts that it and the page of a backtest are filled with."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response

from api.dashboard import rows
from api.dashboard.sweeps.views import PagesDep
from api.dashboard.trial import result
from api.dashboard.trial.charts import Span, curve_document, funding_document
from api.dashboard.trial.entry_blockers import blocked_rows
from api.dashboard.trial.first_curves import (
    REPLAYED,
    STORED,
    FirstCurves,
    drawn,
    first_curves,
    year_rows_of,
)
from api.dashboard.trial.hedge_charts import accounts_document
from api.dashboard.trial.hedge_rows import borrowed_of, ledger_csv, transfers_of
from api.dashboard.trial.losses import losses_of
from api.dashboard.trial.monthly_calendar import MONTHS, year_rows
from api.dashboard.trial.run_context import (
    RecordedRun,
    RecordedRunDep,
    RunContext,
    RunContextDep,
    StudyDep,
    recorded_or_none,
    trades_of,
)
from api.dashboard.trial.trades import trade_story
from api.dashboard.trial.trial_verdict import trial_verdict
from api.dashboard.trial.waterfall import parts_of, waterfall
from api.dependencies import ClockDep, DatabaseDep, ReplaysDep
from api.errors.http_errors import CurveUnavailableError
from api.presentation.presenters import SweepPage, unfit_line
from api.responses import JsonResponse
from api.routes.parameters import PathNumber, SweepId, TrialNumber
from api.schemas.documents import trial_config
from bot.backtest.attribution import break_even_settlements
from bot.config.run_config import RunConfig
from bot.errors import BotError, InvalidInputError
from bot.hedges.runs import blocked_of, names_of
from bot.market_names import quote_of
from bot.notation import quoted
from sweeps.analysis.judged.judged_panels import JudgedPanel
from sweeps.analysis.progress import get_sweep
from sweeps.analysis.queries import TrialView, trial_with_spec
from sweeps.jobs.selection_jobs import selection_view

if TYPE_CHECKING:
    from bot.hedges.positions import HedgeTrade
    from bot.models import Trade

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
parts = APIRouter()
_PAGE_TRADES = 50
_PAGE_SETTLEMENTS = 100
Start = Annotated[int, Query(ge=0, le=1_000_000_000)]
TradeIndex = Annotated[PathNumber, Path(ge=0, le=1_000_000_000)]
Moment = Annotated[int | None, Query(ge=0, le=2**53)]


@router.get("/dashboard/sweeps/{sweep_id}/trials/{number}")
async def trial_page(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    replays: ReplaysDep,
    sweep_id: SweepId,
    number: TrialNumber,
) -> HTMLResponse:
    """Return a trial: metrics, equity, trades, configuration."""

    def query(
        connection: sa.Connection,
    ) -> tuple[SweepPage, TrialView, RecordedRun | None, JudgedPanel | None]:
        spec, trial = trial_with_spec(connection, sweep_id, number)
        page = SweepPage(get_sweep(connection, sweep_id), spec)
        recorded = recorded_or_none(connection, sweep_id, number)
        return page, trial, recorded, judged_panel(connection, sweep_id, trial_config(spec, number))

    sweep, trial, recorded, panel = await database.analyze(query)
    config, metrics = trial_config(sweep.spec, number), trial.metrics
    first = FirstCurves() if recorded is None else await first_curves(recorded, replays)
    words = None
    if config is not None and metrics is not None:
        words = trial_verdict(config, metrics, trial.p_luck, first.elapsed_ms)
    return pages.render(
        request,
        "trial/trial.html",
        section="sweeps",
        sweep=sweep,
        trial=rows.trial_row(trial),
        unfit=None if config else unfit_line(sweep.view.summary, sweep.spec.unchecked(number)),
        evidence=f"/sweeps/{sweep_id}/trials/{number}",
        words=words,
        judged=None if panel is None else panel.head["sentence"],
        first=first,
        **result.result_context(
            f"/dashboard/sweeps/{sweep_id}/trials/{number}",
            config,
            trial.metrics,
            trial.run_key,
            frozenset(trial.params),
            trial.findings,
        ),
    )


def judged_panel(connection: sa.Connection, sweep_id: int, config: RunConfig | None) -> JudgedPanel | None:
    """Return the panel that a run is in, None while it is not judged."""
    try:
        judged = selection_view(connection, sweep_id).panels
    except BotError:
        return None
    if config is None or judged is None:
        return None
    return judged.on(config.exchange, config.start, config.end)


@parts.get("/curve")
async def curve(
    recorded: RecordedRunDep, replays: ReplaysDep, first: Moment = None, last: Moment = None
) -> JsonResponse:
    """Return equity, drawdown and moves, thinned to what a screen shows, from `first` to `last`.

    They are those that are stored; a run of which nothing is stored is replayed.
    """
    run, record, span = recorded.run, recorded.record, span_of(first, last)
    if record is not None:
        found = await run_in_threadpool(
            drawn, run, record.curve, trades_of(run, record.trade_documents), span
        )
        return JsonResponse(found | {"origin": STORED})

    def replayed() -> dict[str, object]:
        try:
            result = replays.result(run)
        except BotError as error:
            raise CurveUnavailableError(error.message) from None
        return drawn(run, result.curve, result.trades, span)

    return JsonResponse(await replays.work.run(replayed) | {"origin": REPLAYED})


@parts.get("/hold")
async def hold(
    context: RunContextDep, replays: ReplaysDep, first: Moment = None, last: Moment = None
) -> JsonResponse:
    """Return the equity of holding in the window of a run, thinned like that of the run."""
    result = await replays.work.run(lambda: replays.hold(context.run))
    span, capital = span_of(first, last), result.config.initial_capital
    return JsonResponse(await run_in_threadpool(curve_document, result.curve, capital, span))


def span_of(first: int | None, last: int | None) -> Span | None:
    """Return the span shown of the time axis, None for all of it."""
    return None if first is None or last is None or last < first else (first, last)


@parts.get("/funding")
async def funding(
    study: StudyDep,
    symbol: Annotated[str | None, Query(max_length=64)] = None,
    first: Moment = None,
    last: Moment = None,
) -> JsonResponse:
    """Return the settlements of one pair, the first of the run if none is named."""
    held = names_of(study.result.config)
    if symbol is not None and symbol not in held:
        raise InvalidInputError.of("symbol", f"{quoted(symbol)} is not one of {', '.join(held)}")
    found = await run_in_threadpool(funding_document, study, symbol or held[0], span_of(first, last))
    return JsonResponse(found)


@parts.get("/accounts")
async def accounts(study: StudyDep, first: Moment = None, last: Moment = None) -> JsonResponse:
    """Return the wallets of a run of hedges, and how far its legs were from liquidation."""
    return JsonResponse(await run_in_threadpool(accounts_document, study, span_of(first, last)))


@parts.get("/report")
async def report(
    request: Request, pages: PagesDep, context: RunContextDep, replays: ReplaysDep, clock: ClockDep
) -> HTMLResponse:
    """Return the parts that need a replay: parts of the net, months, data read, entry blockers."""

    def render() -> HTMLResponse:
        try:
            study = replays.study(context.run)
        except BotError as error:
            return pages.render(request, "trial/trade_report_refused.html", refused=error.message)
        run = study.result
        parts = parts_of(study)
        return pages.render(
            request,
            "trial/trade_report.html",
            unit=quote_of(run.config.symbols),
            fall=waterfall(parts),
            break_even=break_even_settlements(parts.whole, len(run.trades), run.metrics.funding_payments),
            calendar=year_rows(run),
            years=year_rows_of(run.config, run.curve, study.hold.curve),
            month_names=MONTHS,
            blocked=blocked_rows(
                [found.document() for found in blocked_of(run, study.window)], run.config.strategy_mode
            ),
            traded=bool(run.trades),
            wrong=losses_of(study),
            transfers=None if study.journal is None else transfers_of(study.journal),
            borrowed=None if study.journal is None else borrowed_of(study.journal),
            data_fingerprint=run.data_fingerprint,
            data=rows.data_rows(run),
            now_ms=clock.now_ms(),
            config=run.config,
            findings=run.findings,
        )

    return await replays.work.run(render)


@parts.get("/trades")
async def trade_list(
    request: Request, pages: PagesDep, recorded: RecordedRunDep, replays: ReplaysDep, start: Start = 0
) -> HTMLResponse:
    """Return a page of the round trips of a run, stored or replayed now."""
    run, record = recorded.run, recorded.record
    shown: Sequence[Trade | HedgeTrade]
    if record is None:
        trades = (await replays.work.run(lambda: replays.result(run))).trades
        total, shown = len(trades), trades[start : start + _PAGE_TRADES]
    else:
        documents = record.trade_documents
        total, shown = len(documents), trades_of(run, documents[start : start + _PAGE_TRADES])
    end = start + len(shown)
    return pages.render(
        request,
        "trial/trade_list.html",
        trades=shown,
        unit=quote_of(run.config.symbols),
        start=start,
        next_start=end if end < total else None,
        total=total,
    )


@parts.get("/trades/{index}")
async def trade_detail(
    request: Request, pages: PagesDep, study: StudyDep, index: TradeIndex, start: Start = 0
) -> HTMLResponse:
    """Return one trade down to its settlements: decision figures, fills, every amount."""
    story = await run_in_threadpool(trade_story, study, index, start, _PAGE_SETTLEMENTS)
    return pages.render(
        request,
        "trial/trade_detail.html",
        story=story,
        unit=quote_of(study.result.config.symbols),
        index=index,
    )


@parts.get("/ledger.csv")
async def ledger_file(context: RunContextDep, study: StudyDep) -> Response:
    """Return every amount that a run of hedges booked, as CSV with exact amounts; they sum to its net P&L."""
    journal = study.journal
    if journal is None:
        raise InvalidInputError.of(
            "ledger", "is told of hedges alone: trades and settlements have its amounts"
        )
    text = await run_in_threadpool(ledger_csv, journal)
    headers = {"Content-Disposition": f'attachment; filename="{_file_name(context, "ledger.csv")}"'}
    return Response(text, media_type="text/csv", headers=headers)


@parts.get("/config.json")
async def config_file(context: RunContextDep) -> Response:
    """Return the parameters of the run as the file that `backtest`, `compare` and `paper` take."""
    text = json.dumps(result.file_of(context.run.config), indent=2, ensure_ascii=False)
    headers = {"Content-Disposition": f'attachment; filename="{_file_name(context, "json")}"'}
    return Response(text + "\n", media_type="application/json", headers=headers)


def _file_name(context: RunContext, ending: str) -> str:
    return f"{context.base.removeprefix('/dashboard/').replace('/', '-')}.{ending}"


router.include_router(parts, prefix="/dashboard/sweeps/{sweep_id:int}/trials/{number:int}")
router.include_router(parts, prefix="/dashboard/backtests/{job_id:int}")
