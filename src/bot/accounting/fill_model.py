"""Fill price of a taker order: the last price moved against it by the slippage."""

from decimal import Decimal

from bot.accounting.formulas import Amount
from bot.models import Side
from bot.numbers.money import ONE


class FillModel:
    """Fills every order at the last price, moved against it by a fixed fraction of it.

    Source: docs/domain.md, section 4.
    """

    __slots__ = ("_factors",)

    def __init__(self, slippage: Decimal) -> None:
        self._factors = {Side.BUY: ONE + slippage, Side.SELL: ONE - slippage}

    def price(self, side: Side, last_price: Amount) -> Amount:
        """Return the unrounded fill price."""
        return last_price * self._factors[side]

    def last_price(self, side: Side, fill_price: Decimal) -> Decimal:
        """Return the last price that an order filled at `fill_price` was moved from."""
        return fill_price / self._factors[side]
