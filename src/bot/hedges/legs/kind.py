"""Port of the kinds of legs: what opening, holding, closing and losing a leg moves."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, NamedTuple

from bot.accounting import formulas
from bot.accounting.brackets import Bracket
from bot.hedges.arithmetic import ratio
from bot.numbers.money import ONE, ZERO


@dataclass(slots=True)
class LegState:
    """A leg: its side (+1 long, -1 short), quantity in base units, and entry fill.

    `margin` is what it can lose, `incoming` what is on its way to it; both are coins for an inverse leg, of
    whose contracts it holds `contracts`.
    """

    side: Decimal
    quantity: Decimal
    entry: Decimal
    margin: Decimal = ZERO
    incoming: Decimal = ZERO
    contracts: Decimal = ZERO


class ScaledState(NamedTuple):
    """Balance and notional of a leg at a price in the currency of its margin, not booked, times a `scale`.

    The scale is above 0 and makes both exact.
    """

    balance: Decimal
    notional: Decimal
    scale: Decimal = ONE


class LegKind(ABC):
    """Kind of a leg. Amounts are quote currency, booked, unless a method says otherwise.

    Call all of it inside `exact_products()`. Source: docs/domain.md, sections 4 and 6.
    """

    name: ClassVar[str]
    fee_market: ClassVar[str]
    """Kind of market in fee schedules."""
    is_perp: ClassVar[bool] = False
    """True if it settles funding, and if its market is for one hedge at a time."""
    is_margined: ClassVar[bool] = False
    """True if an exchange may take it."""
    borrows: ClassVar[bool] = False
    """True if it pays interest, and if its market is for one hedge at a time."""
    in_coins: ClassVar[bool] = False
    """True if its fees, funding and margin are coins of the hedge."""
    notional_falls: ClassVar[bool] = False
    """True if its notional falls on the way to its liquidation."""

    @abstractmethod
    def unit(self, fill: Decimal, fee: Decimal, leverage: Decimal) -> Decimal:
        """Return what one unit ties up times the leverage: `fill` is the entry price with its slippage."""

    @abstractmethod
    def margin(self, leg: LegState, leverage: Decimal) -> Decimal:
        """Return the margin or collateral that opening a leg locks, in its currency."""

    @abstractmethod
    def opening_flow(self, leg: LegState) -> Decimal:
        """Return the cash that opening moves, fees apart."""

    @abstractmethod
    def closing_flow(self, leg: LegState, quantity: Decimal, fill: Decimal) -> Decimal:
        """Return the cash that closing a part of a leg moves, fees apart."""

    @abstractmethod
    def worth(self, leg: LegState, price: Decimal) -> Decimal:
        """Return what an open leg adds to cash at a price."""

    def lock(self, leg: LegState) -> Decimal:
        """Return the cash that an open leg locks, what is on its way to it included."""
        return leg.margin + leg.incoming

    def tied(self, leg: LegState) -> Decimal:
        """Return the capital that an open leg ties."""
        return leg.margin + leg.incoming

    def gain(self, leg: LegState, price: Decimal) -> Decimal:
        """Return the booked gain at a price in the currency of its margin."""
        return formulas.leg_pnl(leg.side, leg.quantity, leg.entry, price)

    def state_at(self, leg: LegState, price: Decimal) -> ScaledState:
        """Return balance and notional at a price, exactly."""
        gain = leg.side * leg.quantity * (price - leg.entry)
        return ScaledState(leg.margin + gain, leg.quantity * price)

    def price_at(self, leg: LegState, notional: Fraction) -> Fraction:
        """Return the price at which a leg has a notional above 0."""
        return notional / Fraction(leg.quantity)

    def wiped_at(self, leg: LegState, bracket: Bracket) -> Fraction | None:
        """Return the price from which on a bracket's maintenance takes the whole balance, None for never.

        From there on means above for a short leg, below for a long one; the caps of the bracket do not count.
        """
        kept = leg.margin + bracket.amount - leg.side * leg.quantity * leg.entry
        moved = leg.quantity * (bracket.mmr - leg.side)
        if kept * moved <= 0:
            return None
        return Fraction(*ratio(kept.copy_abs(), moved.copy_abs()))

    def fee_amount(
        self,
        leg: LegState,  # noqa: ARG002
        quantity: Decimal,
        fill: Decimal,
        rate: Decimal,
    ) -> Decimal:
        """Return the booked fee of a fill in the currency of its margin."""
        return formulas.fee(quantity, fill, rate)

    def traded(self, leg: LegState, quantity: Decimal, fill: Decimal) -> Decimal:  # noqa: ARG002
        """Return the booked notional of a fill, as it counts for fee tiers."""
        return formulas.notional(quantity, fill)

    def funding(self, leg: LegState, mark: Decimal, rate: Decimal) -> Decimal:
        """Return the booked funding of a settlement in the currency of its margin; only perps have any."""
        per_unit = formulas.unit_funding(mark, rate)
        return formulas.funding_payment(leg.side, per_unit, leg.quantity)
