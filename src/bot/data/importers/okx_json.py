"""Answers of OKX's REST interface: funding history and candles."""

from dataclasses import replace

from bot.data.importers.freqtrade import is_candle_list
from bot.data.importers.hints import Hints
from bot.data.importers.parsing import Parsed
from bot.data.importers.source import Source
from bot.data.importers.vendor_json import CandleShape, FundingShape, parse_candles, parse_funding, rows_at
from bot.data.rows import SeriesKind

# `fundingRate` is the forecast; `realizedRate` is what was paid.
_FUNDING = FundingShape("instId", "fundingTime", "realizedRate")
# Of a swap, column 5 counts contracts and column 6 coins.
_CANDLES = CandleShape(0, (1, 2, 3, 4, 6), width=9, finished=(8, "1"))
_SPOT_VALUES = (1, 2, 3, 4, 5)


def recognise(source: Source, _hints: Hints) -> bool:
    """Say whether there is a list of such records under `data`."""
    rows = rows_at(source.document(), "data")
    return _FUNDING.fits(rows) or is_candle_list(rows, _CANDLES.width)


def parse(source: Source, hints: Hints) -> Parsed:
    """Return the rows; candles do not say their market, the hints must."""
    rows = source.document()["data"]
    if _FUNDING.fits(rows):
        return parse_funding(source, hints, rows, _FUNDING)
    spot = hints.kind is SeriesKind.SPOT
    return parse_candles(source, hints, rows, replace(_CANDLES, values=_SPOT_VALUES) if spot else _CANDLES)
