"""Files of what is recorded beside candles and funding: `BTCUSDT-borrow.csv`, `fees.json` and the like.

Their kinds, and the rules of their rows, are those of `RECORD_TYPES`. One bad row refuses the file: a rate or
a bracket too few would change every number that follows.
"""

import re
from collections.abc import Iterator
from typing import Any

from bot.errors import DataImportError, NoMarketDataError
from bot.market.records.kinds import RECORD_TYPES, RecordKind, RecordType
from bot.market.rules import RowRefusedError
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.files.text_lines import MAX_SETTLEMENT_LINES
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importers.markets import ParsedRecords, Recorded, canonical_symbol
from bot.market_store.importers.parsing import csv_fields
from bot.notation import quoted

_OF_MARKETS = [kind.value for kind, one in RECORD_TYPES.items() if not one.of_exchange]
_OF_EXCHANGES = {kind.value: one for kind, one in RECORD_TYPES.items() if one.of_exchange}
_STEM = re.compile(rf"(?P<market>[A-Za-z0-9_.-]+?)-(?P<kind>{'|'.join(_OF_MARKETS)})\Z")
_HEADERS = {",".join(one.fields): one for one in RECORD_TYPES.values() if one.csv}


def recognise(source: Source, _options: ImportOptions) -> bool:
    """Say whether the name of the file or its header is that of a kind."""
    return _type_of(source) is not None


def parse(source: Source, options: ImportOptions) -> Recorded:
    """Return the rows of the file; raises DataImportError naming row, field and value of a bad one."""
    kind = _type_of(source)
    if kind is None:
        raise NoMarketDataError(f"{source.name} holds no recorded rows")
    symbol = "" if kind.of_exchange else _symbol(source, options, kind.kind)
    numbered = [*(_csv_rows if kind.csv else _json_rows)(source, kind)]
    rows = [_parsed(source, kind, place, values) for place, values in numbered]
    places = tuple(place for place, _ in numbered)
    return Recorded((), records=(ParsedRecords(symbol, kind.kind, tuple(rows), places),))


def _symbol(source: Source, options: ImportOptions, kind: RecordKind) -> str:
    named = _STEM.match(source.stem)
    market = named["market"] if named else None
    return canonical_symbol(source, options, market, of_spot=kind is RecordKind.BORROW)


def _type_of(source: Source) -> RecordType | None:
    named = _STEM.match(source.stem)
    if named is not None:
        return RECORD_TYPES[RecordKind(named["kind"])]
    return _OF_EXCHANGES.get(source.stem) or _HEADERS.get(source.first_line)


def _csv_rows(source: Source, kind: RecordType) -> Iterator[tuple[str, object]]:
    header = ",".join(kind.fields)
    if source.first_line != header:
        raise DataImportError(
            f"{source.name} begins with {quoted(source.first_line[:60])}, not with {header}"
        )
    for number, line in source.rows(MAX_SETTLEMENT_LINES):
        place = f"line {number}"
        try:
            yield place, dict(zip(kind.fields, csv_fields(line, len(kind.fields)), strict=True))
        except RowRefusedError as error:
            raise DataImportError(f"{source.name}: {place}: {error}") from None


def _json_rows(source: Source, kind: RecordType) -> Iterator[tuple[str, object]]:
    document: object = source.document()
    if kind.rows_under is not None:
        if not isinstance(document, dict) or document.keys() != {kind.rows_under}:
            raise DataImportError(f"{source.name} is no JSON object with {quoted(kind.rows_under)} alone")
        document = document[kind.rows_under]
    if not isinstance(document, list):
        raise DataImportError(f"{source.name} is no JSON list of objects with {', '.join(kind.fields)}")
    if len(document) > MAX_SETTLEMENT_LINES:
        raise DataImportError(f"{source.name} has more than {MAX_SETTLEMENT_LINES:,} rows; split it")
    for number, values in enumerate(document, 1):
        yield f"row {number}", values


def _parsed(source: Source, kind: RecordType, place: str, values: object) -> Any:
    try:
        return kind.parse(values)
    except RowRefusedError as error:
        raise DataImportError(f"{source.name}: {place}: {error}") from None
