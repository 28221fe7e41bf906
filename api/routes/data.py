"""Market data: what the store holds, what its pairs were like, and how more of it comes in."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import StringConstraints
from starlette.concurrency import run_in_threadpool

from api.dependencies import AdmissionDep, DatabaseDep, ReplaysDep
from api.middleware.body import read_object
from api.responses import JsonResponse
from api.routes.parameters import JobId
from api.routes.uploads import received
from api.schemas.answers import CoverageReport, JobDocument, RemovalReport
from api.schemas.documents import job_document
from api.schemas.hedge_choices import HedgeChoices
from api.schemas.openapi import FETCH_BODY, PROBLEMS
from api.schemas.pairs import DEFAULT_SORT, Costs, PairRow, pair_document, sorted_rows
from api.schemas.suggestions import WindowSuggestion
from bot.hedge_names import HedgeStructure
from bot.market_store.deleting import Selection
from bot.market_store.fetch.exchanges import require_ccxt
from bot.market_store.fetch.fetch_request import MOST_SYMBOLS, FetchRequest
from bot.market_store.pair_figures.pairs import WINDOWS_DAYS, Dates
from sweeps.jobs.data_jobs import DATA_JOBS, ImportRequest
from sweeps.jobs.jobs import JobKind, cancel_job, create_job, get_job, recent_jobs
from sweeps.lifecycle.hedge_choices import MOST_NAMED, HedgesRequest
from sweeps.lifecycle.suggestions import SuggestionRequest

router = APIRouter(
    prefix="/data", tags=["market data"], responses=PROBLEMS, default_response_class=JsonResponse
)
_RECENT = 50
DateText = Annotated[str, Query(max_length=40, description="a date or time, UTC")]
Days = Annotated[int, Query(description=f"newest days of each pair: one of {WINDOWS_DAYS}, 0 for all held")]
ExchangeText = Annotated[str | None, Query(max_length=64)]
NameText = Annotated[str, StringConstraints(max_length=200)]
Rate = Annotated[str | None, Query(max_length=40, description="as a run's parameter of that name")]


async def _costs(spot_taker: Rate = None, perp_taker: Rate = None, slippage_bps: Rate = None) -> Costs:
    given = {"spot_taker": spot_taker, "perp_taker": perp_taker, "slippage_bps": slippage_bps}
    return Costs.of_query({name: text for name, text in given.items() if text is not None})


CostsDep = Annotated[Costs, Depends(_costs)]


def _import_request(
    exchange: str,
    name: str,
    kind: str | None = None,
    symbol: Annotated[list[str] | None, Query(max_length=MOST_SYMBOLS)] = None,
    timeframe: str | None = None,
    time_zone: str | None = None,
    *,
    keep_readable: bool = False,
    replace: Annotated[
        bool, Query(description="let rows take the place of stored ones they contradict")
    ] = False,
) -> ImportRequest:
    symbols = ",".join(symbol) if symbol else None
    return ImportRequest(exchange, name, kind, symbols, timeframe, time_zone, keep_readable, replace)


@router.get("/suggestion", summary="Thresholds that a window suggests", response_model=WindowSuggestion)
async def suggestion(
    database: DatabaseDep,
    symbols: Annotated[list[str], Query(max_length=MOST_SYMBOLS, description="repeat for more")],
    exchange: Annotated[str | None, Query(max_length=64)] = None,
    start: Annotated[str | None, Query(max_length=40, description="ISO date or time")] = None,
    end: Annotated[str | None, Query(max_length=40, description="ISO date or time, inclusive")] = None,
) -> JsonResponse:
    """Return first parameters and a first grid from the quantiles of the window's own rates and volumes."""
    asked = SuggestionRequest(exchange, tuple(symbols), start, end)
    return JsonResponse(await database.analyze(asked.document))


@router.get("/hedges", summary="Hedges that held markets make up", response_model=HedgeChoices)
async def hedges(
    database: DatabaseDep,
    structure: HedgeStructure,
    exchange: ExchangeText = None,
    long_exchange: ExchangeText = None,
    short_exchange: ExchangeText = None,
    symbols: Annotated[
        list[NameText] | None, Query(max_length=MOST_NAMED, description="names to check as well")
    ] = None,
) -> JsonResponse:
    """Return names for `symbols` under a structure, with what is held of both legs, and what is not.

    `long_markets` and `short_markets` are those of all exchanges, for full names.
    """
    asked = HedgesRequest(structure, exchange, long_exchange, short_exchange, tuple(symbols or ()))
    return JsonResponse(await database.analyze(asked.document))


@router.get("/coverage", summary="Series held, with gaps", response_model=CoverageReport)
async def coverage(replays: ReplaysDep) -> JsonResponse:
    """List first and last row, rows held and missing, gaps, findings and intervals of every series.

    `records` are the borrow rates, margin brackets, epochs of contracts and fee rows that are held.
    """
    listing = await run_in_threadpool(replays.store.listing)
    return JsonResponse({"exchanges": [exchange.document() for exchange in listing]})


@router.get("/pairs", summary="Pairs by their funding")
async def pairs(
    replays: ReplaysDep,
    costs: CostsDep,
    days: Days = 365,
    sort: Annotated[str, Query(max_length=40)] = DEFAULT_SORT,
) -> JsonResponse:
    """List carry, spread and persistence of the funding of each pair, its basis, and when it repays costs."""
    found = await run_in_threadpool(replays.store.pairs, days)
    rows = sorted_rows([PairRow.of(pair, costs) for pair in found], sort)
    return JsonResponse({"days": days, "pairs": [row.document() for row in rows]})


@router.get("/pair", summary="One pair, with its distribution, months and curves")
async def pair(
    replays: ReplaysDep,
    costs: CostsDep,
    exchange: Annotated[str, Query(max_length=64)],
    symbol: Annotated[str, Query(max_length=64)],
    days: Days = 365,
    start: DateText = "",
    end: DateText = "",
) -> JsonResponse:
    """Return a pair's figures, rates in bins, autocorrelations, intervals, months, and thinned curves.

    With `start` or `end` they are of the settlements between these moments, whatever `days` says.
    """
    dates = Dates.of(start, end)

    def found() -> dict[str, Any]:
        series = replays.store.pair_series(exchange, symbol, days, dates)
        return pair_document(PairRow.of(series.figures(), costs), series)

    return JsonResponse(await run_in_threadpool(found))


@router.post(
    "/imports",
    status_code=202,
    summary="Import a file of market data",
    response_model=JobDocument,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def import_data(
    request: Request,
    database: DatabaseDep,
    admission: AdmissionDep,
    asked: Annotated[ImportRequest, Depends(_import_request)],
) -> JsonResponse:
    """Take the file in the body, in any format the shell imports; poll `Location` for what became of it.

    Its `name` may say what it holds; `kind`, `symbol`, `timeframe` and `time_zone` say what it does not. Of a
    file of many markets, `symbol`, repeated or with commas, names those to take.
    """
    asked.check()
    return _accepted(await received(request, database, admission, asked))


@router.delete("/rows", summary="Delete stored rows", response_model=RemovalReport)
async def delete_rows(
    replays: ReplaysDep,
    exchange: Annotated[str, Query(max_length=64)],
    symbol: Annotated[str | None, Query(max_length=64, description="all of them if left out")] = None,
    series: Annotated[
        str | None,
        Query(
            max_length=64,
            description="funding, spot, perp, mark, borrow, brackets, life or fees, or one such as perp-1h",
        ),
    ] = None,
    from_: Annotated[str | None, Query(alias="from", max_length=64, description="of the first row")] = None,
    to: Annotated[str | None, Query(max_length=64, description="time before which rows end")] = None,
    dry_run: Annotated[bool, Query(description="only list what would be deleted")] = False,
) -> JsonResponse:
    """Delete rows of a data set and tell how many of which series; candles count by their open time.

    Intervals of settlements that stay are inferred anew; sweeps that used the rows say so.
    """
    selection = Selection.parse(exchange=exchange, symbol=symbol, series=series, from_=from_, to=to)
    remove = replays.store.preview_removal if dry_run else replays.store.remove
    found = await run_in_threadpool(remove, selection)
    return JsonResponse({**found.document(), "deleted": bool(found.rows) and not dry_run})


@router.post(
    "/fetches",
    status_code=202,
    summary="Download from an exchange",
    response_model=JobDocument,
    openapi_extra=FETCH_BODY,
)
async def fetch(request: Request, database: DatabaseDep) -> JsonResponse:
    """Download what `{"exchange", "symbols", "since", "until", "timeframe"}` asks for; poll `Location`."""
    asked = FetchRequest.parse(await read_object(request))
    require_ccxt()
    job_id = await database.write(create_job, JobKind.FETCH, asked.document())
    return _accepted(job_document(await database.read(get_job, DATA_JOBS, job_id)))


@router.get("/jobs", summary="Imports and downloads, newest first")
async def jobs(database: DatabaseDep) -> JsonResponse:
    """List the newest imports and downloads with their progress and outcome."""
    found = await database.read(recent_jobs, DATA_JOBS, _RECENT)
    return JsonResponse({"jobs": [job_document(job) for job in found]})


@router.get("/jobs/{job_id}", summary="One import or download", response_model=JobDocument)
async def show_job(database: DatabaseDep, job_id: JobId) -> JsonResponse:
    """Return the state, the progress and, once it ended, the outcome."""
    return JsonResponse(job_document(await database.read(get_job, DATA_JOBS, job_id)))


@router.post("/jobs/{job_id}/cancel", summary="Stop an import or download", response_model=JobDocument)
async def cancel(database: DatabaseDep, job_id: JobId) -> JsonResponse:
    """Stop a job that has not ended; what a download has stored by then stays, and it may be gone on with."""
    return JsonResponse(job_document(await database.write(cancel_job, DATA_JOBS, job_id)))


def _accepted(document: dict[str, Any]) -> JsonResponse:
    return JsonResponse(document, 202, {"Location": f"/data/jobs/{document['id']}"})
