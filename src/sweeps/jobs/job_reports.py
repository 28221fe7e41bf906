"""Progress of a running job, and the request that it stop."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from bot.clock import Clock
from bot.market_store.database import write_transaction
from sweeps.jobs.jobs import JobClaim, note_progress

PERIOD_MS = 500
SLICE_MS = 60_000
"""A job that can go on where it stopped leaves its worker to others after so long."""


class JobLostError(Exception):
    """A job that was cancelled, or taken over by another worker."""


class SliceOverError(Exception):
    """A job that got ahead and is to go on later."""


class JobReport:
    """Stores what a job tells, not more often than people can read it by the `clock`."""

    def __init__(self, engine: sa.Engine, claim: JobClaim, clock: Clock) -> None:
        self._engine = engine
        self._claim = claim
        self.clock = clock
        self._began_ms = clock.now_ms()
        self._told_ms: int | None = None

    def tell(self, progress: Mapping[str, Any], *, at_once: bool = False) -> None:
        """Store the progress if it is time to; raises JobLostError if the job is no longer ours."""
        now_ms = self.clock.now_ms()
        if not at_once and self._told_ms is not None and now_ms - self._told_ms < PERIOD_MS:
            return
        self._told_ms = now_ms
        with write_transaction(self._engine) as connection:
            if not note_progress(connection, self._claim, progress):
                raise JobLostError

    def check_slice(self) -> None:
        """Raise SliceOverError once the worker has been kept for long enough."""
        if self.clock.now_ms() - self._began_ms >= SLICE_MS:
            raise SliceOverError
