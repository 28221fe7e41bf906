"""Answers of Binance's REST interface: funding history and klines."""

from bot.market.contracts import Venue
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.freqtrade import is_candle_list
from bot.market_store.importers.import_options import Hints
from bot.market_store.importers.kline_figures import KlineFigures
from bot.market_store.importers.markets import Recorded, all_of, named_symbol
from bot.market_store.importers.vendor_json import (
    CandleShape,
    FundingShape,
    parse_candles,
    parse_funding,
)

_FUNDING = FundingShape(Venue.BINANCE, "symbol", "fundingTime", "fundingRate", mark="markPrice")
_KLINES = CandleShape(0, (1, 2, 3, 4, 5), width=12)


def recognise(source: Source, _hints: Hints) -> bool:
    """Say whether it is a list of such records."""
    document = source.document()
    return _FUNDING.fits(document) or is_candle_list(document, _KLINES.width)


def parse(source: Source, hints: Hints) -> Recorded:
    """Return the rows; klines do not say their market, the hints must."""
    document = source.document()
    if _FUNDING.fits(document):
        return parse_funding(source, hints, document, _FUNDING)
    figures = KlineFigures()
    for row in document:
        figures.add(row if isinstance(row, list) else ())
    figures.check(source, hints.kind, hints)
    market = all_of(source, named_symbol(source, hints, None), document)
    return Recorded((parse_candles(source, hints, market, _KLINES),))
