"""Fill price of an order: the last price moved by the slippage of its kind."""

from decimal import Decimal

from bot.accounting.formulas import Amount
from bot.models import Side
from bot.numbers.money import ONE, ZERO


class FillModel:
    """Fills every order at the last price, moved against it by a fixed fraction of it.

    A taker's fraction is `slippage`, a maker's `maker_slippage`; where that is negative the price improves.

    Source: docs/domain.md, section 4.
    """

    __slots__ = ("_factors", "_slippage")

    def __init__(self, slippage: Decimal, maker_slippage: Decimal = ZERO) -> None:
        self._slippage = {False: slippage, True: maker_slippage}
        self._factors = {
            kind: {Side.BUY: ONE + fraction, Side.SELL: ONE - fraction}
            for kind, fraction in self._slippage.items()
        }

    def slippage(self, *, maker: bool) -> Decimal:
        """Return the adverse move of a fill as a fraction of the last price."""
        return self._slippage[maker]

    def price(self, side: Side, last_price: Amount, *, maker: bool = False) -> Amount:
        """Return the unrounded fill price."""
        return last_price * self._factors[maker][side]

    def last_price(self, side: Side, fill_price: Decimal, *, maker: bool = False) -> Decimal:
        """Return the last price that an order filled at `fill_price` was moved from."""
        return fill_price / self._factors[maker][side]
