"""Answers of Binance's REST interface: funding history and klines."""

from bot.data.importers.freqtrade import is_candle_list
from bot.data.importers.hints import Hints
from bot.data.importers.parsing import Parsed
from bot.data.importers.source import Source
from bot.data.importers.vendor_json import CandleShape, FundingShape, parse_candles, parse_funding

_FUNDING = FundingShape("symbol", "fundingTime", "fundingRate", mark="markPrice")
_KLINES = CandleShape(0, (1, 2, 3, 4, 5), width=12)


def recognise(source: Source, _hints: Hints) -> bool:
    """Say whether it is a list of such records."""
    document = source.document()
    return _FUNDING.fits(document) or is_candle_list(document, _KLINES.width)


def parse(source: Source, hints: Hints) -> Parsed:
    """Return the rows; klines do not say their market, the hints must."""
    document = source.document()
    if _FUNDING.fits(document):
        return parse_funding(source, hints, document, _FUNDING)
    return parse_candles(source, hints, document, _KLINES)
