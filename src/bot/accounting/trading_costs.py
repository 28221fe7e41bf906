"""Costs of the orders of one account: fee rates and slippage of entries, and of exits by signal."""

from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from bot.accounting.fees import FeeModel, FlatFees
from bot.accounting.fill_model import FillModel
from bot.accounting.order_style import OrderStyle
from bot.models import LEGS, CloseReason, Leg
from bot.numbers.money import ZERO


class FillCost(NamedTuple):
    """Adverse move of one fill as a fraction of the last price, and its fee as one of the notional."""

    slippage: Decimal
    fee: Decimal


class TradingCosts(NamedTuple):
    """Fees, fills and style of the orders of one account. Call inside `exact()`."""

    fees: FeeModel
    fills: FillModel
    style: OrderStyle = OrderStyle()

    def entry(self, leg: Leg, t_ms: int) -> FillCost:
        """Return the cost of opening a leg at `t_ms`."""
        return self._fill(leg, t_ms, maker=self.style.opens(leg))

    def exit(self, leg: Leg, t_ms: int) -> FillCost:
        """Return the cost of closing a leg on a signal at `t_ms`."""
        return self._fill(leg, t_ms, maker=self.style.closes(leg, CloseReason.SIGNAL))

    def leaving(self, t_ms: int) -> Decimal:
        """Return fees and slippage of closing both legs on a signal, per unit of notional.

        Source: docs/domain.md, section 5.
        """
        exits = [self.exit(leg, t_ms) for leg in LEGS]
        return sum((cost.slippage + cost.fee for cost in exits), ZERO)

    def _fill(self, leg: Leg, t_ms: int, *, maker: bool) -> FillCost:
        return FillCost(self.fills.slippage(maker=maker), self.fees.rate(leg, maker=maker, t_ms=t_ms))


@lru_cache(maxsize=256)
def flat_costs(fees: FlatFees, slippage: Decimal, maker_slippage: Decimal, style: OrderStyle) -> TradingCosts:
    """Return the costs of accounts under fees that never change; accounts of equal costs share them."""
    return TradingCosts(fees, FillModel(slippage, maker_slippage), style)
