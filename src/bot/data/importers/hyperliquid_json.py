"""Answers of Hyperliquid's info interface: funding history and candle snapshots."""

import re
from typing import Any

from bot.data.importers.hints import Hints
from bot.data.importers.parsing import Parsed, timeframe_of
from bot.data.importers.source import Source
from bot.data.importers.vendor_json import CandleShape, FundingShape, parse_candles, parse_funding, stated
from bot.data.rows import SeriesKind
from bot.data.symbols import market_symbol

_FUNDING = FundingShape("coin", "time", "fundingRate", quote="USDC")
_CANDLES = CandleShape("t", ("o", "h", "l", "c", "v"))
_PERP_COIN = re.compile(r"k?[A-Z0-9]+\Z")


def recognise(source: Source, _hints: Hints) -> bool:
    """Say whether it is a list of such records."""
    document = source.document()
    return _FUNDING.fits(document) or _are_candles(document)


def parse(source: Source, hints: Hints) -> Parsed:
    """Return the rows; candles of a plain coin are the perp's, those of a spot pair need the hints."""
    document = source.document()
    if _FUNDING.fits(document):
        return parse_funding(source, hints, document, _FUNDING)
    coin = stated(source, document[0], "s")
    is_perp = bool(_PERP_COIN.match(coin)) and hints.kind is None
    return parse_candles(
        source,
        hints,
        document,
        _CANDLES,
        symbol=market_symbol(f"{coin}USDC") if is_perp else None,
        kind=SeriesKind.PERP if is_perp else None,
        timeframe_ms=timeframe_of(source, stated(source, document[0], "i")),
    )


def _are_candles(document: Any) -> bool:
    return (
        isinstance(document, list)
        and bool(document)
        and isinstance(document[0], dict)
        and {"t", "s", "i", *_CANDLES.values} <= document[0].keys()
    )
