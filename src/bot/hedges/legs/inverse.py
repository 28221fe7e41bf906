"""Short leg of a perp that is margined and settled in the coin itself."""

from decimal import Decimal
from fractions import Fraction

from bot.accounting.brackets import Bracket
from bot.hedges.arithmetic import divide
from bot.hedges.legs.kind import LegKind, LegState, ScaledState
from bot.numbers.money import ZERO, book


class InverseLeg(LegKind):
    """Inverse perp: contracts of a quote amount each; margin, fees, funding and gains are coins.

    The hedge keeps the coins, and what they are worth is the worth of the hedge.
    """

    name = fee_market = "inverse"
    is_perp = is_margined = in_coins = notional_falls = True

    def unit(self, fill: Decimal, fee: Decimal, leverage: Decimal) -> Decimal:  # noqa: ARG002
        """Return zero: the coins of the spot leg are the margin."""
        return ZERO

    def margin(self, leg: LegState, leverage: Decimal) -> Decimal:
        """Return the coins that can be lost."""
        return book(divide(leg.quantity, leverage))

    def opening_flow(self, leg: LegState) -> Decimal:  # noqa: ARG002
        """Return zero: no cash is moved."""
        return ZERO

    def closing_flow(self, leg: LegState, quantity: Decimal, fill: Decimal) -> Decimal:  # noqa: ARG002
        """Return zero: no cash is moved."""
        return ZERO

    def worth(self, leg: LegState, price: Decimal) -> Decimal:  # noqa: ARG002
        """Return zero: its gain counts with the coins of the hedge."""
        return ZERO

    def lock(self, leg: LegState) -> Decimal:  # noqa: ARG002
        """Return zero: no cash is locked."""
        return ZERO

    def tied(self, leg: LegState) -> Decimal:  # noqa: ARG002
        """Return zero: the coins of the spot leg are what is tied."""
        return ZERO

    def gain(self, leg: LegState, price: Decimal) -> Decimal:
        """Return the gain in coins."""
        return book(divide(leg.contracts * -leg.side * (leg.entry - price), price * leg.entry))

    def state_at(self, leg: LegState, price: Decimal) -> ScaledState:
        """Return balance and notional in coins, times both prices that they are divided by."""
        scale = price * leg.entry
        gain = leg.contracts * -leg.side * (leg.entry - price)
        return ScaledState(leg.margin * scale + gain, leg.contracts * leg.entry, scale)

    def price_at(self, leg: LegState, notional: Fraction) -> Fraction:
        """Return the price at which the contracts are worth so many coins."""
        return Fraction(leg.contracts) / notional

    def wiped_at(self, leg: LegState, bracket: Bracket) -> Fraction | None:
        """Return the price from which on a short's maintenance takes the whole balance, None for never."""
        held, entry = Fraction(leg.contracts), Fraction(leg.entry)
        at_risk = held - (Fraction(leg.margin) + Fraction(bracket.amount)) * entry
        return held * entry * (1 - Fraction(bracket.mmr)) / at_risk if at_risk > 0 else None

    def fee_amount(self, leg: LegState, quantity: Decimal, fill: Decimal, rate: Decimal) -> Decimal:  # noqa: ARG002
        """Return the fee in coins."""
        return book(divide(leg.contracts * rate, fill))

    def traded(self, leg: LegState, quantity: Decimal, fill: Decimal) -> Decimal:  # noqa: ARG002
        """Return the contracts' quote amount."""
        return leg.contracts

    def funding(self, leg: LegState, mark: Decimal, rate: Decimal) -> Decimal:
        """Return the funding in coins."""
        return book(divide(leg.contracts * -leg.side * rate, mark))
