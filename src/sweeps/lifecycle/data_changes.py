"""Sweeps whose market data are no longer held as they were when the sweep was submitted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bot.market.records.kinds import RecordKind
from bot.market.rows import SeriesKind
from bot.market_store.changes import DataChange, changes_after, latest_change
from bot.market_store.pinning import pairs_named_by_lives, symbols_read
from sweeps.lifecycle.data_pin import ReadHistory, data_pin
from sweeps.spec.read_pairs import Pair


@dataclass(frozen=True, slots=True)
class PinnedSweep:
    """A sweep, the digest of the history it was submitted on, and the newest change to data by then."""

    id: int
    spec: ReadHistory
    pin: str | None
    change_id: int


def changed_data(connection: sa.Connection, sweeps: Sequence[PinnedSweep]) -> Mapping[int, str]:
    """Return the reason for each sweep whose pinned data changed; those with unchanged data are left out.

    Only rows that were deleted, replaced or given another interval count, not those that were added. Digests
    of histories are compared for sweeps alone that such a change concerns, so that a list of others is cheap.
    """
    newest = latest_change(connection)
    pinned = [one for one in sweeps if one.pin is not None and one.change_id < newest]
    if not pinned:
        return {}
    read = _ReadPairs(connection, pinned)
    symbols = {symbol for one in pinned for _, symbol in read.of(one.spec)}
    changes = changes_after(connection, min(one.change_id for one in pinned), symbols, RecordKind)
    concerned = {one.id: found for one in pinned if (found := _concerning(one, read.of(one.spec), changes))}
    pins: dict[tuple[object, ...], str] = {}
    told: dict[int, str] = {}
    for one in pinned:
        if one.id in concerned:
            history = (one.spec.exchanges(), one.spec.pairs(), one.spec.window()[1], one.spec.reads())
            if history not in pins:
                pins[history] = data_pin(connection, one.spec)
            if pins[history] != one.pin:
                told[one.id] = _told(concerned[one.id])
    return told


class _ReadPairs:
    """Pairs whose rows trials of sweeps read, those that lives name and spot markets of coins too.

    An empty symbol stands for what holds for a whole exchange.
    """

    def __init__(self, connection: sa.Connection, sweeps: Iterable[PinnedSweep]) -> None:
        exchanges = {exchange for one in sweeps for exchange in one.spec.exchanges()}
        self._named = {one: pairs_named_by_lives(connection, one) for one in exchanges if one is not None}

    def of(self, spec: ReadHistory) -> set[Pair]:
        """Return the pairs that trials of a sweep read."""
        found: set[Pair] = {(exchange, "") for exchange in spec.exchanges()}
        for exchange, pair in spec.pairs():
            named = self._named.get(exchange or "", {}).get(pair, frozenset())
            found |= {(exchange, symbol) for symbol in symbols_read({pair, *named})}
        return found


def _concerning(
    one: PinnedSweep, read: set[Pair], changes: Mapping[str, Iterable[DataChange]]
) -> list[DataChange]:
    """Return the changes to rows that trials of a sweep may have read."""
    _, end_ms = one.spec.window()
    kinds = {*SeriesKind, RecordKind.LIFE, *one.spec.reads()}
    found = [
        change
        for symbol in {symbol for _, symbol in read}
        for change in changes.get(symbol, ())
        if change.id > one.change_id
        and change.visible_ms <= end_ms
        and change.key.kind in kinds
        and not read.isdisjoint({(change.key.exchange, symbol), (None, symbol)})
    ]
    return sorted(found, key=lambda change: change.id)


def _told(changes: Sequence[DataChange]) -> str:
    more = f", and {len(changes) - 1:,} more changes" if len(changes) > 1 else ""
    return f"the market data that it was submitted on are no longer held: {changes[-1].told()}{more}"
