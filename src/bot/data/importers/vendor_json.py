"""What the JSON answers of exchanges have in common: rows of one market, under some keys."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.data.importers.hints import Hints
from bot.data.importers.parsing import Parsed, Settlement, candles, decided, funding, hinted_candles, said
from bot.data.importers.source import Source
from bot.data.rows import SeriesKind
from bot.data.rules import RowDamagedError, RowRefusedError, market_number, shown, time_ms
from bot.data.symbols import market_symbol
from bot.errors import DataImportError


@dataclass(frozen=True, slots=True)
class FundingShape:
    """The keys of a funding record; `quote` completes a market name that is only a coin."""

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
    """Where a candle's time, prices and volume are: positions of a list, or keys of an object."""

    time: int | str
    values: tuple[int, ...] | tuple[str, ...]
    width: int = 0
    finished: tuple[int, str] | None = None


def rows_at(document: Any, *keys: str) -> Any:
    """Return what lies under `keys`, None where an object on the way is missing."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def parse_funding(
    source: Source,
    hints: Hints,
    rows: Sequence[Any],
    shape: FundingShape,
    read_time: Callable[[str], int] = time_ms,
) -> Parsed:
    """Return the settlements of `rows`; those of another market than the first one's are refused."""
    first = market_symbol(stated(source, rows[0], shape.market) + shape.quote)
    symbol = decided(source, "symbol", said("the file", first), said("--symbol", hints.symbol))

    def settlement(row: Any) -> Settlement:
        if not isinstance(row, dict):
            raise RowDamagedError(f"{shown(row)} is no record of a settlement")
        market = text(row, shape.market)
        if market_symbol(market + shape.quote) != symbol:
            raise RowRefusedError(f"{shape.market} {market!r} in a file of {symbol}")
        mark = text(row, shape.mark) if shape.mark and row.get(shape.mark) else None
        return Settlement(
            read_time(text(row, shape.time)),
            market_number(text(row, shape.rate), shape.rate),
            None,
            market_number(mark, str(shape.mark)) if mark else None,
        )

    return funding(symbol, enumerate(rows, start=1), _domain(settlement), source.lines.refusals)


def parse_candles(
    source: Source,
    hints: Hints,
    rows: Sequence[Any],
    shape: CandleShape,
    *,
    symbol: str | None = None,
    kind: SeriesKind | None = None,
    timeframe_ms: int | None = None,
) -> Parsed:
    """Return the candles of `rows`; what the answer does not say comes from the hints."""
    content = hinted_candles(
        source,
        hints,
        symbol=symbol,
        kind=kind,
        timeframe_ms=timeframe_ms,
        open_ms=_readable_times(rows, shape),
    )

    def candle(row: Any) -> tuple[int, list[str]]:
        if shape.width and (not isinstance(row, list) or len(row) != shape.width):
            raise RowDamagedError(f"{shown(row)} is no row of {shape.width} values")
        if shape.finished and row[shape.finished[0]] != shape.finished[1]:
            raise RowRefusedError("the candle was not finished when it was recorded")
        return time_ms(text(row, shape.time)), [text(row, place, empty="0") for place in shape.values]

    return candles(content, enumerate(rows, start=1), candle, source.lines.refusals)


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
    """Return what a file says about all its rows, as text; raises DataImportError if it does not."""
    try:
        return text(record, key)
    except RowRefusedError as refusal:
        raise DataImportError(f"{source.name}: {refusal}") from None


def _readable_times(rows: Iterable[Any], shape: CandleShape) -> Iterable[int]:
    for row in rows:
        try:
            yield time_ms(text(row, shape.time))
        except RowRefusedError:
            continue


def _domain(parse: Callable[[Any], Settlement]) -> Callable[[Any], Settlement]:
    def refusing(row: Any) -> Settlement:
        try:
            return parse(row)
        except DataImportError as error:
            raise RowRefusedError(error.message) from None

    return refusing
