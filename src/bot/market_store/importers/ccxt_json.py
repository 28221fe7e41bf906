"""Dumps of ccxt's unified answers: lists of candles and funding rate histories, bare or by symbol."""

from typing import Any

from bot.market.contracts import Venue
from bot.market.rows import SeriesKind
from bot.market.rules import RowRefusedError
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.freqtrade import is_candle_list
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importers.kline_figures import prices_without_trades
from bot.market_store.importers.markets import (
    MarketRecords,
    Recorded,
    all_of,
    by_market,
    named_symbol,
    recorded,
)
from bot.market_store.importers.parsing import Parsed
from bot.market_store.importers.vendor_json import (
    CandleShape,
    FundingShape,
    parse_candles,
    parse_funding,
    text,
)

_FUNDING = FundingShape(Venue.UNKNOWN, "symbol", "timestamp", "fundingRate", mark="markPrice")
_CANDLES = CandleShape(0, (1, 2, 3, 4, 5), width=6)
_VOLUME = 5


def recognise(source: Source, _options: ImportOptions) -> bool:
    """Say whether it is one of the two lists, or an object of such lists by symbol."""
    document = source.document()
    lists = _by_symbol(document) or {"": document}
    return any(_FUNDING.fits(rows) or is_candle_list(rows, _CANDLES.width) for rows in lists.values())


def parse(source: Source, options: ImportOptions) -> Recorded:
    """Return the rows; a bare list of candles does not say its market, the options must."""
    document = source.document()
    lists = _by_symbol(document)
    if lists is None:
        if _FUNDING.fits(document):
            return _funding(source, options, document)
        market = all_of(source, named_symbol(source, options, None), document)
        return Recorded((_candles(source, options, market),))
    rows = [(symbol, row) for symbol, rows in lists.items() for row in rows]
    if any(map(_FUNDING.fits, lists.values())):
        return _funding(source, options, [row for _, row in rows])
    venue = Venue.DECLARED if options.kind is SeriesKind.SPOT else Venue.UNKNOWN
    kind = options.kind or SeriesKind.PERP
    markets, refused = by_market(
        source, options, enumerate(rows, start=1), lambda row: row[0], venue=venue, kind=kind
    )
    return recorded(markets, refused, lambda one: _candles(source, options, _without_symbols(one)), kind)


def _by_symbol(document: Any) -> dict[str, list[Any]] | None:
    if not isinstance(document, dict) or not document:
        return None
    return (
        document if all("/" in name and isinstance(rows, list) for name, rows in document.items()) else None
    )


def _funding(source: Source, options: ImportOptions, rows: list[Any]) -> Recorded:
    return parse_funding(source, options, rows, _FUNDING, read_rate=_rate)


def _without_symbols(market: MarketRecords[tuple[str, Any]]) -> MarketRecords[Any]:
    records = [(number, row) for number, (_, row) in market.records]
    return MarketRecords(market.name, market.symbol, market.refusals, records)


def _candles(source: Source, options: ImportOptions, market: MarketRecords[Any]) -> Parsed:
    without = all(
        isinstance(row, list) and len(row) > _VOLUME and row[_VOLUME] is None for _, row in market.records
    )
    if without and options.kind is not SeriesKind.MARK:
        raise prices_without_trades(source)
    return parse_candles(source, options, market, _CANDLES)


def _rate(row: Any) -> tuple[str, int | None]:
    """Return rate and interval; Deribit's history is hourly, and its rate what eight hours would pay."""
    told = row.get("info")
    if not (isinstance(told, dict) and "interest_8h" in told):
        return text(row, "fundingRate"), None
    if "interest_1h" not in told:
        raise RowRefusedError("the rate is one of eight hours, and info has no interest_1h, which is paid")
    return text(told, "interest_1h"), 1
