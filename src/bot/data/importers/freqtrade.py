"""freqtrade's data folder: candles and funding as feather, or as JSON lists of candles."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from bot.data.importers.feather import MAGIC, read_columns
from bot.data.importers.hints import Hints
from bot.data.importers.parsing import Parsed, Settlement, candles, funding, hinted_candles, timeframe_of
from bot.data.importers.source import Source
from bot.data.rows import CANDLE_COLUMNS, SeriesKind
from bot.data.rules import RowDamagedError, market_number, shown, time_ms
from bot.data.symbols import market_symbol
from bot.wording import counted

_STEM = re.compile(
    r"(?P<base>[A-Za-z0-9]+)_(?P<quote>[A-Z0-9]+)(?:_(?P<settle>[A-Z0-9]+))?"
    r"-(?P<timeframe>\d+[mhdw])(?:-(?P<type>futures|mark|funding_rate|spot))?\Z",
    re.ASCII,
)
_KINDS = {
    None: SeriesKind.SPOT,
    "spot": SeriesKind.SPOT,
    "futures": SeriesKind.PERP,
    "mark": SeriesKind.MARK,
}


def recognise(source: Source, _hints: Hints) -> bool:
    """Say whether it is an Arrow file, or a JSON list of candles in a file of freqtrade's naming."""
    if source.head.startswith(MAGIC):
        return True
    return bool(_STEM.match(source.stem)) and is_candle_list(source.document(), 6)


def parse(source: Source, hints: Hints) -> Parsed:
    """Return the rows; of funding the rate is in the column `open`, the interval in the times."""
    named = _STEM.match(source.stem)
    records = list(enumerate(_records(source), start=1))
    symbol = market_symbol(f"{named['base']}/{named['quote']}") if named else None
    if named and named["type"] == "funding_rate":
        return funding(str(symbol), records, _settlement, source.lines.refusals)
    content = hinted_candles(
        source,
        hints,
        symbol=symbol,
        kind=_KINDS[named["type"]] if named else None,
        timeframe_ms=timeframe_of(source, named["timeframe"]) if named else None,
    )
    return candles(content, records, _candle, source.lines.refusals)


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
        raise RowDamagedError(f"{shown(record)} is no row of values")
    if not least <= len(record) <= 6:
        raise RowDamagedError(f"{counted(len(record), 'value')} instead of 6")
