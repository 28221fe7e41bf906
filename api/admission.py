"""Admission of sweeps and runs: their data are held, their results fit, and not too many trials wait."""

import shutil
from dataclasses import dataclass

import sqlalchemy as sa

from api.errors.http_errors import NoSpaceError
from bot.config.run_config import RunConfig
from bot.errors import FieldError, InvalidInputError
from bot.market_store.backup import database_file
from bot.market_store.store import HistoricalDataStore
from sweeps.estimates.space import stored_bytes
from sweeps.lifecycle.extend_clone import as_change
from sweeps.lifecycle.held_windows import refuse_missing_run, refuse_missing_windows
from sweeps.lifecycle.refused_values import refuse_values_of_no_hedge
from sweeps.lifecycle.result_range import refuse_unstorable_capital
from sweeps.lifecycle.reversed_windows import refuse_reversed_windows
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


def admit(spec: SweepSpec, store: HistoricalDataStore, *, before: SweepSpec | None = None) -> SweepSpec:
    """Return `spec` with its data set named, once the store is known to hold what it reads.

    Of an extension of `before` the windows of new trials are looked at, and the values that came with it.
    Raises: InvalidInputError (unknown exchange or symbol, too little data, too much capital, values under
    which no trial is a hedge, windows that end before they start) with the paths of the spec.
    """
    refuse_unstorable_capital(spec)
    refuse_values_of_no_hedge(spec, before)
    refuse_reversed_windows(spec, before)
    if spec.values_of("exchange") == (None,):
        spec = spec.on_exchange(_resolved(spec, store))
    with store.engine.connect() as connection:
        refuse_missing_windows(connection, spec, first=0 if before is None else before.trial_count)
    return spec


def admit_extension(before: SweepSpec, extended: SweepSpec, store: HistoricalDataStore) -> SweepSpec:
    """Return the admitted extension of a sweep, as `admit` does; raises with the paths of the change."""
    try:
        return admit(extended, store, before=before)
    except InvalidInputError as error:
        raise as_change(error, before) from None


def admit_run(config: RunConfig, store: HistoricalDataStore) -> RunConfig:
    """Return `config` with its data set named, once the store is known to hold what it reads.

    Raises: InvalidInputError (unknown exchange or symbol, too little data).
    """
    config = config.varied({"exchange": config.resolved_exchange(store.resolve_exchange)})
    with store.engine.connect() as connection:
        refuse_missing_run(connection, config)
    return config


def _resolved(spec: SweepSpec, store: HistoricalDataStore) -> str:
    try:
        return spec.leg_exchange() or store.resolve_exchange(None)
    except InvalidInputError as error:
        raise error.renamed(lambda item: FieldError(f"base.{item.field}", item.message)) from None
