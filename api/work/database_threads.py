"""SQL of requests in transactions and threads of its own, bounded by kind."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from anyio import CapacityLimiter, to_thread

from bot.market_store.database import write_transaction

P = ParamSpec("P")
T = TypeVar("T")

READ_THREADS, ANALYSIS_THREADS, WRITE_THREADS = 8, 2, 4
"""Threads for each kind of work of a process; more of them would only take turns on its processor.

Measured with 50 clients on a sweep of 500,000 trials: four analyses at a time made quick reads wait 1.9 s
(99th percentile) beside them, two make them wait 0.6 s and answer as many pages of trials.
"""


class Database:
    """Runs SQL functions that take a connection, each call in a transaction and a thread of its own.

    Reads, analyses, which take long, and writes have threads of their own, so that none of them waits for
    another kind. The engine has a connection for each, so that nobody is refused one. `written` is called
    after each write.
    """

    def __init__(self, engine: sa.Engine, written: Callable[[], None] = lambda: None) -> None:
        self.engine = engine
        self._written = written
        self._readers = CapacityLimiter(READ_THREADS)
        self._analyses = CapacityLimiter(ANALYSIS_THREADS)
        # Several would only wait for each other's lock on SQLite, and the last of many longest.
        self._writers = CapacityLimiter(1 if engine.dialect.name == "sqlite" else WRITE_THREADS)

    async def read(
        self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return the answer of a quick `query`."""
        return await self._threaded(self._readers, self._read, lambda opened: query(opened, *args, **kwargs))

    async def analyze(
        self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return the answer of a `query` that takes long."""
        return await self._threaded(self._analyses, self._read, lambda opened: query(opened, *args, **kwargs))

    async def write(
        self, command: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return the answer of `command` once its changes are on disk."""
        answer = await self._threaded(
            self._writers, self._write, lambda opened: command(opened, *args, **kwargs)
        )
        self._written()
        return answer

    @staticmethod
    async def _threaded(
        limiter: CapacityLimiter,
        run: Callable[[Callable[[sa.Connection], T]], T],
        query: Callable[[sa.Connection], T],
    ) -> T:
        return await to_thread.run_sync(run, query, limiter=limiter)

    def _read(self, query: Callable[[sa.Connection], T]) -> T:
        with self.engine.connect() as connection:
            return query(connection)

    def _write(self, command: Callable[[sa.Connection], T]) -> T:
        with write_transaction(self.engine, durable=True) as connection:
            return command(connection)
