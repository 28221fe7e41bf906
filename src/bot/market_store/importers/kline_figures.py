"""Klines of 12 columns, told by their figures: trades, prices without trades, contracts settled in coins."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import DataImportError, UnmodelledContractError
from bot.market.contracts import COIN_MARGINED
from bot.market.rows import SeriesKind
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.import_options import OPTIONS_EXAMPLE, ImportOptions

_HIGH, _LOW, _VOLUME, _QUOTE_VOLUME, _COUNT = 2, 3, 5, 7, 8
_TRADES_SEEN = 200
"""Number of klines with trades after which nothing more is learnt."""
_CONTRACT_SIZES = (10, 100)
"""US dollars that one coin-margined contract is worth."""
_TOLERANCE = 1.001


@dataclass(slots=True)
class KlineFigures:
    """Klines seen so far: with trades, with updates or moves but no trade, and with a price of zero or below.

    `in_coins` are those with trades whose volume counts contracts, and whose quote volume is in coins.
    """

    traded: int = 0
    in_coins: int = 0
    updated: int = 0
    moved: int = 0
    nonpositive: int = 0

    def add(self, kline: Sequence[str]) -> None:
        """Take one kline of 12 values as text; what is no number is left to the checks of rows."""
        if self.traded >= _TRADES_SEEN:
            return
        try:
            high, low, volume, quote_volume, count = (
                float(kline[place]) for place in (_HIGH, _LOW, _VOLUME, _QUOTE_VOLUME, _COUNT)
            )
        except (ValueError, LookupError, TypeError):
            return
        if volume > 0:
            self.traded += 1
            self.in_coins += is_in_coins(high, low, volume, quote_volume)
        else:
            self.updated += count > 0
            self.moved += high > low
            self.nonpositive += low <= 0

    def check(self, source: Source, kind: SeriesKind | None, options: ImportOptions) -> None:
        """Check that these can be klines of `kind`, None where nothing says it yet.

        Raises: UnmodelledContractError for contracts settled in coins; DataImportError for a premium index,
        and for prices without trades unless they are said to be mark prices.
        """
        if self.in_coins * 2 > self.traded:
            raise UnmodelledContractError(f"{source.name}: {COIN_MARGINED}: its quote volume is in coins")
        if self.traded:
            return
        if self.nonpositive:
            raise DataImportError(f"{source.name} holds a premium index, which no leg is traded at")
        without_trades = self.updated or (self.moved and options.kind is None)
        if without_trades and kind is not SeriesKind.MARK:
            raise prices_without_trades(source)
        if kind is None:
            raise DataImportError(
                f"{source.name} holds klines without a trade; add {OPTIONS_EXAMPLE} as needed"
            )


def is_in_coins(high: float, low: float, volume: float, quote_volume: float) -> bool:
    """Say whether `volume` counts contracts of some dollars and `quote_volume` is their worth in coins."""
    if min(low, high) <= 0 or low * volume / _TOLERANCE <= quote_volume <= high * volume * _TOLERANCE:
        return False
    return any(
        size * volume / high / _TOLERANCE <= quote_volume <= size * volume / low * _TOLERANCE
        for size in _CONTRACT_SIZES
    )


def prices_without_trades(source: Source) -> DataImportError:
    """Return the refusal of candles without volume, whose file does not say what they are the prices of."""
    return DataImportError(
        f"{source.name} holds prices without trades: of a mark, an index or a premium; "
        "if they are mark prices, say --kind mark"
    )
