"""Any other CSV, described by a mapping file."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from operator import itemgetter

from bot.errors import DataImportError
from bot.market.contracts import Venue
from bot.market.rows import CANDLE_COLUMNS, SeriesKind
from bot.market.rules import (
    RowDamagedError,
    RowRefusedError,
    market_number,
    time_ms,
    whole_number,
)
from bot.market.symbols import market_symbol
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.files.text_lines import RefusalLog
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importers.mapping import MAX_SKIPPED_LINES, Mapping
from bot.market_store.importers.markets import (
    MarketRecords,
    Recorded,
    RefusedMarket,
    by_market,
    named_symbol,
    recorded,
    stated_symbol,
)
from bot.market_store.importers.parsing import (
    Parsed,
    Settlement,
    candles,
    candles_content,
    funding,
    quoted_fields,
)
from bot.notation import quoted

_RATE_PLACES = {"fraction": 0, "percent": -2, "bps": -4}


def recognise(source: Source, options: ImportOptions) -> bool:
    """Say whether one of the mappings given fits the header line and the name."""
    return _fitting(source, options) is not None


def parse(source: Source, options: ImportOptions) -> Recorded:
    """Return the rows as the mapping reads them, of each market by itself."""
    found = _fitting(source, options)
    if found is None:
        raise DataImportError(f"no mapping fits the first lines of {source.name}")
    mapping, header = found
    named = _named(source, mapping)
    kind = _kind(source, mapping.kind or named.get("kind"))
    records = _records(source.rows(skip=header), mapping, source.lines.refusals)
    venue = Venue.DECLARED if SeriesKind.SPOT in {kind, options.kind} else mapping.venue
    refused: list[RefusedMarket] = []
    if mapping.symbol is not None:
        markets = [_all(source, stated_symbol(source, options, mapping.symbol, Venue.DECLARED), records)]
    elif "symbol" in mapping.columns:
        markets, refused = by_market(
            source, options, records, itemgetter("symbol"), venue=venue, kind=kind or SeriesKind.PERP
        )
    else:
        markets = [_all(source, named_symbol(source, options, named.get("symbol"), venue), records)]
    timeframe_ms = ImportOptions.parse(timeframe=mapping.timeframe or named.get("timeframe")).timeframe_ms
    parse_market = partial(_parsed, source, options, mapping, kind, timeframe_ms)
    return recorded(markets, refused, parse_market, kind or SeriesKind.PERP)


_Record = dict[str, str]


@dataclass(frozen=True, slots=True)
class _Reader:
    mapping: Mapping
    symbol: str

    def candle(self, record: _Record) -> tuple[int, list[str]]:
        self._check_market(record)
        return self.time_ms(record["time"]), [record[column] for column in CANDLE_COLUMNS]

    def settlement(self, record: _Record) -> Settlement:
        self._check_market(record)
        hours, mark = record.get("interval_hours"), record.get("mark")
        return Settlement(
            self.time_ms(record["time"]),
            market_number(record["rate"], "rate").scaleb(_RATE_PLACES[self.mapping.rate_unit]),
            whole_number(hours, "interval_hours") if hours else None,
            market_number(mark, "mark") if mark else None,
        )

    def time_ms(self, text: str) -> int:
        unit = self.mapping.time_unit
        if unit == "iso":
            return _iso_ms(text, self.mapping)
        return time_ms(text if unit == "ms" else str(_milliseconds(whole_number(text, "time"), unit)))

    def _check_market(self, record: _Record) -> None:
        market = record.get("symbol")
        if self.mapping.symbol is not None and market is not None and _symbol_of(market) != self.symbol:
            raise RowRefusedError(f"symbol {quoted(market)} in a file of {self.symbol}")


def _parsed(
    source: Source,
    options: ImportOptions,
    mapping: Mapping,
    kind: SeriesKind | None,
    timeframe_ms: int | None,
    market: MarketRecords[_Record],
) -> Parsed:
    reader = _Reader(mapping, market.symbol)
    if kind is SeriesKind.FUNDING:
        return funding(market.symbol, market.records, reader.settlement, market.refusals)
    content = candles_content(
        source,
        options,
        market.symbol,
        kind=kind,
        timeframe_ms=timeframe_ms,
        open_ms=_readable_times(reader, market.records),
    )
    return candles(content, market.records, reader.candle, market.refusals)


def _fitting(source: Source, options: ImportOptions) -> tuple[Mapping, int] | None:
    """Return the first mapping that fits name and header, and how many lines come before the header."""
    lines = list(itertools.islice(source.first_lines(), MAX_SKIPPED_LINES + 1)) if options.mappings else []
    for mapping in options.mappings:
        before = [place for place, line in enumerate(lines) if line == mapping.header]
        if mapping.skip_lines is not None:
            before = [place for place in before if place == mapping.skip_lines]
        if before and (mapping.name is None or re.match(mapping.name, source.stem)):
            return mapping, before[0]
    return None


def _named(source: Source, mapping: Mapping) -> dict[str, str]:
    found = re.match(mapping.name, source.stem) if mapping.name else None
    return {} if found is None else {name: text for name, text in found.groupdict().items() if text}


def _kind(source: Source, text: str | None) -> SeriesKind | None:
    if text is not None and text not in [*SeriesKind]:
        known = ", ".join(SeriesKind)
        raise DataImportError(f"{source.name}: kind {quoted(text)}, as its name says, is none of {known}")
    return None if text is None else SeriesKind(text)


def _all(source: Source, symbol: str, records: Iterator[tuple[int, _Record]]) -> MarketRecords[_Record]:
    return MarketRecords(symbol, symbol, source.lines.refusals, list(records))


def _records(
    rows: Iterator[tuple[int, str]], mapping: Mapping, refusals: RefusalLog
) -> Iterator[tuple[int, _Record]]:
    places = {name: mapping.header_columns.index(column) for name, column in mapping.columns.items()}
    width = len(mapping.header_columns)
    held: tuple[int, _Record] | None = None
    for number, text in rows:
        try:
            fields = quoted_fields(text, width, mapping.delimiter)
        except RowDamagedError as error:
            refusals.add_error(number, error)
            continue
        if held is not None:
            yield held
        held = number, {name: fields[place] for name, place in places.items()}
    if held is not None and mapping.drop_last:
        refusals.add(held[0], "the last row is unfinished, says the mapping (drop_last)")
    elif held is not None:
        yield held


def _readable_times(reader: _Reader, records: list[tuple[int, _Record]]) -> Iterator[int]:
    for _, record in records:
        try:
            yield reader.time_ms(record["time"])
        except RowRefusedError:
            continue


def _milliseconds(moment: int, unit: str) -> int:
    if unit == "s":
        return moment * 1000
    whole_ms, rest = divmod(moment, 1000)
    if rest:
        raise RowRefusedError(f"time {moment} is no whole millisecond")
    return whole_ms


def _iso_ms(text: str, mapping: Mapping) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=mapping.zone)
        whole = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RowRefusedError(f"time {quoted(text)} is no ISO date or time") from None
    return time_ms(str(int(whole.timestamp()) * 1000 + whole.microsecond // 1000))


def _symbol_of(market: str) -> str:
    try:
        return market_symbol(market)
    except DataImportError as error:
        raise RowRefusedError(error.message) from None
