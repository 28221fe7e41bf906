"""Waiting for what the service does, through its short absences."""

import time
from collections.abc import Callable
from typing import TypeVar

from carrygrid.errors import ServiceError

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0
_PATIENCE_S = 60.0

Found = TypeVar("Found")


def wait_for(look: Callable[[], Found | None], timeout_s: float | None, awaited: str) -> Found:
    """Look again and again until something is found, and return it.

    A service that was there and is away is looked for again for a minute. Raises: TimeoutError, ServiceError.
    """
    started = time.monotonic()
    answered: float | None = None
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            found = look()
            answered = time.monotonic()
        except ServiceError as error:
            if answered is None or not error.unavailable or time.monotonic() - answered > _PATIENCE_S:
                raise
            found = None
        if found is not None:
            return found
        if timeout_s is not None and time.monotonic() - started > timeout_s:
            raise TimeoutError(f"{awaited} is not over after {timeout_s:g} s")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
