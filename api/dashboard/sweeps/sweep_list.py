"""The list of sweeps: newest first, in one state, found by words of their name or by a tag."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse

from api.dashboard.sweeps.views import PagesDep
from api.dependencies import DatabaseDep
from api.presentation.presenters import LEAST_COMPARED, MOST_COMPARED, SweepCard, someone_works
from api.responses import JsonResponse
from api.routes.parameters import Cursor
from bot.errors import FieldError, FieldErrors
from bot.market_store import sql
from bot.notation import quoted
from sweeps.analysis.progress import MAX_SEARCH, SweepList, list_sweeps, open_sweeps
from sweeps.analysis.sweep_order import SweepOrder
from sweeps.queue.heartbeats import live_beats
from sweeps.storage.candidates import CandidateFigures, candidates_of
from sweeps.storage.states import SweepOutcome, SweepState

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_PAGE_SWEEPS = 25
_MOST_WATCHED = 100
_ORDERS = {
    SweepOrder.NEWEST: "newest",
    SweepOrder.OLDEST: "oldest",
    SweepOrder.NAME: "name",
    SweepOrder.ANNUALIZED_RETURN: "% a year",
    SweepOrder.NET_PNL_OVER_HOLD: "minus holding",
}
_CHOICES = (*SweepState, SweepOutcome.COMPLETED_WITH_FAILURES)


@dataclass(frozen=True, slots=True)
class ListChoice:
    """Filters of the list from its address."""

    search: str
    state: SweepState | SweepOutcome | None
    sort: SweepOrder
    cursor: str | None

    @property
    def narrowed(self) -> bool:
        """True if some sweeps may be left out."""
        return bool(self.search or self.state)

    def query(self, cursor: str | None = None) -> str:
        """Return the address's query for the page that begins at `cursor`."""
        sort = "" if self.sort is SweepOrder.NEWEST else self.sort
        given = {"q": self.search, "state": self.state, "sort": sort, "cursor": cursor}
        return urlencode({name: value for name, value in given.items() if value})


async def _choice(
    q: Annotated[str, Query(max_length=MAX_SEARCH)] = "",
    state: Annotated[str, Query(max_length=32)] = "",
    sort: Annotated[str, Query(max_length=32)] = "",
    cursor: Cursor = None,
) -> ListChoice:
    """Return the filters; raises InvalidInputError for an unknown state or order."""
    states, orders = {one.value: one for one in _CHOICES}, {one.value: one for one in SweepOrder}
    errors = FieldErrors()
    for name, asked, known in (("state", state, states), ("sort", sort, orders)):
        if asked and asked not in known:
            errors.add(FieldError(name, f"{quoted(asked)} is none of {', '.join(known)}"))
    errors.raise_if_any()
    return ListChoice(q.strip(), states.get(state), orders.get(sort, SweepOrder.NEWEST), cursor)


Choice = Annotated[ListChoice, Depends(_choice)]


@router.get("/")
async def sweeps_page(
    request: Request, pages: PagesDep, database: DatabaseDep, choice: Choice
) -> HTMLResponse:
    """Return the list of sweeps."""
    return pages.render(
        request,
        "sweeps/sweeps.html",
        section="sweeps",
        compared=(LEAST_COMPARED, MOST_COMPARED),
        **await _found(database, choice),
    )


@router.get("/dashboard")
@router.get("/dashboard/sweeps")
async def shortened_address() -> RedirectResponse:
    """Redirect the dashboard's root to the list of sweeps."""
    return RedirectResponse("/", status_code=307)


@router.get("/dashboard/sweep-list")
async def sweep_list_fragment(
    request: Request, pages: PagesDep, database: DatabaseDep, choice: Choice
) -> HTMLResponse:
    """Return the table of sweeps alone."""
    return pages.render(request, "sweeps/sweep_list.html", **await _found(database, choice))


@router.get("/dashboard/open-sweeps")
async def open_sweep_numbers(database: DatabaseDep) -> JsonResponse:
    """Return the sweeps that have not ended, for pages that tell when one does."""
    return JsonResponse({"sweeps": await database.read(open_sweeps, _MOST_WATCHED)})


async def _found(database: DatabaseDep, choice: ListChoice) -> dict[str, Any]:
    def query(connection: sa.Connection) -> tuple[SweepList, dict[int, CandidateFigures], bool, bool]:
        found = list_sweeps(
            connection,
            state=choice.state if isinstance(choice.state, SweepState) else None,
            outcome=choice.state if isinstance(choice.state, SweepOutcome) else None,
            search=choice.search or None,
            order=choice.sort,
            limit=_PAGE_SWEEPS,
            cursor=choice.cursor,
        )
        candidates = candidates_of(connection, [view.id for view in found.sweeps])
        return found, candidates, bool(sql.exchanges(connection)), someone_works(live_beats(connection))

    found, candidates, has_data, worked = await database.read(query)
    sweeps = [SweepCard(view) for view in found.sweeps]
    return {
        "sweeps": sweeps,
        "candidates": candidates,
        "unattended": not worked and any(sweep.open for sweep in sweeps),
        "next_cursor": found.next_cursor,
        "choice": choice,
        "states": _CHOICES,
        "orders": _ORDERS,
        "has_data": has_data,
    }
