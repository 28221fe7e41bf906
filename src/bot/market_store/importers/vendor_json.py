"""Rows of the JSON answers of exchanges: settlements and candles of one or of several markets."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.errors import DataImportError
from bot.market.contracts import Venue
from bot.market.rows import SeriesKind
from bot.market.rules import RowDamagedError, RowRefusedError, market_number, time_ms
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importers.markets import MarketRecords, Recorded, by_market, recorded
from bot.market_store.importers.parsing import Parsed, Settlement, candles, candles_content, funding
from bot.notation import quoted

_NO_VOLUME = ("0",) * 5
"""Volume columns of prices that are no trades."""


@dataclass(frozen=True, slots=True)
class FundingShape:
    """The keys of a funding record, and whose names its markets have.

    `quote` completes a market name that is only a coin.
    """

    venue: Venue
    market: str
    time: str
    rate: str
    mark: str | None = None
    quote: str = ""

    def fits(self, rows: Any) -> bool:
        """Say whether `rows` is a non-empty list of such records."""
        return (
            isinstance(rows, list)
            and bool(rows)
            and isinstance(rows[0], dict)
            and {self.market, self.time, self.rate} <= rows[0].keys()
        )


@dataclass(frozen=True, slots=True)
class CandleShape:
    """Places of a candle's time, prices and, if it has one, volume: positions in a list, or keys."""

    time: int | str
    values: tuple[int, ...] | tuple[str, ...]
    width: int = 0
    finished: tuple[int, str] | None = None


def rows_at(document: Any, *keys: str) -> Any:
    """Return the value under `keys`, None if an object on the way is missing."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def parse_funding(
    source: Source,
    options: ImportOptions,
    rows: Sequence[Any],
    shape: FundingShape,
    read_time: Callable[[str], int] = time_ms,
    read_rate: Callable[[Any], tuple[str, int | None]] | None = None,
) -> Recorded:
    """Return the settlements of `rows`, of each market by itself.

    `read_rate` returns a record's rate and its interval in hours, None where the record does not say it.
    """

    def market_of(row: Any) -> str:
        if not isinstance(row, dict):
            raise RowDamagedError(f"{quoted(row)} is no record of a settlement")
        return text(row, shape.market) + shape.quote

    def settlement(row: Any) -> Settlement:
        mark = text(row, shape.mark) if shape.mark and row.get(shape.mark) else None
        rate, hours = read_rate(row) if read_rate else (text(row, shape.rate), None)
        return Settlement(
            read_time(text(row, shape.time)),
            market_number(rate, shape.rate),
            hours,
            market_number(mark, str(shape.mark)) if mark else None,
        )

    markets, refused = by_market(
        source, options, enumerate(rows, start=1), market_of, venue=shape.venue, kind=SeriesKind.FUNDING
    )
    return recorded(markets, refused, lambda one: funding(one.symbol, one.records, settlement, one.refusals))


def parse_candles(
    source: Source,
    options: ImportOptions,
    market: MarketRecords[Any],
    shape: CandleShape,
    *,
    kind: SeriesKind | None = None,
    timeframe_ms: int | None = None,
) -> Parsed:
    """Return the candles of one market; what the answer does not say comes from the options."""
    content = candles_content(
        source,
        options,
        market.symbol,
        kind=kind,
        timeframe_ms=timeframe_ms,
        open_ms=_readable_times(market.records, shape),
    )

    def candle(row: Any) -> tuple[int, list[str]]:
        if shape.width and (not isinstance(row, list) or len(row) != shape.width):
            raise RowDamagedError(f"{quoted(row)} is no row of {shape.width} values")
        if shape.finished and row[shape.finished[0]] != shape.finished[1]:
            raise RowRefusedError("the candle was not finished when it was recorded")
        values = [text(row, place, empty="0") for place in shape.values]
        return time_ms(text(row, shape.time)), [*values, *_NO_VOLUME[len(values) :]]

    return candles(content, market.records, candle, market.refusals)


def text(row: Any, place: int | str, empty: str = "") -> str:
    """Return a value of a record as its text; raises RowRefusedError if there is none."""
    try:
        value = row[place]
    except (KeyError, IndexError, TypeError):
        raise RowRefusedError(f"{place} is missing") from None
    if isinstance(value, dict | list):
        raise RowRefusedError(f"{place} is no single value")
    return empty if value is None else str(value)


def stated(source: Source, record: Any, key: str) -> str:
    """Return a fact that a file states about all its rows, as text; raises DataImportError if it does not."""
    try:
        return text(record, key)
    except RowRefusedError as refusal:
        raise DataImportError(f"{source.name}: {refusal}") from None


def _readable_times(records: Iterable[tuple[int, Any]], shape: CandleShape) -> Iterable[int]:
    for _, row in records:
        try:
            yield time_ms(text(row, shape.time))
        except RowRefusedError:
            continue
