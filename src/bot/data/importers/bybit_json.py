"""Answers of Bybit's REST interface: funding history and klines."""

from bot.data.importers.freqtrade import is_candle_list
from bot.data.importers.hints import Hints
from bot.data.importers.parsing import Parsed
from bot.data.importers.source import Source
from bot.data.importers.vendor_json import (
    CandleShape,
    FundingShape,
    parse_candles,
    parse_funding,
    rows_at,
    stated,
)
from bot.data.rows import SeriesKind
from bot.data.symbols import market_symbol

_FUNDING = FundingShape("symbol", "fundingRateTimestamp", "fundingRate")
_KLINES = CandleShape(0, (1, 2, 3, 4, 5), width=7)
_KINDS = {"spot": SeriesKind.SPOT, "linear": SeriesKind.PERP}


def recognise(source: Source, _hints: Hints) -> bool:
    """Say whether there is a list of such records under `result`."""
    rows = rows_at(source.document(), "result", "list")
    return _FUNDING.fits(rows) or is_candle_list(rows, _KLINES.width)


def parse(source: Source, hints: Hints) -> Parsed:
    """Return the rows; klines of category linear are the perp's unless the hints say mark."""
    result = source.document()["result"]
    if _FUNDING.fits(result["list"]):
        return parse_funding(source, hints, result["list"], _FUNDING)
    market = stated(source, result, "symbol") if result.get("symbol") else None
    category = stated(source, result, "category") if result.get("category") else ""
    return parse_candles(
        source,
        hints,
        result["list"],
        _KLINES,
        symbol=market_symbol(market) if market else None,
        kind=None if hints.kind is SeriesKind.MARK else _KINDS.get(category),
    )
