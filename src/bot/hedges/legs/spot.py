"""Long leg of coins bought and paid in full."""

from decimal import Decimal

from bot.accounting import formulas
from bot.hedges.legs.kind import LegKind, LegState
from bot.numbers.money import ONE, ZERO


class SpotLeg(LegKind):
    """Spot: bought and sold, never margined."""

    name = fee_market = "spot"

    def unit(self, fill: Decimal, fee: Decimal, leverage: Decimal) -> Decimal:
        """Return the price paid and its fee."""
        return fill * (ONE + fee) * leverage

    def margin(self, leg: LegState, leverage: Decimal) -> Decimal:  # noqa: ARG002
        """Return zero: coins that are paid for need no margin."""
        return ZERO

    def opening_flow(self, leg: LegState) -> Decimal:
        """Return what the coins cost, negative."""
        return -formulas.notional(leg.quantity, leg.entry)

    def closing_flow(self, leg: LegState, quantity: Decimal, fill: Decimal) -> Decimal:  # noqa: ARG002
        """Return what the coins bring."""
        return formulas.notional(quantity, fill)

    def worth(self, leg: LegState, price: Decimal) -> Decimal:
        """Return the value of the coins."""
        return formulas.notional(leg.quantity, price)

    def tied(self, leg: LegState) -> Decimal:
        """Return what the coins cost."""
        return formulas.notional(leg.quantity, leg.entry)
