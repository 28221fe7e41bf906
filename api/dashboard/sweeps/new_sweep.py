"""The form for a new sweep: built from the installed strategies, filled in from an old sweep if wanted."""

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse

from api.dashboard.forms.form_defaults import (
    Market,
    first_suggestions,
    first_sweep,
    held_markets,
    pair_first,
    written_sweep,
)
from api.dashboard.forms.parameter_form import parameter_groups
from api.dashboard.sweeps.views import PagesDep
from api.dependencies import DatabaseDep, SettingsDep
from api.routes.parameters import LARGEST_ID
from bot.config.hedge_rules import EVERY_READ_UNDER
from sweeps.analysis.progress import SweepView, get_spec, get_sweep
from sweeps.spec.catalogue import strategies_document
from sweeps.spec.spec import SweepSpec
from sweeps.watch import TRIAL_TIMEOUT_S

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_SAMPLERS = {"grid": "every combination", "random": "a random sample", "sobol": "an even (Sobol) sample"}
OldSweep = Annotated[int | None, Query(ge=1, le=LARGEST_ID)]
MarketName = Annotated[str | None, Query(max_length=64)]


@router.get("/dashboard/sweeps/new")
async def new_sweep_page(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    settings: SettingsDep,
    clone: OldSweep = None,
    exchange: MarketName = None,
    symbol: MarketName = None,
) -> HTMLResponse:
    """Return the form; `clone` names the sweep that it begins with, `exchange` and `symbol` a pair."""

    def query(
        connection: sa.Connection,
    ) -> tuple[list[Market], dict[str, Any], SweepView | None, SweepSpec | None]:
        markets = pair_first(held_markets(connection), exchange, symbol)
        if clone is None:
            return markets, first_suggestions(connection, markets), None, None
        return markets, {}, get_sweep(connection, clone), get_spec(connection, clone)

    markets, suggested, original, spec = await database.analyze(query)
    catalogue = await run_in_threadpool(strategies_document)
    return pages.render(
        request,
        "sweeps/new_sweep.html",
        section="new",
        markets=markets,
        original=original,
        catalogue=catalogue,
        groups=parameter_groups(catalogue),
        samplers=_SAMPLERS,
        trial_timeout_s=TRIAL_TIMEOUT_S,
        guarded=settings.api_token is not None,
        start={
            "spec": written_sweep(spec, catalogue) if spec else first_sweep(markets, catalogue, suggested),
            "strategies": catalogue["strategies"],
            "strategy": catalogue["account"]["defaults"]["strategy_mode"],
            "markets": [market.document() for market in markets],
            "conditions": EVERY_READ_UNDER,
        },
    )
