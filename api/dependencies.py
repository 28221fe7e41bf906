"""Dependencies of routes: the database, the settings, the clock, and work that takes turns."""

from typing import Annotated, cast

from fastapi import Depends, Request

from api.admission import Admission
from api.settings import Settings
from api.work.bounded_work import BoundedWork
from api.work.comparisons import Comparisons
from api.work.database_threads import Database
from api.work.replays import Replays
from bot.clock import Clock


async def _database(request: Request) -> Database:
    return cast("Database", request.app.state.database)


async def _replays(request: Request) -> Replays:
    return cast("Replays", request.app.state.replays)


async def _settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


async def _clock(request: Request) -> Clock:
    return cast("Clock", request.app.state.clock)


async def _comparisons(request: Request) -> Comparisons:
    return cast("Comparisons", request.app.state.comparisons)


async def _compiling(request: Request) -> BoundedWork:
    return cast("BoundedWork", request.app.state.compiling)


DatabaseDep = Annotated[Database, Depends(_database)]
ReplaysDep = Annotated[Replays, Depends(_replays)]
SettingsDep = Annotated[Settings, Depends(_settings)]
CompilingDep = Annotated[BoundedWork, Depends(_compiling)]
"""The turn of requests that check a sweep or a run that is written down."""

ComparisonsDep = Annotated[Comparisons, Depends(_comparisons)]
ClockDep = Annotated[Clock, Depends(_clock)]


async def _admission(settings: SettingsDep) -> Admission:
    return Admission(settings.database, settings.max_open_trials)


AdmissionDep = Annotated[Admission, Depends(_admission)]
