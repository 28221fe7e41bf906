"""Recorded rows beside candles and funding in the store: read, merged and removed as wholes."""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from bot.errors import DataImportError, InvalidInputError, StoreError
from bot.market.records.fields import RecordRefusedError, Values
from bot.market.records.kinds import RECORD_TYPES, RecordKey, RecordKind, RecordType
from bot.market_store.changes import ChangeKind, record_change
from bot.market_store.database import insert_or_skip
from bot.market_store.tables import market_record

_COMPRESSION = 3
_LONGEST_SOURCE = 255
_NO_ROWS = b"[]"
_OUTLINE = [column for column in market_record.c if column.name != "payload"]
_EVERY = sa.select(*_OUTLINE).order_by(market_record.c.exchange, market_record.c.symbol, market_record.c.kind)
_OF_EXCHANGE = _EVERY.where(market_record.c.exchange == sa.bindparam("of_exchange"))


@dataclass(frozen=True, slots=True)
class HeldRecords:
    """Stored rows without the rows: how many, the times of the outermost, their digest and newest source."""

    key: RecordKey
    synthetic: bool
    source: str
    count: int
    first_ms: int
    last_ms: int
    digest: str

    @property
    def name(self) -> str:
        """Return them as a message calls them."""
        return " ".join(filter(None, (self.key.exchange, self.key.symbol, self.key.kind)))


class RecordsMerged(NamedTuple):
    """Counts of offered rows by what became of them."""

    new: int
    already_there: int
    replaced: int


def held_records(connection: sa.Connection, exchange: str | None = None) -> list[HeldRecords]:
    """Return everything recorded, or that of one data set, by exchange, symbol and kind."""
    query = _EVERY if exchange is None else _OF_EXCHANGE
    return [_held(row) for row in connection.execute(query, {"of_exchange": exchange}) if row.rows]


def records_of(
    connection: sa.Connection, exchange: str, symbol: str, kinds: Iterable[RecordKind]
) -> dict[RecordKind, HeldRecords]:
    """Return what is recorded of a symbol, or of a whole exchange (empty symbol), of these kinds."""
    table = market_record.c
    wanted = (table.exchange == exchange) & (table.symbol == symbol) & table.kind.in_([*kinds])
    query = sa.select(*_OUTLINE).where(wanted).order_by(table.kind)
    found = [_held(row) for row in connection.execute(query) if row.rows]
    return {one.key.kind: one for one in found}


def read_rows(connection: sa.Connection, held: HeldRecords) -> list[Any]:
    """Return stored rows by part and time; raises StoreError if they are damaged."""
    # Rows and digest in one statement: between two another process may have replaced them.
    query = sa.select(market_record.c.payload, market_record.c.digest).where(_is(held.key))
    stored = connection.execute(query).one_or_none()
    if stored is None:
        return []
    try:
        text = zlib.decompress(stored.payload)
    except zlib.error as error:
        raise StoreError(f"stored {held.name} is damaged: {error}") from None
    if _digest(text) != stored.digest:
        raise StoreError(f"stored {held.name} is damaged: its digest is not {stored.digest}")
    kind = RECORD_TYPES[held.key.kind]
    return [kind.parse(values) for values in json.loads(text)]


def merge_records(
    connection: sa.Connection,
    key: RecordKey,
    offered: Sequence[Any],
    source: str,
    *,
    synthetic: bool = False,
    replace_held: bool = False,
) -> RecordsMerged:
    """Add the rows that are new to those held, all of them or none.

    Raises: RecordRefusedError for a row that cannot stand where it is, or that contradicts a held one and is
    not to replace it; DataImportError for recorded rows among generated ones, or the reverse.
    """
    kind = RECORD_TYPES[key.kind]
    if not offered:
        return RecordsMerged(0, 0, 0)
    kind.check_all(offered)
    held = _lock(connection, key, synthetic=synthetic)
    rows = {kind.place(row): row for row in read_rows(connection, held)}
    differing = [(index, row) for index, row in enumerate(offered) if rows.get(kind.place(row), row) != row]
    if differing and not replace_held:
        index, row = differing[0]
        raise RecordRefusedError(index, _contradiction(kind, row, rows[kind.place(row)]))
    new = sum(kind.place(row) not in rows for row in offered)
    if new or differing:
        rows |= {kind.place(row): row for row in offered}
        _write(connection, key, _together(kind, rows.values()), source)
    if differing:
        times = [row.from_ms for _, row in differing]
        record_change(connection, key, ChangeKind.REPLACED, len(times), min(times), max(times))
    return RecordsMerged(new, len(offered) - new - len(differing), len(differing))


def rows_between(connection: sa.Connection, held: HeldRecords, from_ms: int, until_ms: int) -> list[Any]:
    """Return the rows with times in [from_ms, until_ms)."""
    return [row for row in read_rows(connection, held) if from_ms <= row.from_ms < until_ms]


def remove_between(connection: sa.Connection, held: HeldRecords, from_ms: int, until_ms: int) -> None:
    """Remove the rows with times in [from_ms, until_ms), of which there are some.

    Raises: InvalidInputError if those that stay could not stand alone.
    """
    key, kind = held.key, RECORD_TYPES[held.key.kind]
    rows = read_rows(connection, _lock(connection, key, synthetic=held.synthetic))
    stays = [row for row in rows if not from_ms <= row.from_ms < until_ms]
    times = [row.from_ms for row in rows if from_ms <= row.from_ms < until_ms]
    try:
        kind.check_all(stays)
    except RecordRefusedError as error:
        raise InvalidInputError.of("series", f"{key.kind} of {key.symbol} without them: {error}") from None
    if times:
        record_change(connection, key, ChangeKind.DELETED, len(times), min(times), max(times))
    _write(connection, key, stays, held.source)


def rows_until(connection: sa.Connection, held: HeldRecords, end_ms: int) -> list[Any]:
    """Return the stored rows that a run up to `end_ms` reads: those that begin by then, and a life whole.

    Its last epoch says what one unit is, and a later one that is carried that an end before is none.
    """
    rows = read_rows(connection, held)
    return rows if held.key.kind is RecordKind.LIFE else [row for row in rows if row.from_ms <= end_ms]


def records_digest(connection: sa.Connection, held: HeldRecords, end_ms: int) -> str | None:
    """Return a name of the rows of `rows_until`, None without any."""
    if held.last_ms <= end_ms or held.key.kind is RecordKind.LIFE:
        return held.digest
    return rows_digest(held.key.kind, rows_until(connection, held, end_ms))


def rows_digest(kind: RecordKind, rows: Sequence[Any]) -> str | None:
    """Return the name of rows by part and time, None without any."""
    return _digest(_encoded(RECORD_TYPES[kind], rows)) if rows else None


def damage(connection: sa.Connection, held: HeldRecords) -> str | None:
    """Return the damage of stored rows, None if there is none."""
    try:
        rows = read_rows(connection, held)
    except (StoreError, ValueError) as error:
        return str(error)
    times = [row.from_ms for row in rows]
    if (held.count, held.first_ms, held.last_ms) != (len(rows), min(times), max(times)):
        return "its rows contradict the number and the times written down of them"
    return None


def _lock(connection: sa.Connection, key: RecordKey, *, synthetic: bool) -> HeldRecords:
    """Return the rows held, none if they are new, kept from other writers until the transaction ends."""
    this = _is(key)
    found = None
    while found is None:  # those that are there may be deleted before they are locked
        none = insert_or_skip(connection, market_record).values(
            exchange=key.exchange,
            symbol=key.symbol,
            kind=key.kind.value,
            synthetic=synthetic,
            source="",
            rows=0,
            first_ms=0,
            last_ms=0,
            **_columns(_NO_ROWS),
        )
        connection.execute(none)
        found = connection.execute(sa.select(*_OUTLINE).where(this).with_for_update()).one_or_none()
    if found.synthetic != synthetic and found.rows:
        held, offered = ("generated", "recorded") if found.synthetic else ("recorded", "generated")
        raise DataImportError(
            f"{key.exchange} {key.symbol} {key.kind} holds {held} data, which {offered} data cannot join"
        )
    return _held(found)


def _write(connection: sa.Connection, key: RecordKey, rows: Sequence[Any], source: str) -> None:
    """Store rows in place of those held; none leave nothing behind."""
    if not rows:
        connection.execute(market_record.delete().where(_is(key)))
        return
    times = [row.from_ms for row in rows]
    connection.execute(
        market_record.update()
        .where(_is(key))
        .values(
            source=source[:_LONGEST_SOURCE],
            rows=len(rows),
            first_ms=min(times),
            last_ms=max(times),
            **_columns(_encoded(RECORD_TYPES[key.kind], rows)),
        )
    )


def _together(kind: RecordType, rows: Iterable[Any]) -> list[Any]:
    """Return rows by part and time; raises RecordRefusedError if they cannot stand beside each other."""
    ordered = sorted(rows, key=kind.place)
    try:
        kind.check_all(ordered)
    except RecordRefusedError as error:
        raise RecordRefusedError(None, f"{error}, beside the rows that are held already") from None
    return ordered


def _contradiction(kind: RecordType, row: Any, rival: Any) -> str:
    offered, held = kind.document(row), kind.document(rival)
    name, value, other = next(_differing(offered, held))
    place = " ".join(filter(None, (kind.part(row), f"{kind.time_field} {row.from_ms}")))
    return (
        f"{name} {value} of {place} contradicts {other}, which is held already "
        "(--replace lets it take its place)"
    )


def _differing(offered: Values, held: Values) -> Iterator[tuple[str, str, str]]:
    for name in {**offered, **held}:
        if offered.get(name) != held.get(name):
            yield name, _shown(offered.get(name)), _shown(held.get(name))


def _shown(value: object) -> str:
    if value is None:
        return "(none)"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _encoded(kind: RecordType, rows: Iterable[Any]) -> bytes:
    return json.dumps([kind.document(row) for row in rows], sort_keys=True, separators=(",", ":")).encode()


def _columns(text: bytes) -> Mapping[str, Any]:
    return {"digest": _digest(text), "payload": zlib.compress(text, _COMPRESSION)}


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _is(key: RecordKey) -> sa.ColumnElement[bool]:
    table = market_record.c
    return sa.and_(table.exchange == key.exchange, table.symbol == key.symbol, table.kind == key.kind.value)


def _held(row: sa.Row[Any]) -> HeldRecords:
    key = RecordKey(row.exchange, row.symbol, RecordKind(row.kind))
    return HeldRecords(key, row.synthetic, row.source, row.rows, row.first_ms, row.last_ms, row.digest)
