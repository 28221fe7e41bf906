"""Binance Vision archives: klines of 12 columns with or without header, and monthly funding rates."""

import re

from bot.data.importers.hints import Hints
from bot.data.importers.parsing import (
    Parsed,
    Settlement,
    candles,
    csv_fields,
    decided,
    funding,
    hinted_candles,
    said,
    timeframe_of,
)
from bot.data.importers.source import Source
from bot.data.importers.text_lines import MAX_SETTLEMENT_LINES
from bot.data.rows import SeriesKind
from bot.data.rules import TIMEFRAMES_MS, RowRefusedError, market_number, time_ms, whole_number
from bot.data.symbols import market_symbol
from bot.errors import DataImportError

KLINE_COLUMNS = 12
FUNDING_HEADER = "calc_time,funding_interval_hours,last_funding_rate"
_KLINE_HEADER = re.compile(r"open_time,open,high,low,close,volume,close_time,", re.ASCII)
_KLINE_ROW = re.compile(r"\d{13}(?:\d{3})?(?:,[0-9.]+){11}\Z", re.ASCII)
_KLINE_STEM = re.compile(r"(?P<market>[A-Z0-9]+)(?:_PERP)?-(?P<timeframe>\d+[mhdw])(?:-[\d-]+)?\Z", re.ASCII)
_FUNDING_STEM = re.compile(r"(?P<market>[A-Z0-9]+)-fundingRate(?:-[\d-]+)?\Z", re.ASCII)
_MICROSECONDS = 16
_NOT_PRICES = ("indexpriceklines", "premiumindexklines")


def recognise(source: Source, _hints: Hints) -> bool:
    """Say whether the first line is a header of Binance Vision, or a kline row of its 12 columns."""
    line = source.first_line
    return line == FUNDING_HEADER or bool(_KLINE_HEADER.match(line) or _KLINE_ROW.match(line))


def parse(source: Source, hints: Hints) -> Parsed:
    """Return the rows; raises DataImportError where neither names nor hints say which market."""
    return _funding(source, hints) if source.first_line == FUNDING_HEADER else _klines(source, hints)


def _klines(source: Source, hints: Hints) -> Parsed:
    named = _KLINE_STEM.match(source.stem)
    with_header = bool(_KLINE_HEADER.match(source.first_line))
    content = hinted_candles(
        source,
        hints,
        symbol=market_symbol(named["market"]) if named else None,
        kind=_kind(source, hints, with_header=with_header),
        timeframe_ms=timeframe_of(source, named["timeframe"]) if named else _shown_timeframe(source),
    )
    rows = source.rows() if with_header else iter(source.lines)
    return candles(content, rows, _candle, source.lines.refusals)


def _funding(source: Source, hints: Hints) -> Parsed:
    named = _FUNDING_STEM.match(source.stem)
    symbol = decided(
        source,
        "symbol",
        said("the file", market_symbol(named["market"]) if named else None),
        said("--symbol", hints.symbol),
    )
    return funding(symbol, source.rows(MAX_SETTLEMENT_LINES), _settlement, source.lines.refusals)


def _kind(source: Source, hints: Hints, *, with_header: bool) -> SeriesKind | None:
    words = {word for place in source.places for word in re.split(r"[^a-z]+", place)}
    if words.intersection(_NOT_PRICES):
        raise DataImportError(f"{source.name} holds an index or a premium, which no leg is traded at")
    if "markpriceklines" in words:
        return SeriesKind.MARK
    if hints.kind is not None:
        return hints.kind
    # An archive or a folder that is named after both markets says nothing.
    spot, perp = "spot" in words, bool({"futures", "um", "cm"} & words)
    if spot != perp:
        return SeriesKind.SPOT if spot else SeriesKind.PERP
    # Only files of the futures market have a header line.
    return SeriesKind.PERP if with_header else None


def _shown_timeframe(source: Source) -> int | None:
    # A kline closes a millisecond (or microsecond) before the next one opens.
    for line in source.head.decode("ascii", "replace").splitlines()[:2]:
        if _KLINE_ROW.match(line):
            opened, closed = line.split(",")[0], line.split(",")[6]
            lasted_ms = (int(closed) + 1 - int(opened)) // (1000 if len(opened) == _MICROSECONDS else 1)
            return lasted_ms if lasted_ms in TIMEFRAMES_MS.values() else None
    return None


def _candle(text: str) -> tuple[int, list[str]]:
    fields = csv_fields(text, KLINE_COLUMNS)
    return _milliseconds(fields[0]), fields[1:6]


def _milliseconds(text: str) -> int:
    if len(text) != _MICROSECONDS:
        return time_ms(text)
    whole_ms, rest = divmod(whole_number(text, "open_time"), 1000)
    if rest:
        raise RowRefusedError(f"open_time {text} is no whole millisecond")
    return time_ms(str(whole_ms))


def _settlement(text: str) -> Settlement:
    stamp, hours, rate = csv_fields(text, 3)
    return Settlement(
        time_ms(stamp),
        market_number(rate, "last_funding_rate"),
        whole_number(hours, "funding_interval_hours"),
        None,
    )
