"""Long work of the API in a thread of its own, with a bounded number of requests that wait for it."""

import time
from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from api.errors.http_errors import BusyError

T = TypeVar("T")
MOST_COMPILING = 16
"""Requests that check sweeps at a time, the one whose turn it is included, however long each takes."""
MOST_COMPILING_QUICKLY = 1_000
"""Most at a time while checks are quick, so that many small sweeps are not refused."""

MOST_BYTES = 128 * 2**20
PATIENCE_S = 120.0
_NEWEST = 0.2
_FIRST_GUESS_S = 0.03


class BoundedWork:
    """A thread for one kind of work, which nothing else waits for; at most `most` requests at a time.

    `most_quickly` may wait where all are expected to have had their turn within `PATIENCE_S`, by what the
    last ones took, and what they hold is no more than `MOST_BYTES`. `name` says in a refusal what the others
    are doing.
    """

    def __init__(self, name: str, most: int, most_quickly: int = 0) -> None:
        self._name = name
        self._most = most
        self._most_quickly = most_quickly
        self._requests = 0
        self._bytes = 0
        self._seconds = _FIRST_GUESS_S
        self._thread = CapacityLimiter(1)

    async def run(self, work: Callable[[], T], size: int = 0) -> T:
        """Return the result of `work`, which holds `size` bytes, once it had its turn.

        Raises: BusyError if too many requests wait.
        """
        if not self._has_room(size):
            raise BusyError(f"{self._requests} {self._name} are under way; try again in a moment")
        self._requests += 1
        self._bytes += size
        try:
            return await to_thread.run_sync(lambda: self._timed(work), limiter=self._thread)
        finally:
            self._requests -= 1
            self._bytes -= size

    def _has_room(self, size: int) -> bool:
        if self._requests < self._most:
            return True
        quick = self._requests * self._seconds < PATIENCE_S and self._bytes + size <= MOST_BYTES
        return quick and self._requests < self._most_quickly

    def _timed(self, work: Callable[[], T]) -> T:
        began = time.monotonic()
        try:
            return work()
        finally:
            self._seconds += _NEWEST * (time.monotonic() - began - self._seconds)
