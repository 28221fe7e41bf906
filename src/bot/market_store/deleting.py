"""Removal of stored market data: which rows are meant, and what goes with them."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import sqlalchemy as sa

from bot.errors import DataImportError, InvalidInputError, UnknownSymbolError
from bot.market.records.kinds import RecordKey, RecordKind
from bot.market.rows import Rows, SeriesKey, SeriesKind
from bot.market.rules import TIMEFRAMES_MS
from bot.market.settlements import changed_times, reinferred_times
from bot.market.symbols import market_symbol
from bot.market_store import sql
from bot.market_store.changes import ChangeKind, record_change, record_times
from bot.market_store.loading import no_such_symbol, resolve_exchange
from bot.market_store.records import HeldRecords, held_records, remove_between, rows_between
from bot.market_store.segments import encode, months
from bot.market_store.sql import HeldSeries, Outline
from bot.market_store.writing import read_settlements, write_settlements
from bot.notation import quoted
from bot.timestamps import parse_time_ms

_BEGINNING_MS, _NEVER_MS = 0, 2**62
_SERIES = re.compile(r"(?P<kind>[a-z]+)(?:[- ](?P<timeframe>\w+))?\Z")


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows of a data set with times in [from_ms, until_ms), candles by their open time; None is all."""

    exchange: str
    symbol: str | None = None
    kind: SeriesKind | RecordKind | None = None
    timeframe_ms: int | None = None
    from_ms: int | None = None
    until_ms: int | None = None

    @classmethod
    def parse(
        cls,
        *,
        exchange: str,
        symbol: str | None = None,
        series: str | None = None,
        from_: str | None = None,
        to: str | None = None,
    ) -> Self:
        """Return the rows meant: `series` is a kind, or as in `perp-1h` a kind of one candle interval.

        Raises: InvalidInputError naming field and value.
        """
        kind, timeframe_ms = (None, None) if series is None else _parsed_series(series)
        from_ms, until_ms = _time_ms("from", from_), _time_ms("to", to)
        if from_ms is not None and until_ms is not None and until_ms <= from_ms:
            raise InvalidInputError.of("to", f"{to} is not after from {from_}")
        return cls(exchange, symbol, kind, timeframe_ms, from_ms, until_ms)

    @property
    def whole(self) -> bool:
        """True if everything of a symbol is meant, its trading rules and fees included."""
        return self.kind is None and self.from_ms is None and self.until_ms is None

    @property
    def span(self) -> tuple[int, int]:
        """Return the first time meant, and the first one after it that is not."""
        first = _BEGINNING_MS if self.from_ms is None else self.from_ms
        return first, _NEVER_MS if self.until_ms is None else self.until_ms

    def takes(self, key: SeriesKey | RecordKey, symbol: str | None) -> bool:
        """Say whether rows under this key are meant, `symbol` being the one held that is."""
        pairs = ((symbol, key.symbol), (self.kind, key.kind), (self.timeframe_ms, key.timeframe_ms))
        return all(asked in {None, held} for asked, held in pairs)


@dataclass(frozen=True, slots=True)
class RemovedRows:
    """Rows of a series that go: how many, and the times of the outermost."""

    symbol: str
    kind: str
    timeframe_ms: int
    rows: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Removal:
    """Removal from a data set; `reinferred` settlements that stay have another interval without it."""

    exchange: str
    series: tuple[RemovedRows, ...]
    reinferred: int = 0

    @property
    def rows(self) -> int:
        """Return the number of rows removed."""
        return sum(one.rows for one in self.series)

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "rows": self.rows}


def preview_removal(connection: sa.Connection, selection: Selection) -> Removal:
    """Return the removal that `remove_rows` would make, and change nothing; raises as it does."""
    meant = _selected(connection, selection)
    gone = [one for _, one in _found(connection, selection, meant.series)]
    gone += [one for _, one in _found_records(connection, selection, meant.records)]
    return Removal(selection.exchange, tuple(gone))


def remove_rows(connection: sa.Connection, selection: Selection) -> Removal:
    """Remove the rows that are meant; a series without rows, and a symbol meant whole, leave nothing behind.

    Intervals of settlements that stay are inferred anew.
    Raises: UnknownExchangeError, UnknownSymbolError; StoreError if a month that is cut is damaged.
    """
    meant = _selected(connection, selection)
    series = sql.lock_held(connection, meant.series)
    found = list(_found(connection, selection, series))
    found_records = list(_found_records(connection, selection, meant.records))
    reinferred = 0
    for one, gone in found:
        record_change(connection, one.key, ChangeKind.DELETED, gone.rows, gone.first_ms, gone.last_ms)
        if one.key.kind is SeriesKind.FUNDING:
            reinferred += _remove_settlements(connection, one, selection)
        else:
            _remove_candles(connection, one, selection)
    for records, _ in found_records:
        remove_between(connection, records, *selection.span)
    sql.delete_empty_series(connection, series)
    if selection.whole:
        sql.delete_rules(connection, selection.exchange, {one.key.symbol for one in series})
    removed = (*(gone for _, gone in found), *(gone for _, gone in found_records))
    return Removal(selection.exchange, removed, reinferred)


class _Meant(NamedTuple):
    """Everything under the keys of a selection, whatever its times."""

    series: list[HeldSeries]
    records: list[HeldRecords]


def _selected(connection: sa.Connection, selection: Selection) -> _Meant:
    held = sql.held_series(connection, selection.exchange)
    records = held_records(connection, selection.exchange)
    if not records:
        resolve_exchange(connection, selection.exchange)
    symbol = None
    if selection.symbol is not None:
        known = {one.key.symbol for one in held} | {one.key.symbol for one in records}
        symbol = _held_symbol(selection.symbol, known)
        if symbol is None:
            reason = no_such_symbol(selection.symbol, selection.exchange, held)
            raise UnknownSymbolError.of("symbol", reason)
    return _Meant(
        [one for one in held if selection.takes(one.key, symbol)],
        [one for one in records if selection.takes(one.key, symbol)],
    )


def _held_symbol(text: str, known: set[str]) -> str | None:
    """Return the symbol that is held, however it is written; None if there is none."""
    if text in known:
        return text
    try:
        symbol = market_symbol(text)
    except DataImportError:
        return None
    return symbol if symbol in known else None


def _found(
    connection: sa.Connection, selection: Selection, series: list[HeldSeries]
) -> Iterator[tuple[HeldSeries, RemovedRows]]:
    outlines = sql.outlines(connection, selection.exchange, beyond_seals=True)
    for one in series:
        parts = [
            part
            for month in outlines.get(one.id, ())
            if (part := _inside(connection, one, month, selection)) is not None
        ]
        if parts:
            rows, first, last = zip(*parts, strict=True)
            key = one.key
            gone = RemovedRows(key.symbol, key.kind.value, key.timeframe_ms, sum(rows), first[0], last[-1])
            yield one, gone


def _found_records(
    connection: sa.Connection, selection: Selection, records: list[HeldRecords]
) -> Iterator[tuple[HeldRecords, RemovedRows]]:
    for one in records:
        times = [row.from_ms for row in rows_between(connection, one, *selection.span)]
        if times:
            key = one.key
            yield (
                one,
                RemovedRows(key.symbol, key.kind.value, key.timeframe_ms, len(times), min(times), max(times)),
            )


def _inside(
    connection: sa.Connection, series: HeldSeries, month: Outline, selection: Selection
) -> tuple[int, int, int] | None:
    """Return the number of rows meant in a month, and the times of the outermost; None if none are."""
    from_ms, until_ms = selection.span
    if from_ms <= month.first_ms and month.last_ms < until_ms:
        return month.rows, month.first_ms, month.last_ms
    if month.last_ms < from_ms or until_ms <= month.first_ms:
        return None
    times = _month_rows(connection, series, month.first_ms).times
    times = times[(times >= from_ms) & (times < until_ms)]
    return (len(times), int(times[0]), int(times[-1])) if len(times) else None


def _month_rows(connection: sa.Connection, series: HeldSeries, within_ms: int) -> Rows:
    month = int(months(np.array([within_ms], dtype=np.int64))[0])
    [held] = sql.segments(connection, [series], between_months=(month, month), beyond_seals=True)
    return held.rows()


def _remove_settlements(connection: sa.Connection, series: HeldSeries, selection: Selection) -> int:
    from_ms, until_ms = selection.span
    held = read_settlements(connection, series)
    stays = (held.rows.times < from_ms) | (held.rows.times >= until_ms)
    kept = held.at(stays).inferred()
    moved = reinferred_times(held, kept, np.empty(0, dtype=np.int64))
    record_times(connection, series.key, ChangeKind.REINFERRED, moved)
    write_settlements(connection, series, kept, changed_times(held, kept))
    return len(moved)


def _remove_candles(connection: sa.Connection, series: HeldSeries, selection: Selection) -> None:
    from_ms, until_ms = selection.span
    sql.delete_segments(connection, series, from_ms, until_ms)
    for month in sql.outlines(connection, series.key.exchange, beyond_seals=True).get(series.id, ()):
        if month.last_ms < from_ms or until_ms <= month.first_ms:
            continue
        rows = _month_rows(connection, series, month.first_ms)
        kept = np.flatnonzero((rows.times < from_ms) | (rows.times >= until_ms))
        if len(kept) < len(rows):
            sql.put_segment(connection, series, encode(rows[kept]))


def _parsed_series(text: str) -> tuple[SeriesKind | RecordKind, int | None]:
    named = _SERIES.match(text)
    if named is not None and named["kind"] in {*RecordKind} and named["timeframe"] is None:
        return RecordKind(named["kind"]), None
    if named is None or named["kind"] not in {*SeriesKind}:
        kinds = ", ".join((*SeriesKind, *RecordKind))
        raise InvalidInputError.of("series", f"{quoted(text)} is none of {kinds}, nor one such as perp-1h")
    timeframe = named["timeframe"]
    if timeframe is None:
        return SeriesKind(named["kind"]), None
    if named["kind"] == SeriesKind.FUNDING or timeframe not in TIMEFRAMES_MS:
        known = ", ".join(TIMEFRAMES_MS)
        raise InvalidInputError.of("series", f"{quoted(text)} has no candle interval of {known}")
    return SeriesKind(named["kind"]), TIMEFRAMES_MS[timeframe]


def _time_ms(field: str, text: str | None) -> int | None:
    if text is None or text == "":
        return None
    try:
        return parse_time_ms(text)
    except ValueError as error:
        raise InvalidInputError.of(field, str(error)) from None
