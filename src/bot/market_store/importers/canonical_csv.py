"""The canonical CSV form of funding and candles, recognised by its header."""

import re

from bot.errors import DataImportError
from bot.market.rows import SeriesKind
from bot.market.rules import market_number, time_ms, whole_number
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.files.text_lines import MAX_SETTLEMENT_LINES
from bot.market_store.importers.import_options import OPTIONS_EXAMPLE, ImportOptions
from bot.market_store.importers.markets import Recorded, canonical_symbol
from bot.market_store.importers.parsing import (
    Settlement,
    candles,
    candles_content,
    csv_fields,
    funding,
    timeframe_of,
)

FUNDING_HEADER = "timestamp_ms,funding_rate,interval_hours,mark_price"
CANDLE_HEADER = "timestamp_ms,open,high,low,close,volume"
_STEM = re.compile(r"(?P<market>[A-Za-z0-9_.-]+?)-(?:funding|(?P<leg>spot|perp|mark)-(?P<timeframe>\w+))\Z")


def recognise(source: Source, _options: ImportOptions) -> bool:
    """Say whether the first line is one of the two headers."""
    return source.first_line in {FUNDING_HEADER, CANDLE_HEADER}


def parse(source: Source, options: ImportOptions) -> Recorded:
    """Return the rows after the header; raises DataImportError if neither name nor options say of what."""
    header = source.first_line
    parts = _STEM.match(source.stem)
    if parts and (parts["leg"] is None) != (header == FUNDING_HEADER):
        parts = None
    if not parts and (options.symbol is None or (header == CANDLE_HEADER and options.kind is None)):
        wanted = "BTCUSDT-funding.csv" if header == FUNDING_HEADER else "BTCUSDT-perp-1h.csv"
        raise DataImportError(
            f"{source.name} holds columns {header}, but its name is not like {wanted}; "
            f"rename it or add {OPTIONS_EXAMPLE}"
        )
    market, leg = (parts["market"], parts["leg"]) if parts else (None, None)
    symbol = canonical_symbol(source, options, market, of_spot=leg == SeriesKind.SPOT)
    refusals = source.lines.refusals
    if header == FUNDING_HEADER:
        return Recorded((funding(symbol, source.rows(MAX_SETTLEMENT_LINES), _settlement, refusals),))
    content = candles_content(
        source,
        options,
        symbol,
        kind=SeriesKind(parts["leg"]) if parts else None,
        timeframe_ms=timeframe_of(source, parts["timeframe"]) if parts else None,
    )
    return Recorded((candles(content, source.rows(), _candle, refusals),))


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
