"""Clocks passed as arguments: nothing else in the package reads the time."""

import time
from typing import Protocol


class Clock(Protocol):
    """Source of the current time."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970-01-01 UTC."""


class SystemClock:
    """The machine's clock, for the shells that face the outside."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000


class SteadyClock:
    """A clock to measure how long something takes: nobody sets it, and it stands while the machine sleeps."""

    def now_ms(self) -> int:
        """Return milliseconds since a moment that nobody knows."""
        return time.monotonic_ns() // 1_000_000


class SimulatedClock:
    """A clock that stands still until it is moved."""

    __slots__ = ("_now_ms",)

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Return the time last set, in milliseconds UTC."""
        return self._now_ms

    def advance_to(self, now_ms: int) -> None:
        """Move to `now_ms`; raises ValueError if that is in the past."""
        if now_ms < self._now_ms:
            raise ValueError(f"time would go back from {self._now_ms} to {now_ms}")
        self._now_ms = now_ms
