"""Leg of a perp that is margined and settled in quote currency."""

from decimal import Decimal

from bot.accounting import formulas
from bot.hedges.legs.kind import LegKind, LegState
from bot.numbers.money import ONE, ZERO


class LinearLeg(LegKind):
    """Linear perp, long or short."""

    name = fee_market = "linear"
    is_perp = is_margined = True

    def unit(self, fill: Decimal, fee: Decimal, leverage: Decimal) -> Decimal:
        """Return margin and fee."""
        return fill * (ONE + fee * leverage)

    def margin(self, leg: LegState, leverage: Decimal) -> Decimal:
        """Return the isolated margin."""
        return formulas.locked_margin(leg.quantity, leg.entry, leverage)

    def opening_flow(self, leg: LegState) -> Decimal:  # noqa: ARG002
        """Return zero: margin is locked, not spent."""
        return ZERO

    def closing_flow(self, leg: LegState, quantity: Decimal, fill: Decimal) -> Decimal:
        """Return the gain of the part that is closed."""
        return formulas.leg_pnl(leg.side, quantity, leg.entry, fill)

    def worth(self, leg: LegState, price: Decimal) -> Decimal:
        """Return the gain so far."""
        return formulas.leg_pnl(leg.side, leg.quantity, leg.entry, price)
