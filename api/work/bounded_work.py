"""Long work of the API in a thread of its own, with a bounded number of requests that wait for it."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from api.errors.http_errors import BusyError

T = TypeVar("T")
MOST_COMPILING = 16
"""Requests that check sweeps at a time, the one whose turn it is included."""


class BoundedWork:
    """A thread for one kind of work, which nothing else waits for; at most `most` requests at a time.

    `name` says in a refusal what the others are doing.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._requests = 0
        self._thread = CapacityLimiter(1)

    async def run(self, work: Callable[[], T]) -> T:
        """Return the result of `work` once it had its turn; raises BusyError if too many requests wait."""
        if self._requests >= self._most:
            raise BusyError(f"{self._requests} {self._name} are under way; try again in a moment")
        self._requests += 1
        try:
            return await to_thread.run_sync(work, limiter=self._thread)
        finally:
            self._requests -= 1
