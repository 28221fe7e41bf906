"""The pages of market data, and the glossary."""

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse

from api.dashboard import glossary, rows
from api.dashboard.views import PagesDep
from api.dependencies import ReplaysDep

router = APIRouter(include_in_schema=False, prefix="/dashboard", default_response_class=HTMLResponse)


@router.get("/glossary")
async def glossary_page(request: Request, pages: PagesDep) -> HTMLResponse:
    """Return every term with its explanation."""
    return pages.render(request, "glossary.html", section="glossary", groups=glossary.GROUPS)


@router.get("/data")
async def data_page(request: Request, pages: PagesDep, replays: ReplaysDep) -> HTMLResponse:
    """Return what market data is held."""
    listing = await run_in_threadpool(replays.store.listing)
    return pages.render(request, "data.html", section="data", series=rows.series_rows(listing))
