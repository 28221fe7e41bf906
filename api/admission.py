"""Admission of sweeps: space on the disk, and the limit on trials that have not ended."""

import shutil
from dataclasses import dataclass
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends

from api.dependencies import SettingsDep
from api.errors.http_errors import NoSpaceError
from bot.errors import InvalidInputError
from bot.market_store.backup import database_file
from sweeps.estimates.planning import stored_bytes
from sweeps.queue.backlog_limit import refuse_overload
from sweeps.spec.spec import SweepSpec

RESERVE_BYTES = 64 * 1024 * 1024
"""Bytes that stay free in any case: for the write-ahead log, logs and the broker's file."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Limits of the settings on disk space and on open trials."""

    database_url: str
    most_open_trials: int

    def require_space(self, needed: int) -> None:
        """Raise NoSpaceError unless `needed` bytes fit on the disk of a SQLite database.

        The disk of another database is its server's affair.
        """
        try:
            folder = database_file(self.database_url).parent
        except InvalidInputError:
            return
        free = shutil.disk_usage(folder).free
        if free < needed + RESERVE_BYTES:
            raise NoSpaceError(needed + RESERVE_BYTES, free)

    def require_for(self, spec: SweepSpec) -> None:
        """Raise NoSpaceError unless the results of a sweep fit on the disk."""
        self.require_space(stored_bytes(spec))

    def refuse_overload(self, connection: sa.Connection) -> None:
        """Raise QueueFullError if too many trials wait, those stored in this transaction included."""
        refuse_overload(connection, self.most_open_trials)


async def _admission(settings: SettingsDep) -> Admission:
    return Admission(settings.database, settings.max_open_trials)


AdmissionDep = Annotated[Admission, Depends(_admission)]
