"""freqtrade's data folder: candles and funding as feather, or as JSON lists of candles."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from bot.errors import DataImportError
from bot.market.contracts import Venue
from bot.market.rows import CANDLE_COLUMNS, SeriesKind
from bot.market.rules import RowDamagedError, market_number, time_ms
from bot.market_store.importers.files.feather import MAGIC, read_columns
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importers.markets import Recorded, named_symbol
from bot.market_store.importers.parsing import Settlement, candles, candles_content, funding, timeframe_of
from bot.notation import quoted
from bot.plurals import counted

_STEM = re.compile(
    r"(?P<base>[A-Za-z0-9]+)_(?P<quote>[A-Z0-9]+)(?:_(?P<settle>[A-Z0-9]+)(?:-(?P<expiry>\d{6}))?)?"
    r"-(?P<timeframe>\d+[mhdw])(?:-(?P<type>futures|mark|funding_rate|spot|index|premiumIndex))?\Z",
    re.ASCII,
)
_NOT_PRICES = frozenset({"index", "premiumIndex"})
_KINDS = {
    None: SeriesKind.SPOT,
    "spot": SeriesKind.SPOT,
    "futures": SeriesKind.PERP,
    "mark": SeriesKind.MARK,
}


def recognise(source: Source, _options: ImportOptions) -> bool:
    """Say whether it is an Arrow file, or a JSON list of candles in a file of freqtrade's naming."""
    if source.head.startswith(MAGIC):
        return True
    return bool(_STEM.match(source.stem)) and is_candle_list(source.document(), 6)


def parse(source: Source, options: ImportOptions) -> Recorded:
    """Return the rows; of funding the rate is in the column `open`, the interval in the times."""
    named = _STEM.match(source.stem)
    if named and named["type"] in _NOT_PRICES:
        raise DataImportError(f"{source.name} holds an index or a premium, which no leg is traded at")
    kind = _KINDS.get(named["type"]) if named else None
    spot = SeriesKind.SPOT in {kind, options.kind}
    venue = Venue.DECLARED if spot else Venue.UNKNOWN
    symbol = named_symbol(source, options, _market(named) if named else None, venue)
    records = list(enumerate(_records(source), start=1))
    if named and named["type"] == "funding_rate":
        return Recorded((funding(symbol, records, _settlement, source.lines.refusals),))
    content = candles_content(
        source,
        options,
        symbol,
        kind=kind,
        timeframe_ms=timeframe_of(source, named["timeframe"]) if named else None,
    )
    return Recorded((candles(content, records, _candle, source.lines.refusals),))


def _market(named: re.Match[str]) -> str:
    settle = f":{named['settle']}" if named["settle"] else ""
    expiry = f"-{named['expiry']}" if named["expiry"] else ""
    return f"{named['base']}/{named['quote']}{settle}{expiry}"


def is_candle_list(document: Any, width: int) -> bool:
    """Say whether a JSON document is a non-empty list of rows of `width` numbers, the first a time."""
    if not isinstance(document, list) or not document:
        return False
    first = document[0]
    return isinstance(first, list) and len(first) == width and isinstance(first[0], str)


def _records(source: Source) -> Iterator[Sequence[Any]]:
    if source.head.startswith(MAGIC):
        columns = read_columns(source, ("date", *CANDLE_COLUMNS))
        return zip(*columns.values(), strict=True)
    return iter(source.document())


def _candle(record: Sequence[Any]) -> tuple[int, list[str]]:
    _check_row(record, least=6)
    *prices, volume = record[1:]
    # Mark candles have no volume; freqtrade writes null.
    return time_ms(str(record[0])), [*map(str, prices), "0" if volume is None else str(volume)]


def _settlement(record: Sequence[Any]) -> Settlement:
    _check_row(record, least=2)
    return Settlement(time_ms(str(record[0])), market_number(str(record[1]), "open"), None, None)


def _check_row(record: Sequence[Any], *, least: int) -> None:
    # A row of a JSON document may be anything.
    if not isinstance(record, list | tuple):
        raise RowDamagedError(f"{quoted(record)} is no row of values")
    if not least <= len(record) <= 6:
        raise RowDamagedError(f"{counted(len(record), 'value')} instead of 6")
