"""Isolated margin of the short leg: when to get out, and when the exchange takes over."""

from collections.abc import Iterable
from decimal import ROUND_FLOOR, Context, Decimal
from typing import NamedTuple

from bot.models import MarkCandle, Position
from bot.money import EXACT, ONE

_FLOOR = Context(prec=EXACT.prec, rounding=ROUND_FLOOR)


class Guards(NamedTuple):
    """Prices below which a short is neither liquidated nor forced out: where that begins, rounded down."""

    liquidation: Decimal
    margin_exit: Decimal


class RiskManager:
    """Judges a short against its margin. `mmr` is the maintenance margin rate of the instrument."""

    __slots__ = ("_margin_exit_ratio",)

    def __init__(self, margin_exit_ratio: Decimal) -> None:
        self._margin_exit_ratio = margin_exit_ratio

    def must_exit(self, position: Position, price: Decimal, mmr: Decimal) -> bool:
        """Return whether maintenance has eaten up too much of the margin balance at `price`."""
        maintenance = mmr * position.quantity * price
        balance = position.margin + position.quantity * (position.perp_entry - price)
        return balance <= 0 or maintenance >= self._margin_exit_ratio * balance

    def is_liquidated(self, position: Position, high: Decimal, mmr: Decimal) -> bool:
        """Return whether a mark price as high as `high` wipes out the margin."""
        secured = position.margin + position.quantity * position.perp_entry
        return high * position.quantity * (ONE + mmr) >= secured

    def guards(self, position: Position, mmr: Decimal) -> Guards:
        """Return prices below which neither question needs to be asked of a short."""
        quantity, ratio = position.quantity, self._margin_exit_ratio
        secured = position.margin + quantity * position.perp_entry
        return Guards(
            _FLOOR.divide(secured, quantity * (ONE + mmr)),
            _FLOOR.divide(ratio * secured, quantity * (mmr + ratio)),
        )

    def fatal_candle(self, position: Position, candles: Iterable[MarkCandle], mmr: Decimal) -> MarkCandle:
        """Return the first of `candles` that liquidates; raises StopIteration if none does."""
        return next(candle for candle in candles if self.is_liquidated(position, candle.high, mmr))
