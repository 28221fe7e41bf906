"""Isolated margin of the perp leg: when to get out, and when the exchange takes over."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from decimal import ROUND_FLOOR, Context, Decimal
from typing import NamedTuple

from bot.accounting import formulas
from bot.models import Instrument, MarkCandle, Position
from bot.numbers.money import EXACT, ONE

# Guards are rounded down, so that a price below one certainly passes; at or above it the exact test decides.
_FLOOR = Context(prec=EXACT.prec, rounding=ROUND_FLOOR)


class MarginedLeg(NamedTuple):
    """Leg with isolated margin: its side, booked margin, quantity and unrounded entry fill."""

    side: Decimal
    margin: Decimal
    quantity: Decimal
    entry_price: Decimal


class MarginModel(ABC):
    """Judges legs of one instrument against their margin; `exit_ratio` is where an account gets out.

    Both questions are one: whether maintenance margin takes up a ratio of the margin balance. At a ratio of
    one nothing is left, and the exchange takes the leg.

    Source: docs/domain.md, section 6.
    """

    __slots__ = ("_exit_ratio",)

    def __init__(self, exit_ratio: Decimal) -> None:
        self._exit_ratio = exit_ratio

    @abstractmethod
    def terms(self, leg: MarginedLeg, ratio: Decimal) -> tuple[Decimal, Decimal]:
        """Return a and b: maintenance takes up `ratio` of the balance at mark prices p with p * b >= a."""

    def must_leave(self, position: Position, mark: Decimal) -> bool:
        """Return whether maintenance takes up too much of the balance at a mark price."""
        return self._is_reached(position, mark, self._exit_ratio)

    def is_liquidated(self, position: Position, mark: Decimal) -> bool:
        """Return whether a mark price wipes out the margin."""
        return self._is_reached(position, mark, ONE)

    def guard(self, position: Position) -> Decimal:
        """Return a price below which neither question needs to be asked.

        That is where an account gets out: a ratio of at most one is taken up no later than the whole balance.
        """
        return _FLOOR.divide(*self.terms(_leg(position), self._exit_ratio))

    def liquidation_guard(self, position: Position) -> Decimal:
        """Return a price below which a hedge is not liquidated."""
        return _FLOOR.divide(*self.terms(_leg(position), ONE))

    def liquidation_price(self, leg: MarginedLeg) -> Decimal:
        """Return the mark price from which on a leg is liquidated, to the digits of the exact context."""
        return EXACT.divide(*self.terms(leg, ONE))

    def shortfall(self, leg: MarginedLeg, mark: Decimal) -> Decimal:
        """Return the margin that a leg lacks at a mark price; it is liquidated at 0 and above.

        With so much more margin it would come to its liquidation price there. Call inside `exact()`.
        """
        backing, need = self.terms(leg, ONE)
        return mark * need - backing

    def fatal_candle(self, position: Position, candles: Iterable[MarkCandle]) -> MarkCandle | None:
        """Return the first of `candles` that liquidates, None if none does."""
        return next((candle for candle in candles if self.is_liquidated(position, candle.high)), None)

    def _is_reached(self, position: Position, mark: Decimal, ratio: Decimal) -> bool:
        backing, need = self.terms(_leg(position), ratio)
        return mark * need >= backing


class FlatMargin(MarginModel):
    """Maintenance margin at one rate of the notional, `mmr`."""

    __slots__ = ("_mmr",)

    def __init__(self, mmr: Decimal, exit_ratio: Decimal) -> None:
        super().__init__(exit_ratio)
        self._mmr = mmr

    def terms(self, leg: MarginedLeg, ratio: Decimal) -> tuple[Decimal, Decimal]:
        """Return a and b: maintenance takes up `ratio` of the balance at mark prices p with p * b >= a."""
        side, margin, quantity, entry_price = leg
        backing = formulas.margin_backing(side, margin, quantity, entry_price, ratio)
        return backing, formulas.margin_need(side, quantity, self._mmr, ratio)


def margin_model(instrument: Instrument, exit_ratio: Decimal) -> MarginModel:
    """Return the margin model of an instrument."""
    return FlatMargin(instrument.mmr, exit_ratio)


def _leg(position: Position) -> MarginedLeg:
    side = position.structure.perp
    return MarginedLeg(side, position.margin, position.quantity, position.perp_entry)
