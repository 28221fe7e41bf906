"""The canonical CSV form of funding and candles, recognised by its header."""

import re

from bot.data.importers.hints import Hints
from bot.data.importers.parsing import Content, Parsed, Settlement, candles, csv_fields, funding, timeframe_of
from bot.data.importers.source import Source
from bot.data.importers.text_lines import MAX_SETTLEMENT_LINES
from bot.data.rows import SeriesKind
from bot.data.rules import market_number, time_ms, whole_number
from bot.data.symbols import market_symbol
from bot.errors import DataImportError

FUNDING_HEADER = "timestamp_ms,funding_rate,interval_hours,mark_price"
CANDLE_HEADER = "timestamp_ms,open,high,low,close,volume"
_STEM = re.compile(r"(?P<market>[A-Za-z0-9]+)-(?:funding|(?P<leg>spot|perp|mark)-(?P<timeframe>\w+))\Z")


def recognise(source: Source, _hints: Hints) -> bool:
    """Say whether the first line is one of the two headers."""
    return source.first_line in {FUNDING_HEADER, CANDLE_HEADER}


def parse(source: Source, _hints: Hints) -> Parsed:
    """Return the rows after the header; raises DataImportError if the name does not go with it."""
    header = source.first_line
    parts = _STEM.match(source.stem)
    if not parts or (parts["leg"] is None) != (header == FUNDING_HEADER):
        wanted = "BTCUSDT-funding.csv" if header == FUNDING_HEADER else "BTCUSDT-perp-1h.csv"
        raise DataImportError(f"{source.name} holds columns {header}, but its name is not like {wanted}")
    symbol = market_symbol(parts["market"])
    if header == FUNDING_HEADER:
        return funding(symbol, source.rows(MAX_SETTLEMENT_LINES), _settlement, source.lines.refusals)
    timeframe_ms = timeframe_of(source, parts["timeframe"])
    content = Content(symbol, SeriesKind(parts["leg"]), timeframe_ms)
    return candles(content, source.rows(), _candle, source.lines.refusals)


def _candle(text: str) -> tuple[int, list[str]]:
    fields = csv_fields(text, 6)
    return time_ms(fields[0]), fields[1:]


def _settlement(text: str) -> Settlement:
    stamp, rate, hours, mark = csv_fields(text, 4)
    return Settlement(
        time_ms(stamp),
        market_number(rate, "funding_rate"),
        whole_number(hours, "interval_hours"),
        market_number(mark, "mark_price") if mark else None,
    )
