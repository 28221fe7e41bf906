"""The pages of market data, and the glossary."""

import importlib.util
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse

from api.dashboard.market.break_even_table import Asked, tier_rows
from api.dashboard.market.rows import Coverage, RecordFacts, coverage_of, job_row, pair_address, series_facts
from api.dashboard.sweeps.views import PagesDep
from api.dependencies import DatabaseDep, ReplaysDep
from api.presentation import glossary
from api.routes.query_names import QueryNames
from api.schemas.pairs import DEFAULT_SORT, Costs, PairRow, sorted_rows
from bot.config.parameters import AccountParameters
from bot.errors import InvalidInputError, UnknownSymbolError
from bot.market.rules import TIMEFRAMES_MS
from bot.market_store.fetch.exchanges import EXCHANGES
from bot.market_store.fetch.fetch_request import DEFAULT_TIMEFRAME
from bot.market_store.pair_figures.pairs import WINDOWS_DAYS, Dates, Pair, check_window
from bot.notation import quoted
from sweeps.jobs.data_jobs import DATA_JOBS
from sweeps.jobs.jobs import recent_jobs
from sweeps.storage.uploads import MAX_UPLOAD_BYTES

router = APIRouter(include_in_schema=False, prefix="/dashboard", default_response_class=HTMLResponse)
_JOBS_SHOWN = 8
_DEFAULT_DAYS = 365
DateText = Annotated[str, Query(max_length=40)]
Days = Annotated[int, Query(ge=0, le=100_000)]


@router.get("/glossary")
async def glossary_page(request: Request, pages: PagesDep) -> HTMLResponse:
    """Return every term with its explanation."""
    return pages.render(request, "glossary.html", section="glossary", groups=glossary.GROUPS)


@router.get("/data")
async def data_page(
    request: Request, pages: PagesDep, database: DatabaseDep, replays: ReplaysDep, days: Days = 0
) -> HTMLResponse:
    """Return the page of held market data, and the ways to bring in more."""
    return pages.render(
        request,
        "market/data.html",
        section="data",
        exchanges=EXCHANGES,
        timeframes=list(TIMEFRAMES_MS),
        default_timeframe=DEFAULT_TIMEFRAME,
        can_fetch=importlib.util.find_spec("ccxt") is not None,
        upload_mib=MAX_UPLOAD_BYTES // 1024**2,
        **await _coverage(replays, days),
        **await _jobs(database),
    )


@router.get("/data/coverage")
async def coverage_fragment(
    request: Request, pages: PagesDep, replays: ReplaysDep, days: Days = 0
) -> HTMLResponse:
    """Return the picture of what is held alone."""
    return pages.render(request, "market/data_coverage.html", **await _coverage(replays, days))


@router.get("/data/jobs")
async def jobs_fragment(request: Request, pages: PagesDep, database: DatabaseDep) -> HTMLResponse:
    """Return the newest imports and downloads alone."""
    return pages.render(request, "market/data_jobs.html", **await _jobs(database))


@router.get("/data/pairs", dependencies=[Depends(QueryNames(*Costs.model_fields))])
async def pairs_page(
    request: Request,
    pages: PagesDep,
    replays: ReplaysDep,
    days: Days = _DEFAULT_DAYS,
    sort: Annotated[str, Query(max_length=40)] = DEFAULT_SORT,
) -> HTMLResponse:
    """Return the pairs by what their funding was like; a field that makes no sense is told on the page."""
    query, refused = dict(request.query_params), None
    try:
        check_window(days)
        costs = Costs.of_query(query)
        sorted_rows([], sort)
    except InvalidInputError as error:
        refused, days, sort, costs = error, _DEFAULT_DAYS, DEFAULT_SORT, Costs()
    found = await run_in_threadpool(replays.store.pairs, days)
    rows = sorted_rows([PairRow.of(pair, costs) for pair in found], sort)
    return pages.render(
        request,
        "market/data_pairs.html",
        section="data",
        status=422 if refused else 200,
        refused=refused,
        rows=[(row, pair_address(row.pair.exchange, row.pair.symbol, **_kept(query))) for row in rows],
        **_choice(query, days, sort, costs),
    )


@router.get("/data/pair", dependencies=[Depends(QueryNames(*Costs.model_fields, *Asked.model_fields))])
async def pair_page(
    request: Request,
    pages: PagesDep,
    replays: ReplaysDep,
    exchange: Annotated[str, Query(max_length=64)],
    symbol: Annotated[str, Query(max_length=64)],
    days: Days = _DEFAULT_DAYS,
    start: DateText = "",
    end: DateText = "",
) -> HTMLResponse:
    """Return one pair: its figures, its series with their holes, and the curves' source."""
    check_window(days)
    query = dict(request.query_params)
    costs, dates = Costs.of_query(query), Dates.of(start, end)
    listed = await run_in_threadpool(replays.store.listing)
    symbols = {(one.exchange, symbol.symbol): symbol for one in listed for symbol in one.symbols}
    if (exchange, symbol) not in symbols:
        raise UnknownSymbolError.of("symbol", f"nothing of {quoted(symbol)} is held for {quoted(exchange)}")
    held = symbols[exchange, symbol]
    given_dates = {name: query[name] for name in ("start", "end") if query.get(name)}
    asked = {"exchange": exchange, "symbol": symbol, **_kept(query), "days": days, **given_dates}
    asked_for = Asked.of_query(query)
    pair = await run_in_threadpool(_pair, replays, exchange, symbol, days, dates)
    return pages.render(
        request,
        "market/data_pair.html",
        section="data",
        exchange=exchange,
        symbol=held,
        series=series_facts(held),
        records=[RecordFacts.of(one) for one in held.records],
        hours=sorted({span.hours for one in held.series for span in one.intervals}, reverse=True),
        row=None if pair is None else PairRow.of(pair, costs),
        asked=asked_for,
        given_size={name: query.get(name, "") for name in Asked.model_fields},
        tiers=[] if pair is None else tier_rows(asked_for, pair.funding.interval_hours, costs, held.rules),
        source=f"/data/pair?{urlencode(asked)}",
        dates={"start": start, "end": end},
        given_dates=given_dates,
        **_choice(query, days, DEFAULT_SORT, costs),
    )


def _pair(replays: ReplaysDep, exchange: str, symbol: str, days: int, dates: Dates) -> Pair | None:
    """Return the figures of a pair, None while they are not known; raises InvalidInputError for the dates."""
    if dates:
        return replays.store.pair_series(exchange, symbol, days, dates).figures()
    found = replays.store.pairs(days)
    return next((one for one in found if (one.exchange, one.symbol) == (exchange, symbol)), None)


async def _coverage(replays: ReplaysDep, days: int) -> dict[str, Any]:
    check_window(days)
    coverage: Coverage = await run_in_threadpool(lambda: coverage_of(replays.store.listing(), days))
    return {"coverage": coverage, "days": days, "windows": WINDOWS_DAYS}


async def _jobs(database: DatabaseDep) -> dict[str, Any]:
    found = await database.read(recent_jobs, DATA_JOBS, _JOBS_SHOWN)
    return {"jobs": [job_row(job) for job in found]}


def _choice(query: dict[str, str], days: int, sort: str, costs: Costs) -> dict[str, Any]:
    return {
        "days": days,
        "windows": WINDOWS_DAYS,
        "sort": sort,
        "costs": costs,
        "given": {name: query.get(name, "") for name in Costs.model_fields},
        "kept": _kept(query),
        "max_age_hours": AccountParameters.model_fields["max_price_age_hours"].default,
    }


def _kept(query: dict[str, str]) -> dict[str, str]:
    """Return the query that every link of the explorer hands on: the window and the costs."""
    return {name: query[name] for name in ("days", *Costs.model_fields) if query.get(name)}
