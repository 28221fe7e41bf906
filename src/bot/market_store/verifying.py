"""Verification of stored data: every row is read and compared with the digests stored with it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from bot.errors import StoreError
from bot.market.records.kinds import RecordKey
from bot.market.rows import SeriesKey
from bot.market_store import sql
from bot.market_store.records import damage as record_damage
from bot.market_store.records import held_records
from bot.market_store.segments import encode
from bot.market_store.sql import HeldSegment


@dataclass(frozen=True, slots=True)
class Damage:
    """A stored month that is not what was stored: `month` is yyyymm, `reason` names it.

    Rows that are not kept by months have `month` None.
    """

    exchange: str
    symbol: str
    kind: str
    timeframe_ms: int
    month: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Verification:
    """Result of verifying a store: the amount read, and its damaged parts."""

    series: int
    months: int
    rows: int
    damages: tuple[Damage, ...]


def verify_market(
    connection: sa.Connection,
    exchange: str | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Verification:
    """Compare all rows held, or those of one data set, with the digests they were stored under.

    `progress` is told how many of how many series are done.
    """
    held, records = sql.held_series(connection, exchange), held_records(connection, exchange)
    total = len(held) + len(records)
    months = rows = 0
    damages: list[Damage] = []
    for done, series in enumerate(held, 1):
        for segment in sql.segments(connection, [series], beyond_seals=True):
            months, rows = months + 1, rows + segment.segment.rows
            reason = damage(segment)
            if reason is not None:
                damages.append(_damage(series.key, segment.segment.month, reason))
        progress(done, total)
    for one in records:
        reason = record_damage(connection, one)
        if reason is not None:
            damages.append(_damage(one.key, None, reason))
        rows += one.count
    progress(total, total)
    return Verification(total, months, rows, tuple(damages))


def damage(held: HeldSegment) -> str | None:
    """Return the damage of a stored month, None if there is none."""
    stored = held.segment
    try:
        rows = held.rows()
        held.origins()
    except StoreError as error:
        return error.message
    if not len(rows) or bool(np.any(np.diff(rows.times) <= 0)):
        return "its rows are not ascending"
    again = encode(rows)
    differing = [name for name in _FACTS if getattr(again, name) != getattr(stored, name)]
    return ", ".join(_told(differing, held)) or None


_FACTS = ("month", "first_ms", "last_ms", "rows")


def _told(names: list[str], held: HeldSegment) -> Iterator[str]:
    for name in names:
        yield f"its {name} is written down as {getattr(held.segment, name)}, which its rows contradict"


def _damage(key: SeriesKey | RecordKey, month: int | None, reason: str) -> Damage:
    return Damage(key.exchange, key.symbol, key.kind.value, key.timeframe_ms, month, reason)
