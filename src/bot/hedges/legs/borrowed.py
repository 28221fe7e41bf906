"""Short leg of coins borrowed and sold, against collateral."""

from decimal import Decimal

from bot.accounting import formulas
from bot.hedges.legs.kind import LegKind, LegState
from bot.numbers.money import ONE


class BorrowedLeg(LegKind):
    """Borrowed spot: the proceeds of the sale stay locked beside a collateral, and interest is due."""

    name = "borrowed"
    fee_market = "spot"
    is_margined = borrows = True

    def unit(self, fill: Decimal, fee: Decimal, leverage: Decimal) -> Decimal:
        """Return collateral and fee."""
        return fill * (ONE + fee * leverage)

    def margin(self, leg: LegState, leverage: Decimal) -> Decimal:
        """Return the collateral."""
        return formulas.locked_margin(leg.quantity, leg.entry, leverage)

    def opening_flow(self, leg: LegState) -> Decimal:
        """Return the proceeds of the sale."""
        return formulas.notional(leg.quantity, leg.entry)

    def closing_flow(self, leg: LegState, quantity: Decimal, fill: Decimal) -> Decimal:  # noqa: ARG002
        """Return what buying the coins back costs, negative."""
        return -formulas.notional(quantity, fill)

    def worth(self, leg: LegState, price: Decimal) -> Decimal:
        """Return the value of the coins owed, negative."""
        return -formulas.notional(leg.quantity, price)

    def lock(self, leg: LegState) -> Decimal:
        """Return proceeds and collateral."""
        return formulas.notional(leg.quantity, leg.entry) + leg.margin + leg.incoming
