"""Record of stored rows that were changed, so that sweeps which read them can say so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.market.records.kinds import RECORD_TYPES, RecordKey, RecordKind
from bot.market.rows import SeriesKey, SeriesKind
from bot.market_store.database import database_now_ms
from bot.market_store.tables import market_change
from bot.numbers.arrays import IntArray
from bot.plurals import counted
from bot.timestamps import iso

_LATEST = sa.select(sa.func.max(market_change.c.id))


class ChangeKind(StrEnum):
    """Kind of a change to stored rows; ordinary imports only add rows, which is none of these."""

    DELETED = "deleted"
    REPLACED = "replaced"
    REINFERRED = "reinferred"


_TOLD = {
    ChangeKind.DELETED: "{rows} deleted",
    ChangeKind.REPLACED: "{rows} replaced",
    ChangeKind.REINFERRED: "the funding interval of {rows} inferred anew",
}


@dataclass(frozen=True, slots=True)
class DataChange:
    """`rows` stored rows of a series became others at `changed_ms`, the outermost at these times."""

    id: int
    key: SeriesKey | RecordKey
    change: ChangeKind
    rows: int
    first_ms: int
    last_ms: int
    changed_ms: int

    @property
    def visible_ms(self) -> int:
        """Return the time at which the first of the rows was known: a candle at its close."""
        return self.first_ms + self.key.timeframe_ms

    def told(self) -> str:
        """Return the change as part of a sentence."""
        row = _row_of(self.key.kind)
        span = " to ".join(dict.fromkeys((iso(self.first_ms), iso(self.last_ms))))
        rows = f"{counted(self.rows, row)} of {self.key.symbol or self.key.exchange} ({span})"
        what = _TOLD[self.change].format(rows=rows)
        return f"{what} at {iso(self.changed_ms // 1000 * 1000)}"


def _row_of(kind: SeriesKind | RecordKind) -> str:
    if isinstance(kind, RecordKind):
        return RECORD_TYPES[kind].row
    return "settlement" if kind is SeriesKind.FUNDING else f"{kind.value} candle"


def record_times(connection: sa.Connection, key: SeriesKey, change: ChangeKind, times: IntArray) -> None:
    """Write down that the rows at `times` became others; nothing is written without any."""
    if len(times):
        record_change(connection, key, change, len(times), int(np.min(times)), int(np.max(times)))


def record_change(
    connection: sa.Connection,
    key: SeriesKey | RecordKey,
    change: ChangeKind,
    rows: int,
    first_ms: int,
    last_ms: int,
) -> None:
    """Write down that `rows` rows became others, the outermost at these times."""
    if connection.dialect.name == "postgresql":
        # Ids must be visible in their order: a reader remembers the last one it has seen.
        connection.execute(sa.text("LOCK TABLE market_change IN SHARE ROW EXCLUSIVE MODE"))
    connection.execute(
        market_change.insert().values(
            exchange=key.exchange,
            symbol=key.symbol,
            kind=key.kind.value,
            timeframe_ms=key.timeframe_ms,
            change=change.value,
            rows=rows,
            first_ms=first_ms,
            last_ms=last_ms,
            changed_ms=database_now_ms(),
        )
    )


def latest_change(connection: sa.Connection) -> int:
    """Return the id of the newest change, 0 if there was none."""
    return int(connection.execute(_LATEST).scalar_one() or 0)


def changes_after(
    connection: sa.Connection,
    change_id: int,
    symbols: Iterable[str],
    records: Iterable[RecordKind] = (),
) -> Mapping[str, list[DataChange]]:
    """Return the changes later than `change_id` by symbol, oldest first, of all data sets.

    Series count, and of what is recorded beside them the kinds of `records`.
    """
    table = market_change.c
    query = (
        sa.select(market_change)
        .where(table.id > change_id, table.symbol.in_(sorted(set(symbols))))
        .where(table.kind.in_([*SeriesKind, *records]))
        .order_by(table.id)
    )
    found: dict[str, list[DataChange]] = {}
    for row in connection.execute(query):
        key = _key(row)
        change = ChangeKind(row.change)
        found.setdefault(row.symbol, []).append(
            DataChange(row.id, key, change, row.rows, row.first_ms, row.last_ms, row.changed_ms)
        )
    return found


def _key(row: sa.Row[Any]) -> SeriesKey | RecordKey:
    if row.kind in {*RecordKind}:
        return RecordKey(row.exchange, row.symbol, RecordKind(row.kind))
    return SeriesKey(row.exchange, row.symbol, SeriesKind(row.kind), row.timeframe_ms)
