"""Answers of Binance's REST interface: funding history and klines."""

from bot.market.contracts import Venue
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.freqtrade import is_candle_list
from bot.market_store.importers.import_options import ImportOptions
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


def recognise(source: Source, _options: ImportOptions) -> bool:
    """Say whether it is a list of such records."""
    document = source.document()
    return _FUNDING.fits(document) or is_candle_list(document, _KLINES.width)


def parse(source: Source, options: ImportOptions) -> Recorded:
    """Return the rows; klines do not say their market, the options must."""
    document = source.document()
    if _FUNDING.fits(document):
        return parse_funding(source, options, document, _FUNDING)
    figures = KlineFigures()
    for row in document:
        figures.add(row if isinstance(row, list) else ())
    figures.check(source, options.kind, options)
    market = all_of(source, named_symbol(source, options, None), document)
    return Recorded((parse_candles(source, options, market, _KLINES),))
