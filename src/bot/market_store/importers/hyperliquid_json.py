"""Answers of Hyperliquid's info interface: funding history and candle snapshots."""

import re
from typing import Any

from bot.market.contracts import Venue
from bot.market.rows import SeriesKind
from bot.market.rules import RowDamagedError
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importers.markets import (
    MarketRecords,
    Recorded,
    all_of,
    by_market,
    named_symbol,
    recorded,
)
from bot.market_store.importers.parsing import Parsed, timeframe_of
from bot.market_store.importers.vendor_json import (
    CandleShape,
    FundingShape,
    parse_candles,
    parse_funding,
    stated,
    text,
)
from bot.notation import quoted

_FUNDING = FundingShape(Venue.HYPERLIQUID, "coin", "time", "fundingRate", quote="USDC")
_CANDLES = CandleShape("t", ("o", "h", "l", "c", "v"))
_PERP_COIN = re.compile(r"k?[A-Z0-9]+\Z")


def recognise(source: Source, _options: ImportOptions) -> bool:
    """Say whether it is a list of such records."""
    document = source.document()
    return _FUNDING.fits(document) or _are_candles(document)


def parse(source: Source, options: ImportOptions) -> Recorded:
    """Return the rows; candles of a plain coin are the perp's, those of a spot pair need the options."""
    document = source.document()
    if _FUNDING.fits(document):
        return parse_funding(source, options, document, _FUNDING)
    coin = stated(source, document[0], "s")
    if not _PERP_COIN.match(coin) and not any(_other_coin(row, coin) for row in document):
        market = all_of(source, named_symbol(source, options, None), document)
        return Recorded((_candles(source, options, market),))
    markets, refused = by_market(
        source,
        options,
        enumerate(document, start=1),
        _market_of,
        venue=Venue.HYPERLIQUID,
        kind=options.kind or SeriesKind.PERP,
    )
    return recorded(markets, refused, lambda one: _candles(source, options, one), SeriesKind.PERP)


def _market_of(row: Any) -> str:
    if not isinstance(row, dict):
        raise RowDamagedError(f"{quoted(row)} is no record of a candle")
    coin = text(row, "s")
    return f"{coin}USDC" if _PERP_COIN.match(coin) else coin


def _other_coin(row: Any, coin: str) -> bool:
    return isinstance(row, dict) and row.get("s") != coin


def _candles(source: Source, options: ImportOptions, market: MarketRecords[Any]) -> Parsed:
    first = market.records[0][1]
    interval, is_perp = stated(source, first, "i"), bool(_PERP_COIN.match(stated(source, first, "s")))
    own = []
    for number, row in market.records:
        told = row.get("i") if isinstance(row, dict) else interval
        if told == interval:
            own.append((number, row))
        else:
            market.refusals.add(number, f"candle interval {quoted(told)} in a list of {interval}")
    return parse_candles(
        source,
        options,
        MarketRecords(market.name, market.symbol, market.refusals, own),
        _CANDLES,
        kind=SeriesKind.PERP if is_perp and options.kind is None else None,
        timeframe_ms=timeframe_of(source, interval),
    )


def _are_candles(document: Any) -> bool:
    return (
        isinstance(document, list)
        and bool(document)
        and isinstance(document[0], dict)
        and {"t", "s", "i", *_CANDLES.values} <= document[0].keys()
    )
