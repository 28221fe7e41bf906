"""Checks before a sweep is accepted: the store holds its data, and can hold its results."""

from bot.config.run_config import RunConfig
from bot.errors import FieldError, InvalidInputError
from bot.market_store.store import HistoricalDataStore
from sweeps.lifecycle.extend_clone import as_change
from sweeps.lifecycle.held_windows import refuse_missing_run, refuse_missing_windows
from sweeps.lifecycle.result_range import refuse_unstorable_capital
from sweeps.spec.spec import SweepSpec


def admit(spec: SweepSpec, store: HistoricalDataStore, *, first: int = 0) -> SweepSpec:
    """Return `spec` with its data set named, once the store is known to hold what it reads.

    The windows of trials before number `first` are not looked at again.
    Raises: InvalidInputError (unknown exchange or symbol, too little data, too much capital) with the paths
    of the spec.
    """
    refuse_unstorable_capital(spec)
    if spec.exchanges() == (None,):
        spec = spec.on_exchange(_resolved(store))
    with store.engine.connect() as connection:
        refuse_missing_windows(connection, spec, first=first)
    return spec


def admit_extension(before: SweepSpec, extended: SweepSpec, store: HistoricalDataStore) -> SweepSpec:
    """Return the admitted extension of a sweep, as `admit` does; raises with the paths of the change."""
    try:
        return admit(extended, store, first=before.trial_count)
    except InvalidInputError as error:
        raise as_change(error, before) from None


def admit_run(config: RunConfig, store: HistoricalDataStore) -> RunConfig:
    """Return `config` with its data set named, once the store is known to hold what it reads.

    Raises: InvalidInputError (unknown exchange or symbol, too little data).
    """
    config = config.varied({"exchange": store.resolve_exchange(config.exchange)})
    with store.engine.connect() as connection:
        refuse_missing_run(connection, config)
    return config


def _resolved(store: HistoricalDataStore) -> str:
    try:
        return store.resolve_exchange(None)
    except InvalidInputError as error:
        raise error.renamed(lambda item: FieldError(f"base.{item.field}", item.message)) from None
