"""The canonical CSV form of funding and candles, recognised by its header."""

import re
from array import array
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from bot.data.rows import CANDLE_COLUMNS, Rows, SeriesKind, funding_values
from bot.data.rules import (
    TIMEFRAMES_MS,
    RowRefusedError,
    check_candle,
    check_funding,
    market_number,
    settlement_ms,
    time_ms,
    whole_number,
)
from bot.data.symbols import perp_symbol
from bot.data.text_lines import TextLines
from bot.errors import DataImportError
from bot.timestamps import iso

FUNDING_HEADER = "timestamp_ms,funding_rate,interval_hours,mark_price"
CANDLE_HEADER = "timestamp_ms,open,high,low,close,volume"
_STEM = re.compile(r"(?P<market>[A-Za-z0-9]+)-(?:funding|(?P<leg>spot|perp|mark)-(?P<timeframe>\w+))\Z")
_BATCH = 16_384


@dataclass(frozen=True, slots=True)
class Content:
    """What a file says it records."""

    symbol: str
    kind: SeriesKind
    timeframe_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """The good rows of a file, and the line each came from."""

    rows: Rows
    lines: npt.NDArray[np.int64]


def recognise(header: str, file_name: str) -> Content | None:
    """Return what a file of this header and name records, None if the header is not of this format.

    Raises: DataImportError if the header is, but the name says no market, or another kind of data.
    """
    if header not in {FUNDING_HEADER, CANDLE_HEADER}:
        return None
    stem = file_name.removesuffix(".gz").removesuffix(".csv")
    parts = _STEM.match(stem)
    if not parts or (parts["leg"] is None) != (header == FUNDING_HEADER):
        wanted = "BTCUSDT-funding.csv" if header == FUNDING_HEADER else "BTCUSDT-perp-1h.csv"
        raise DataImportError(f"{file_name} holds columns {header}, but its name is not like {wanted}")
    symbol = perp_symbol(parts["market"].upper())
    if header == FUNDING_HEADER:
        return Content(symbol, SeriesKind.FUNDING, 0)
    if parts["timeframe"] not in TIMEFRAMES_MS:
        known = ", ".join(TIMEFRAMES_MS)
        raise DataImportError(f"{file_name}: candle interval {parts['timeframe']!r} is none of {known}")
    return Content(symbol, SeriesKind(parts["leg"]), TIMEFRAMES_MS[parts["timeframe"]])


def parse(lines: TextLines, content: Content) -> Parsed:
    """Return the good rows of the lines after the header; the others go to the refusals of `lines`."""
    parse_row = (
        _FundingParser() if content.kind is SeriesKind.FUNDING else _CandleParser(content.timeframe_ms)
    )
    parts: list[Rows] = []
    times: list[int] = []
    values: list[tuple[Decimal, ...]] = []
    numbers = array("q")
    for number, text in lines:
        try:
            moment_ms, row = parse_row(text)
        except RowRefusedError as refusal:
            lines.refusals.add(number, str(refusal))
            continue
        times.append(moment_ms)
        values.append(row)
        numbers.append(number)
        if len(times) == _BATCH:
            parts.append(Rows.of(times, values, content.kind))
            times.clear()
            values.clear()
    parts.append(Rows.of(times, values, content.kind))
    return Parsed(Rows.concat(parts, content.kind), np.frombuffer(numbers, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class _CandleParser:
    timeframe_ms: int

    def __call__(self, text: str) -> tuple[int, tuple[Decimal, ...]]:
        fields = _fields(text, CANDLE_HEADER)
        open_ms = time_ms(fields[0])
        values = tuple(map(market_number, fields[1:], CANDLE_COLUMNS))
        check_candle(open_ms, self.timeframe_ms, values)
        return open_ms, values


@dataclass(slots=True)
class _FundingParser:
    # Two stamps that are snapped to one hour are two records, however alike they look.
    recorded_ms: dict[int, int] = field(default_factory=dict)

    def __call__(self, text: str) -> tuple[int, tuple[Decimal, ...]]:
        stamp, rate_text, hours_text, mark_text = _fields(text, FUNDING_HEADER)
        recorded = time_ms(stamp)
        settled = settlement_ms(recorded)
        rate = market_number(rate_text, "funding_rate")
        hours = whole_number(hours_text, "interval_hours")
        mark = market_number(mark_text, "mark_price") if mark_text else None
        check_funding(rate, hours, mark)
        if self.recorded_ms.setdefault(settled, recorded) != recorded:
            raise RowRefusedError(f"settlement {recorded} is the second one of the hour {iso(settled)}")
        return settled, funding_values(rate, hours, mark)


def _fields(text: str, header: str) -> list[str]:
    fields = text.split(",")
    expected = header.count(",") + 1
    if len(fields) != expected:
        raise RowRefusedError(f"{len(fields)} columns instead of {expected}")
    return fields
