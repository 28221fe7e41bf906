"""What a route may ask for: the database, the settings, the clock."""

from collections.abc import Callable
from typing import Annotated, Concatenate, ParamSpec, TypeVar, cast

import sqlalchemy as sa
from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.concurrency import run_in_threadpool

from api.replays import Replays
from api.settings import Settings
from bot.clock import Clock
from bot.data.database import async_write_transaction

P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """Runs SQL functions that take a connection, each call in a transaction of its own.

    `threads` is the engine for work that would hold up the event loop.
    """

    def __init__(self, engine: AsyncEngine, threads: sa.Engine) -> None:
        self._engine = engine
        self.threads = threads

    async def read(
        self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return what `query` reads."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(query, *args, **kwargs)

    async def study(
        self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return what `query` reads and works out, in a thread of its own."""

        def run() -> T:
            with self.threads.connect() as connection:
                return query(connection, *args, **kwargs)

        return await run_in_threadpool(run)

    async def write(
        self, command: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return what `command` answers once its changes are on disk."""
        async with async_write_transaction(self._engine, durable=True) as connection:
            return await connection.run_sync(command, *args, **kwargs)


def _database(request: Request) -> Database:
    return cast("Database", request.app.state.database)


def _replays(request: Request) -> Replays:
    return cast("Replays", request.app.state.replays)


def _settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


def _clock(request: Request) -> Clock:
    return cast("Clock", request.app.state.clock)


DatabaseDep = Annotated[Database, Depends(_database)]
ReplaysDep = Annotated[Replays, Depends(_replays)]
SettingsDep = Annotated[Settings, Depends(_settings)]
ClockDep = Annotated[Clock, Depends(_clock)]
