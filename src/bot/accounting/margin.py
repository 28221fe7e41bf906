"""Isolated margin of the short leg: when to get out, and when the exchange takes over."""

from collections.abc import Iterable
from decimal import ROUND_FLOOR, Context, Decimal
from typing import NamedTuple

from bot.accounting.formulas import Amount
from bot.models import MarkCandle, Position
from bot.numbers.money import EXACT, ONE

# Guards are rounded down, so that a price below one certainly passes; at or above it the exact test decides.
_FLOOR = Context(prec=EXACT.prec, rounding=ROUND_FLOOR)


class Guards(NamedTuple):
    """Prices below which a short is neither liquidated nor forced out: where that begins, rounded down."""

    liquidation: Decimal
    margin_exit: Decimal


class RiskManager:
    """Judges a short against its margin. `mmr` is the maintenance margin rate of the instrument.

    Source: docs/domain.md, section 6.
    """

    __slots__ = ("_margin_exit_ratio",)

    def __init__(self, margin_exit_ratio: Decimal) -> None:
        self._margin_exit_ratio = margin_exit_ratio

    def must_exit(self, position: Position, price: Decimal, mmr: Decimal) -> bool:
        """Return whether maintenance margin takes up too much of the margin balance at `price`."""
        maintenance = mmr * position.quantity * price
        balance = position.margin + position.quantity * (position.perp_entry - price)
        return balance <= 0 or maintenance >= self._margin_exit_ratio * balance

    def is_liquidated(self, position: Position, high: Decimal, mmr: Decimal) -> bool:
        """Return whether a mark price as high as `high` wipes out the margin."""
        secured, unit = self.liquidation_terms(position.margin, position.quantity, position.perp_entry, mmr)
        return high * unit >= secured

    def liquidation_terms(
        self, margin: Amount, quantity: Amount, perp_entry: Amount, mmr: Decimal
    ) -> tuple[Amount, Amount]:
        """Return a and b: mark prices of a / b and more liquidate."""
        return margin + quantity * perp_entry, quantity * (ONE + mmr)

    def exit_terms(
        self, margin: Amount, quantity: Amount, perp_entry: Amount, mmr: Decimal
    ) -> tuple[Amount, Amount]:
        """Return a and b: at mark prices of a / b and more a short must exit, which is `must_exit` solved."""
        ratio = self._margin_exit_ratio
        return (margin + quantity * perp_entry) * ratio, quantity * (mmr + ratio)

    def guards(self, position: Position, mmr: Decimal) -> Guards:
        """Return prices below which neither question needs to be asked of a short."""
        facts = position.margin, position.quantity, position.perp_entry, mmr
        return Guards(_FLOOR.divide(*self.liquidation_terms(*facts)), _FLOOR.divide(*self.exit_terms(*facts)))

    def fatal_candle(
        self, position: Position, candles: Iterable[MarkCandle], mmr: Decimal
    ) -> MarkCandle | None:
        """Return the first of `candles` that liquidates, None if none does."""
        fatal = (candle for candle in candles if self.is_liquidated(position, candle.high, mmr))
        return next(fatal, None)
