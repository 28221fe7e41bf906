"""Sweeps whose market data are no longer held as they were when the sweep was submitted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bot.market_store.changes import DataChange, changes_after, latest_change
from bot.market_store.pinning import symbols_read
from sweeps.lifecycle.data_pin import ReadHistory, data_pin


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
    symbols = {symbol for one in pinned for symbol in symbols_read(one.spec.symbols())}
    changes = changes_after(connection, min(one.change_id for one in pinned), symbols)
    concerned = {one.id: found for one in pinned if (found := _concerning(one, changes))}
    pins: dict[tuple[object, ...], str] = {}
    told: dict[int, str] = {}
    for one in pinned:
        if one.id in concerned:
            history = (one.spec.exchanges(), one.spec.symbols(), one.spec.window()[1])
            if history not in pins:
                pins[history] = data_pin(connection, one.spec)
            if pins[history] != one.pin:
                told[one.id] = _told(concerned[one.id])
    return told


def _concerning(one: PinnedSweep, changes: Mapping[str, Iterable[DataChange]]) -> list[DataChange]:
    """Return the changes to rows that trials of a sweep may have read."""
    _, end_ms = one.spec.window()
    exchanges = {*one.spec.exchanges()}
    found = [
        change
        for symbol in symbols_read(one.spec.symbols())
        for change in changes.get(symbol, ())
        if change.id > one.change_id
        and change.visible_ms <= end_ms
        and (change.key.exchange in exchanges or None in exchanges)
    ]
    return sorted(found, key=lambda change: change.id)


def _told(changes: Sequence[DataChange]) -> str:
    more = f", and {len(changes) - 1:,} more changes" if len(changes) > 1 else ""
    return f"the market data that it was submitted on are no longer held: {changes[-1].told()}{more}"
