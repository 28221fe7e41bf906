"""Binance Vision archives: klines of 12 columns with or without header, and monthly funding rates."""

import re
from itertools import pairwise

from bot.errors import DataImportError, UnmodelledContractError
from bot.market.contracts import COIN_MARGINED, Venue
from bot.market.rows import SeriesKind
from bot.market.rules import TIMEFRAMES_MS, RowRefusedError, market_number, time_ms, whole_number
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.files.text_lines import MAX_SETTLEMENT_LINES
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importers.kline_figures import KlineFigures
from bot.market_store.importers.markets import Recorded, named_symbol
from bot.market_store.importers.parsing import (
    Parsed,
    Settlement,
    candles,
    candles_content,
    csv_fields,
    funding,
    timeframe_of,
)
from bot.notation import quoted

KLINE_COLUMNS = 12
FUNDING_HEADER = "calc_time,funding_interval_hours,last_funding_rate"
_KLINE_HEADER = re.compile(r"open_time,open,high,low,close,volume,close_time,", re.ASCII)
_KLINE_ROW = re.compile(r"\d{13}(?:\d{3})?(?:,-?[0-9.]+){11}\Z", re.ASCII)
_KLINE_STEM = re.compile(r"(?P<market>[A-Z0-9_]+)-(?P<timeframe>\d+[mhdw])(?:-[\d-]+)?\Z", re.ASCII)
_FUNDING_STEM = re.compile(r"(?P<market>[A-Z0-9_]+)-fundingRate(?:-[\d-]+)?\Z", re.ASCII)
_MICROSECONDS = 16
_NOT_PRICES = ("indexpriceklines", "premiumindexklines")


def recognise(source: Source, _options: ImportOptions) -> bool:
    """Say whether the first line is a header of Binance Vision, or a kline row of its 12 columns."""
    line = source.first_line
    return line == FUNDING_HEADER or bool(_KLINE_HEADER.match(line) or _KLINE_ROW.match(line))


def parse(source: Source, options: ImportOptions) -> Recorded:
    """Return the rows; raises DataImportError where neither names nor options say which market."""
    if _words(source).intersection(_NOT_PRICES):
        raise DataImportError(f"{source.name} holds an index or a premium, which no leg is traded at")
    parsed = _funding(source, options) if source.first_line == FUNDING_HEADER else _klines(source, options)
    return Recorded((parsed,))


def _klines(source: Source, options: ImportOptions) -> Parsed:
    named = _KLINE_STEM.match(source.stem)
    with_header = bool(_KLINE_HEADER.match(source.first_line))
    kind = _told_kind(source, options)
    # Only files of the futures market have a header line.
    seen = kind or (SeriesKind.PERP if with_header else None)
    symbol = _symbol(source, options, named, seen)
    content = candles_content(
        source,
        options,
        symbol,
        kind=seen,
        timeframe_ms=timeframe_of(source, named["timeframe"]) if named else _shown_timeframe(source),
    )
    figures = KlineFigures()

    def candle(text: str) -> tuple[int, list[str]]:
        fields = csv_fields(text, KLINE_COLUMNS)
        figures.add(fields)
        return _milliseconds(fields[0]), fields[1:6]

    rows = source.rows() if with_header else iter(source.lines)
    parsed = candles(content, rows, candle, source.lines.refusals)
    figures.check(source, kind, options)
    return parsed


def _funding(source: Source, options: ImportOptions) -> Parsed:
    named = _FUNDING_STEM.match(source.stem)
    symbol = _symbol(source, options, named, SeriesKind.FUNDING)
    return funding(symbol, source.rows(MAX_SETTLEMENT_LINES), _settlement, source.lines.refusals)


def _symbol(
    source: Source, options: ImportOptions, named: re.Match[str] | None, kind: SeriesKind | None
) -> str:
    if _of_coin_margined(source):
        name = named["market"] if named else source.stem
        raise UnmodelledContractError(f"{COIN_MARGINED}: {quoted(name)}")
    futures = Venue.UNKNOWN if kind is None else Venue.BINANCE
    venue = Venue.DECLARED if kind is SeriesKind.SPOT else futures
    return named_symbol(source, options, named["market"] if named else None, venue)


def _told_kind(source: Source, options: ImportOptions) -> SeriesKind | None:
    words = _words(source)
    if "markpriceklines" in words:
        return SeriesKind.MARK
    if options.kind is not None:
        return options.kind
    # An archive or a folder that is named after both markets says nothing.
    spot, perp = "spot" in words, bool({"futures", "um"} & words)
    if spot != perp:
        return SeriesKind.SPOT if spot else SeriesKind.PERP
    return None


def _words(source: Source) -> set[str]:
    return {word for place in source.places for word in re.split(r"[^a-z]+", place)}


def _of_coin_margined(source: Source) -> bool:
    # The data site's folder futures/cm; two letters alone could be anybody's folder.
    names = [word for place in reversed(source.places) for word in re.split(r"[^a-z]+", place)]
    return ("futures", "cm") in pairwise(names)


def _shown_timeframe(source: Source) -> int | None:
    # A kline closes a millisecond (or microsecond) before the next one opens.
    for line in source.head.decode("ascii", "replace").splitlines()[:2]:
        if _KLINE_ROW.match(line):
            opened, closed = line.split(",")[0], line.split(",")[6]
            lasted_ms = (int(closed) + 1 - int(opened)) // (1000 if len(opened) == _MICROSECONDS else 1)
            return lasted_ms if lasted_ms in TIMEFRAMES_MS.values() else None
    return None


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
