"""Several trials of a sweep year by year, and how each did on days that its sweep did not see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from api.dashboard.sweeps.holdout import holdout_of
from api.dashboard.sweeps.views import PagesDep, Pinned
from api.dependencies import DatabaseDep, ReplaysDep
from api.routes.parameters import SweepId
from api.work.replays import Replays, StoredRun, trial_run
from bot.backtest.periods.yearly_figures import YearChange, year_changes
from bot.errors import BotError
from bot.market_names import quote_of
from sweeps.analysis.queries import TrialView, trial_with_spec

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True)
class TrialByYear:
    """A trial by UTC year, empty where it could not be replayed, which `missing` tells.

    `later` says how it did on sealed days, None where nobody has looked at them with it.
    """

    trial: TrialView
    unit: str
    years: dict[str, YearChange]
    later: str | None
    missing: str | None = None

    @property
    def positive(self) -> int:
        """Years in which it made something."""
        return sum(year.net_pnl > 0 for year in self.years.values())


@dataclass(frozen=True, slots=True)
class _Read:
    """A trial as stored, with its run, None where it has no result, and its look at sealed days in words."""

    trial: TrialView
    unit: str
    run: StoredRun | None
    later: str | None


@router.get("/dashboard/sweeps/{sweep_id}/years")
async def years_fragment(
    request: Request,
    pages: PagesDep,
    database: DatabaseDep,
    replays: ReplaysDep,
    sweep_id: SweepId,
    trials: Pinned,
    candidate: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
) -> HTMLResponse:
    """Return a table of the candidate and up to five other trials by year; each is replayed."""
    first = [] if candidate is None else [candidate]

    def query(connection: sa.Connection) -> list[_Read]:
        return [_read(connection, sweep_id, number) for number in dict.fromkeys([*first, *trials])]

    found = await database.read(query)
    shown = await replays.work.run(lambda: [_by_year(replays, one) for one in found])
    return pages.render(
        request,
        "sweeps/trial_years.html",
        sweep_id=sweep_id,
        shown=shown,
        years=_names(shown),
        candidate=candidate,
    )


def _read(connection: sa.Connection, sweep_id: int, number: int) -> _Read:
    spec, trial = trial_with_spec(connection, sweep_id, number)
    if trial.metrics is None:
        return _Read(trial, quote_of(spec.symbols()), None, None)
    holdout = holdout_of(connection, spec.config(number))
    run = trial_run(sweep_id, spec, number, trial.run_key)
    return _Read(trial, quote_of(run.config.symbols), run, None if holdout is None else holdout.told)


def _by_year(replays: Replays, read: _Read) -> TrialByYear:
    if read.run is None:
        return TrialByYear(read.trial, read.unit, {}, read.later, "it has no result")
    try:
        study = replays.study(read.run)
    except BotError as error:
        return TrialByYear(read.trial, read.unit, {}, read.later, str(error))
    years = {year.name: year for year in year_changes(study.result, study.hold)}
    return TrialByYear(read.trial, read.unit, years, read.later)


def _names(shown: Sequence[TrialByYear]) -> list[Any]:
    return sorted({name for one in shown for name in one.years})
