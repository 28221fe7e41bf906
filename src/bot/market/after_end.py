"""P&L booked after the end of a contract, which could not have been earned."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from bot.accounting import formulas
from bot.accounting.closing import last_due_ms
from bot.accounting.trading_costs import TradingCosts
from bot.models import ContractEnd, Leg, Trade
from bot.numbers.arrays import IntArray
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import ZERO


@dataclass(frozen=True, slots=True, eq=False)
class AfterEnd:
    """The settlements posted after the end of a contract, oldest first (ms UTC).

    `unit_funding` is what each of them moves from the longs to the shorts of one unit.
    """

    end: ContractEnd
    times_ms: IntArray
    unit_funding: ExactArray

    def pnl(self, trade: Trade, costs: TradingCosts) -> Decimal:
        """Return the part of a trade's net P&L that was booked after the end.

        That is its net P&L less what it had made at the moment of the end at the trade prices of then, entry
        fees paid and all settlements up to then booked. Call inside `exact()`.
        """
        spot, perp = self.end.ticker.spot, self.end.ticker.perp
        if trade.closed_at_ms <= self.end.at_ms:
            return ZERO
        if trade.opened_at_ms > self.end.at_ms or spot is None or perp is None:
            return trade.net_pnl
        quantity, spot_entry, perp_entry = trade.quantity, trade.spot_entry, trade.perp_entry
        gained = formulas.hedge_value(*trade.structure, quantity, spot, perp_entry, perp)
        gained -= formulas.notional(quantity * trade.structure.spot, spot_entry)
        paid = sum(
            (
                formulas.fee(quantity, price, costs.entry(leg, trade.opened_at_ms).fee)
                for leg, price in ((Leg.SPOT, spot_entry), (Leg.PERP, perp_entry))
            ),
            ZERO,
        )
        return trade.net_pnl - formulas.net_pnl(gained, trade.funding - self._funding(trade), paid)

    def _funding(self, trade: Trade) -> Decimal:
        settled = slice(int(np.searchsorted(self.times_ms, last_due_ms(trade), side="right")))
        booked = formulas.funding_payment(trade.structure.perp, self.unit_funding[settled], trade.quantity)
        return booked.running().decimal(-1) if settled.stop else ZERO


def pnl_after_end(
    trades: Iterable[Trade], ended: Mapping[str, AfterEnd], costs: TradingCosts
) -> dict[str, Decimal]:
    """Return, for each pair whose contract `ended`, what trades booked after it.

    Call inside `exact()`.
    """
    found = dict.fromkeys(ended, ZERO)
    for trade in trades:
        if trade.symbol in ended:
            found[trade.symbol] += ended[trade.symbol].pnl(trade, costs)
    return found
