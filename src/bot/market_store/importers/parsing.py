"""Checked rows from records of any format, shared by all importers."""

import csv
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple, TypeVar

import numpy as np

from bot.errors import DataImportError
from bot.market.rows import CANDLE_COLUMNS, Rows, SeriesKind, funding_values
from bot.market.rules import (
    TIMEFRAMES_MS,
    RowDamagedError,
    RowRefusedError,
    check_candle,
    check_funding,
    market_number,
    settlement_ms,
)
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.files.text_lines import RefusalLog
from bot.market_store.importers.import_options import OPTIONS_EXAMPLE, ImportOptions
from bot.notation import quoted
from bot.numbers.arrays import BoolArray, IntArray
from bot.plurals import counted
from bot.timestamps import iso

_BATCH = 16_384
T = TypeVar("T")
Numbered = Iterable[tuple[int, T]]
Values = tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """Series that a file records."""

    symbol: str
    kind: SeriesKind
    timeframe_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """Parsed series of a file: its good rows, and the line each came from; `notes` say what was assumed.

    `jitter_ms` is how far each settlement was off its hour; empty for candles. `refusals` has the lines of
    which no row was made.
    """

    content: Content
    rows: Rows
    lines: IntArray
    notes: tuple[str, ...] = ()
    jitter_ms: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    refusals: RefusalLog = field(default_factory=RefusalLog)

    def at(self, index: BoolArray) -> "Parsed":
        """Return the rows where `index` is true."""
        jitter_ms = self.jitter_ms[index] if len(self.jitter_ms) else self.jitter_ms
        return replace(self, rows=self.rows[index], lines=self.lines[index], jitter_ms=jitter_ms)


class Settlement(NamedTuple):
    """A funding record as recorded: `hours` is None where the vendor does not state the interval."""

    recorded_ms: int
    rate: Decimal
    hours: int | None
    mark: Decimal | None


def decided(source: Source, what: str, *answers: tuple[str, T | None]) -> T:
    """Return the one answer given by those who answer (name, value).

    Raises: DataImportError if two differ, or none is given.
    """
    given = [(who, value) for who, value in answers if value is not None]
    if not given:
        raise DataImportError(f"{source.name} does not say its {what}; add {OPTIONS_EXAMPLE} as needed")
    for who, value in given[1:]:
        if value != given[0][1]:
            raise DataImportError(
                f"{source.name}: {given[0][0]} says {what} {given[0][1]}, but {who} says {value}"
            )
    return given[0][1]


def csv_fields(text: str, expected: int, delimiter: str = ",") -> list[str]:
    """Return the fields of an unquoted line; raises RowDamagedError for another number of them."""
    fields = text.split(delimiter)
    if len(fields) != expected:
        raise RowDamagedError(f"{counted(len(fields), 'column')} instead of {expected}")
    return fields


def quoted_fields(text: str, expected: int, delimiter: str = ",") -> list[str]:
    """Return the fields of a line that may be quoted; raises RowDamagedError for another number of them."""
    try:
        fields = next(csv.reader([text], delimiter=delimiter))
    except csv.Error as error:
        raise RowDamagedError(str(error).partition(" - ")[0]) from None
    if len(fields) != expected:
        raise RowDamagedError(f"{counted(len(fields), 'column')} instead of {expected}")
    return fields


def timeframe_of(source: Source, text: str) -> int:
    """Return the ms of a candle interval such as `1h`; raises DataImportError."""
    if text not in TIMEFRAMES_MS:
        known = ", ".join(TIMEFRAMES_MS)
        raise DataImportError(f"{source.name}: candle interval {quoted(text)} is none of {known}")
    return TIMEFRAMES_MS[text]


def candles(
    content: Content,
    records: Numbered[T],
    parse_record: Callable[[T], tuple[int, Sequence[str]]],
    refusals: RefusalLog,
) -> Parsed:
    """Return the good candles among `records`: open time in ms UTC, and the five values as text."""
    parts: list[Rows] = []
    times: list[int] = []
    values: list[Values] = []
    numbers = array("q")
    for number, record in records:
        try:
            open_ms, texts = parse_record(record)
            row = tuple(map(market_number, texts, CANDLE_COLUMNS))
            check_candle(open_ms, content.timeframe_ms, row)
        except RowRefusedError as refusal:
            refusals.add_error(number, refusal)
            continue
        times.append(open_ms)
        values.append(row)
        numbers.append(number)
        if len(times) == _BATCH:
            parts.append(Rows.of(times, values, content.kind))
            times.clear()
            values.clear()
    parts.append(Rows.of(times, values, content.kind))
    rows, lines = Rows.concat(parts, content.kind), np.frombuffer(numbers, dtype=np.int64)
    return Parsed(content, rows, lines, refusals=refusals)


def inferred_timeframe(source: Source, open_ms: Iterable[int]) -> int:
    """Return the candle interval that ascending or descending open times show: the smallest step.

    Raises: DataImportError if that is no known interval.
    """
    times = np.unique(np.fromiter(open_ms, dtype=np.int64))
    steps = np.diff(times)
    if not len(steps) or int(steps.min()) not in TIMEFRAMES_MS.values():
        raise DataImportError(
            f"{source.name} does not say its candle interval; add {OPTIONS_EXAMPLE} as needed"
        )
    return int(steps.min())


def funding(
    symbol: str,
    records: Numbered[T],
    parse_record: Callable[[T], Settlement],
    refusals: RefusalLog,
) -> Parsed:
    """Return the good settlements among `records`, snapped to their hour; interval 0 is one not stated."""
    taken = _Settlements()
    for number, record in records:
        try:
            taken.add(number, parse_record(record))
        except RowRefusedError as refusal:
            refusals.add_error(number, refusal)
    times, values, numbers, jitter_ms = taken.finished()
    content = Content(symbol, SeriesKind.FUNDING, 0)
    notes = ("interval_hours inferred from the settlements",) if taken.silent else ()
    rows = Rows.of(times, values, content.kind)
    lines = np.array(numbers, dtype=np.int64)
    return Parsed(content, rows, lines, notes, np.array(jitter_ms, dtype=np.int64), refusals)


class _Settlements:
    def __init__(self) -> None:
        self._recorded_ms: dict[int, int] = {}
        self._taken: list[tuple[int, int, Settlement]] = []

    def add(self, number: int, record: Settlement) -> None:
        settled = settlement_ms(record.recorded_ms)
        check_funding(record.rate, record.hours, record.mark)
        # Two stamps that are snapped to one hour are two records, however alike they look.
        if self._recorded_ms.setdefault(settled, record.recorded_ms) != record.recorded_ms:
            hour = iso(settled)
            raise RowRefusedError(f"settlement {record.recorded_ms} is the second one of the hour {hour}")
        self._taken.append((number, settled, record))

    @property
    def silent(self) -> bool:
        """True if the interval of a settlement is not stated."""
        return any(record.hours is None for _, _, record in self._taken)

    def finished(self) -> tuple[list[int], list[Values], list[int], list[int]]:
        times, values, numbers, jitter_ms = [], [], [], []
        for number, settled, record in self._taken:
            times.append(settled)
            values.append(funding_values(record.rate, record.hours or 0, record.mark))
            numbers.append(number)
            jitter_ms.append(abs(record.recorded_ms - settled))
        return times, values, numbers, jitter_ms


def said(name: str, value: T | None) -> tuple[str, T | None]:
    """Return an answer for `decided`."""
    return name, value


def candles_content(
    source: Source,
    options: ImportOptions,
    symbol: str,
    *,
    kind: SeriesKind | None = None,
    timeframe_ms: int | None = None,
    open_ms: Iterable[int] = (),
) -> Content:
    """Return the candle series of `symbol` in a file: as it says itself (the arguments), else by the options.

    Raises: DataImportError where both are silent, or contradict each other.
    """
    given = [said("the file", timeframe_ms), said("--timeframe", options.timeframe_ms)]
    if timeframe_ms is None and options.timeframe_ms is None:
        given = [said("its candles", inferred_timeframe(source, open_ms))]
    return Content(
        symbol,
        decided(source, "kind", said("the file", kind), said("--kind", options.kind)),
        decided(source, "candle interval", *given),
    )
