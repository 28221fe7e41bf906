"""What stands beside a trial on its page: how holding would have gone, and the data it rests on."""

import sqlalchemy as sa
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse

from api.dashboard import rows
from api.dashboard.views import PagesDep
from api.dependencies import DatabaseDep, ReplaysDep
from api.routes.parameters import SweepId, TrialNumber
from bot.errors import BotError
from bot.money import plain
from sweeps.progress import get_spec
from sweeps.queries import TrialView, one_trial
from sweeps.spec import SweepSpec

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/dashboard/sweeps/{sweep_id}/trials/{number}/beside")
async def beside_fragment(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    replays: ReplaysDep,
    sweep_id: SweepId,
    number: TrialNumber,
) -> HTMLResponse:
    """Return the data of a trial and the curve of holding, or why they cannot be had any more."""

    def query(connection: sa.Connection) -> tuple[SweepSpec, TrialView]:
        return get_spec(connection, sweep_id), one_trial(connection, sweep_id, number)

    spec, trial = await database.read(query)
    try:
        hold = await run_in_threadpool(replays.hold, sweep_id, spec, number, trial.run_key)
    except BotError as error:
        return pages.render(request, "beside.html", refused=error.message)
    curve = [[t_ms, plain(value)] for t_ms, value in hold.equity]
    return pages.render(request, "beside.html", refused=None, data=rows.data_rows(hold), curve=curve)
