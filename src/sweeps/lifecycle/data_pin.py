"""Pin of the market data a sweep was submitted on, so that all of its trials read one history."""

import hashlib
from typing import Any, Protocol

import sqlalchemy as sa

from bot import ENGINE_VERSION
from bot.errors import UnknownExchangeError
from bot.market.records.kinds import RecordKind
from bot.market_store.changes import latest_change
from bot.market_store.loading import resolve_exchange
from bot.market_store.pinning import pairs_digest
from sweeps.errors import DataChangedError, SweepStateError, UnknownSweepError
from sweeps.spec.read_pairs import Pair
from sweeps.spec.spec import SweepSpec
from sweeps.storage.stored_specs import stored_spec
from sweeps.storage.tables import sweep

CHANGED = "the market data it reads were changed after it was submitted"
_REMEDY = "clone it to run on the data as they are now; results whose data did not change are reused"


def pinned(connection: sa.Connection, spec: SweepSpec) -> dict[str, Any]:
    """Return the columns of a sweep that say on which history it is submitted."""
    # The change first: one that comes between the two is then seen as later, and the digests are compared.
    change_id = latest_change(connection)
    return {"data_change": change_id, "data_pin": data_pin(connection, spec)}


class ReadHistory(Protocol):
    """Market data that a sweep reads."""

    def pairs(self) -> tuple[Pair, ...]:
        """Return the pairs of markets that trials read, under their exchanges."""

    def exchanges(self) -> tuple[str | None, ...]:
        """Return the data sets that trials read."""

    def window(self) -> tuple[int, int]:
        """Return the earliest start and the latest end of any trial, ms UTC."""

    def reads(self) -> frozenset[RecordKind]:
        """Return the kinds of recorded rows beside candles and funding that some trial reads."""


def data_pin(connection: sa.Connection, spec: ReadHistory) -> str:
    """Return a digest of all history that trials of the sweep may read, up to its latest end."""
    _, end_ms = spec.window()
    symbols: dict[str | None, list[str]] = {exchange: [] for exchange in spec.exchanges()}
    for exchange, symbol in spec.pairs():
        symbols[exchange].append(symbol)
    parts = [
        pairs_digest(connection, _resolved(connection, exchange), own, end_ms, spec.reads())
        for exchange, own in symbols.items()
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def check_pin(connection: sa.Connection, spec: SweepSpec, pin: str | None) -> None:
    """Raise DataChangedError unless the history is still the one of `pin`; None was never pinned."""
    if pin is not None and data_pin(connection, spec) != pin:
        raise DataChangedError(f"{CHANGED}; {_REMEDY}")


def refuse_incompatible(connection: sa.Connection, sweep_id: int) -> None:
    """Raise SweepStateError if a sweep can no longer go on with the data or the engine it began with.

    Raises UnknownSweepError for one that was deleted meanwhile.
    """
    found = connection.execute(
        sa.select(sweep.c.spec, sweep.c.data_pin, sweep.c.engine_version).where(sweep.c.id == sweep_id)
    ).one_or_none()
    if found is None:
        raise UnknownSweepError(f"there is no sweep {sweep_id}")
    if found.engine_version != ENGINE_VERSION:
        raise SweepStateError(
            f"sweep {sweep_id} cannot go on: it began with engine {found.engine_version}, "
            f"this is {ENGINE_VERSION}; clone it"
        )
    try:
        check_pin(connection, stored_spec(connection, sweep_id, found.spec), found.data_pin)
    except DataChangedError as error:
        raise SweepStateError(f"sweep {sweep_id} cannot go on: {error}") from None


def _resolved(connection: sa.Connection, exchange: str | None) -> str:
    try:
        return resolve_exchange(connection, exchange)
    except UnknownExchangeError:
        return exchange or ""
