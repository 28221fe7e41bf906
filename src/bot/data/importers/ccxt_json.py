"""Dumps of ccxt's unified answers: lists of candles, and funding rate histories."""

from bot.data.importers.freqtrade import is_candle_list
from bot.data.importers.hints import Hints
from bot.data.importers.parsing import Parsed
from bot.data.importers.source import Source
from bot.data.importers.vendor_json import CandleShape, FundingShape, parse_candles, parse_funding

_FUNDING = FundingShape("symbol", "timestamp", "fundingRate", mark="markPrice")
_CANDLES = CandleShape(0, (1, 2, 3, 4, 5), width=6)


def recognise(source: Source, _hints: Hints) -> bool:
    """Say whether it is one of the two lists."""
    document = source.document()
    return _FUNDING.fits(document) or is_candle_list(document, _CANDLES.width)


def parse(source: Source, hints: Hints) -> Parsed:
    """Return the rows; candles do not say their market, the hints must."""
    document = source.document()
    if _FUNDING.fits(document):
        return parse_funding(source, hints, document, _FUNDING)
    return parse_candles(source, hints, document, _CANDLES)
