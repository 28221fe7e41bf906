"""Answers of OKX's REST interface: funding history and candles."""

from dataclasses import replace

from bot.data.contracts import Venue
from bot.data.importers.freqtrade import is_candle_list
from bot.data.importers.hints import Hints
from bot.data.importers.kline_figures import prices_without_trades
from bot.data.importers.markets import Recorded, all_of, named_symbol
from bot.data.importers.source import Source
from bot.data.importers.vendor_json import CandleShape, FundingShape, parse_candles, parse_funding, rows_at
from bot.data.rows import SeriesKind

# `fundingRate` is the forecast; `realizedRate` is what was paid.
_FUNDING = FundingShape(Venue.OKX, "instId", "fundingTime", "realizedRate")
# Of a swap, column 5 counts contracts and column 6 coins.
_CANDLES = CandleShape(0, (1, 2, 3, 4, 6), width=9, finished=(8, "1"))
_SPOT_VALUES = (1, 2, 3, 4, 5)
# Of a mark price or an index, which the answer does not tell apart.
_PRICES = CandleShape(0, (1, 2, 3, 4), width=6, finished=(5, "1"))


def recognise(source: Source, _hints: Hints) -> bool:
    """Say whether there is a list of such records under `data`."""
    rows = rows_at(source.document(), "data")
    return _FUNDING.fits(rows) or any(is_candle_list(rows, shape.width) for shape in (_CANDLES, _PRICES))


def parse(source: Source, hints: Hints) -> Recorded:
    """Return the rows; candles do not say their market, the hints must."""
    rows = source.document()["data"]
    if _FUNDING.fits(rows):
        return parse_funding(source, hints, rows, _FUNDING)
    shape = _CANDLES
    if is_candle_list(rows, _PRICES.width):
        if hints.kind is not SeriesKind.MARK:
            raise prices_without_trades(source)
        shape = _PRICES
    elif hints.kind is SeriesKind.SPOT:
        shape = replace(_CANDLES, values=_SPOT_VALUES)
    market = all_of(source, named_symbol(source, hints, None), rows)
    return Recorded((parse_candles(source, hints, market, shape),))
