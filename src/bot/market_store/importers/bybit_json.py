"""Answers of Bybit's REST interface: funding history, klines, and klines of mark prices."""

from typing import Any

from bot.market.contracts import Contract, ContractKind, Venue
from bot.market.rows import SeriesKind
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.freqtrade import is_candle_list
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importers.kline_figures import prices_without_trades
from bot.market_store.importers.markets import Recorded, all_of, named_symbol, stated_symbol
from bot.market_store.importers.vendor_json import (
    CandleShape,
    FundingShape,
    parse_candles,
    parse_funding,
    rows_at,
    stated,
)

_FUNDING = FundingShape(Venue.BYBIT, "symbol", "fundingRateTimestamp", "fundingRate")
_KLINES = CandleShape(0, (1, 2, 3, 4, 5), width=7)
_PRICES = CandleShape(0, (1, 2, 3, 4), width=5)
"""Candles of a mark price, an index or a premium: the answer does not say which."""
_KINDS = {"spot": SeriesKind.SPOT, "linear": SeriesKind.PERP}
_REFUSED = {"inverse": ContractKind.INVERSE, "option": ContractKind.OPTION}


def recognise(source: Source, _options: ImportOptions) -> bool:
    """Say whether there is a list of such records under `result`."""
    rows = rows_at(source.document(), "result", "list")
    return _FUNDING.fits(rows) or any(is_candle_list(rows, shape.width) for shape in (_KLINES, _PRICES))


def parse(source: Source, options: ImportOptions) -> Recorded:
    """Return the rows; klines of category linear are the perp's unless the options say mark."""
    result = source.document()["result"]
    category = _modelled_category(source, result)
    if _FUNDING.fits(result["list"]):
        return parse_funding(source, options, result["list"], _FUNDING)
    shape = _KLINES if is_candle_list(result["list"], _KLINES.width) else _PRICES
    if shape is _PRICES and options.kind is not SeriesKind.MARK:
        raise prices_without_trades(source)
    venue = Venue.DECLARED if category == "spot" else Venue.BYBIT
    if result.get("symbol"):
        symbol = stated_symbol(source, options, stated(source, result, "symbol"), venue)
    else:
        symbol = named_symbol(source, options, None)
    kind = None if options.kind is SeriesKind.MARK else _KINDS.get(category)
    market = all_of(source, symbol, result["list"])
    return Recorded((parse_candles(source, options, market, shape, kind=kind),))


def _modelled_category(source: Source, result: dict[str, Any]) -> str:
    category = stated(source, result, "category") if result.get("category") else ""
    if category in _REFUSED:
        first = next(iter(result["list"]), None)
        named = result.get("symbol") or (first.get("symbol") if isinstance(first, dict) else None)
        # Raises: no contract of this category is modelled, whatever its name says.
        Contract(str(named or f"category {category}"), _REFUSED[category]).symbol()
    return category
