"""Any other CSV, described by a mapping file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.data.importers.hints import Hints
from bot.data.importers.mapping import Mapping
from bot.data.importers.parsing import (
    Parsed,
    Settlement,
    candles,
    decided,
    funding,
    hinted_candles,
    quoted_fields,
    said,
)
from bot.data.importers.source import Source
from bot.data.importers.text_lines import RefusalLog
from bot.data.rows import CANDLE_COLUMNS, SeriesKind
from bot.data.rules import RowDamagedError, RowRefusedError, market_number, shown, time_ms, whole_number
from bot.data.symbols import market_symbol
from bot.errors import DataImportError

_RATE_PLACES = {"fraction": 0, "percent": -2, "bps": -4}


def recognise(source: Source, hints: Hints) -> bool:
    """Say whether one of the mappings given fits the first line and the name."""
    return _fitting(source, hints) is not None


def parse(source: Source, hints: Hints) -> Parsed:
    """Return the rows as the mapping reads them."""
    mapping = _fitting(source, hints)
    if mapping is None:
        raise DataImportError(f"no mapping fits the first line of {source.name}")
    named = _named(source, mapping)
    records = list(_records(source.rows(), mapping, source.lines.refusals))
    reader = _Reader(mapping, _symbol(source, hints, mapping, named, records))
    kind = mapping.kind or named.get("kind")
    if kind == SeriesKind.FUNDING:
        return funding(reader.symbol, records, reader.settlement, source.lines.refusals)
    timeframe = mapping.timeframe or named.get("timeframe")
    content = hinted_candles(
        source,
        hints,
        symbol=reader.symbol,
        kind=SeriesKind(kind) if kind else None,
        timeframe_ms=Hints.parse(timeframe=timeframe).timeframe_ms,
        open_ms=_readable_times(reader, records),
    )
    return candles(content, records, reader.candle, source.lines.refusals)


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
        if market is not None and _symbol_of(market) != self.symbol:
            raise RowRefusedError(f"symbol {market!r} in a file of {self.symbol}")


def _fitting(source: Source, hints: Hints) -> Mapping | None:
    for mapping in hints.mappings:
        named = mapping.name is None or re.match(mapping.name, source.stem)
        if source.first_line == mapping.header and named:
            return mapping
    return None


def _named(source: Source, mapping: Mapping) -> dict[str, str]:
    found = re.match(mapping.name, source.stem) if mapping.name else None
    return {} if found is None else {name: text for name, text in found.groupdict().items() if text}


def _symbol(
    source: Source, hints: Hints, mapping: Mapping, named: dict[str, str], records: list[tuple[int, _Record]]
) -> str:
    told = mapping.symbol or named.get("symbol") or (records[0][1].get("symbol") if records else None)
    in_file = market_symbol(told) if told else None
    return decided(source, "symbol", said("the file", in_file), said("--symbol", hints.symbol))


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
        raise RowRefusedError(f"time {shown(text)} is no ISO date or time") from None
    return time_ms(str(int(whole.timestamp()) * 1000 + whole.microsecond // 1000))


def _symbol_of(market: str) -> str:
    try:
        return market_symbol(market)
    except DataImportError as error:
        raise RowRefusedError(error.message) from None
