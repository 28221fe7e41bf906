"""Answers of OKX's REST interface: funding history and candles."""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.errors import DataImportError, UnmodelledContractError
from bot.market.contracts import COIN_MARGINED, Venue
from bot.market.rows import SeriesKind
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.freqtrade import is_candle_list
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importers.kline_figures import is_in_coins, prices_without_trades
from bot.market_store.importers.markets import Recorded, all_of, named_symbol
from bot.market_store.importers.vendor_json import (
    CandleShape,
    FundingShape,
    parse_candles,
    parse_funding,
    rows_at,
)

# `fundingRate` is the forecast; `realizedRate` is what was paid.
_FUNDING = FundingShape(Venue.OKX, "instId", "fundingTime", "realizedRate")
# Of a swap, column 5 counts contracts and column 6 coins.
_CANDLES = CandleShape(0, (1, 2, 3, 4, 6), width=9, finished=(8, "1"))
_SPOT_VALUES = (1, 2, 3, 4, 5)
_CANDLES_SEEN = 200
_ROUNDING = 1e-9
# Of a mark price or an index, which the answer does not tell apart.
_PRICES = CandleShape(0, (1, 2, 3, 4), width=6, finished=(5, "1"))


def recognise(source: Source, _options: ImportOptions) -> bool:
    """Say whether there is a list of such records under `data`."""
    rows = rows_at(source.document(), "data")
    return _FUNDING.fits(rows) or any(is_candle_list(rows, shape.width) for shape in (_CANDLES, _PRICES))


def parse(source: Source, options: ImportOptions) -> Recorded:
    """Return the rows; candles do not say their market, the options must."""
    rows = source.document()["data"]
    if _FUNDING.fits(rows):
        return parse_funding(source, options, rows, _FUNDING)
    shape = _CANDLES
    if is_candle_list(rows, _PRICES.width):
        if options.kind is not SeriesKind.MARK:
            raise prices_without_trades(source)
        shape = _PRICES
    else:
        _check_volumes(source, rows, options.kind)
        if options.kind is SeriesKind.SPOT:
            shape = replace(_CANDLES, values=_SPOT_VALUES)
    market = all_of(source, named_symbol(source, options, None), rows)
    return Recorded((parse_candles(source, options, market, shape),))


def _check_volumes(source: Source, candles: Iterable[Sequence[str]], kind: SeriesKind | None) -> None:
    """Check what columns 5 and 6 count: of a swap contracts and coins, of a spot market coins and the quote.

    Raises: UnmodelledContractError for contracts settled in coins; DataImportError where the figures
    contradict the kind.
    """
    spot = in_coins = linear = 0
    for candle in itertools.islice(candles, _CANDLES_SEEN):
        try:
            high, low, count, amount = (float(candle[place]) for place in (2, 3, 5, 6))
        except (ValueError, LookupError, TypeError):
            continue
        ratio = amount / count if count > 0 else 0.0
        if 0 < ratio < math.inf and low > 0:
            # Linear contracts are powers of ten in coins: 0.01 BTC, 1000 DOGE.
            power = math.log10(ratio)
            whole = abs(power - round(power)) < _ROUNDING
            linear += whole
            spot += not whole and low <= ratio <= high
            in_coins += not whole and is_in_coins(high, low, count, amount)
    if in_coins > max(linear, spot):
        raise UnmodelledContractError(
            f"{source.name}: {COIN_MARGINED}: its volume counts contracts in dollars"
        )
    if spot > linear and kind is SeriesKind.PERP:
        raise DataImportError(f"{source.name} is said to be of a perp, but its volumes are of a spot market")
    if linear > spot and kind is SeriesKind.SPOT:
        raise DataImportError(f"{source.name} is said to be of a spot market, but its volume is in contracts")
