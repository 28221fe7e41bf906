"""Cash flows of a hedge while it is held, by name: what trades, totals and documents loop over."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from bot.numbers.money import ZERO


class CashFlow(NamedTuple):
    """Cash that a held hedge moves.

    `name` is that of its amount in trades, documents and tables, `metric` that of its total over a run; the
    amount times `sign` counts in the net P&L.
    """

    name: str
    metric: str
    sign: int


FUNDING = CashFlow("funding", "total_funding", 1)
CASH_FLOWS = (FUNDING,)
"""Every cash flow there is; whatever sums, prints or stores them goes by this table."""

FLOWS = tuple(flow.name for flow in CASH_FLOWS)
BOOKED = (*FLOWS, "fees", "price_pnl")
"""Booked amounts of a trade that make up its net P&L, in the order of the ledger."""


def net_flow(amounts: Mapping[str, Decimal]) -> Decimal:
    """Return what cash flows add to the net P&L."""
    total = ZERO
    for name, _, sign in CASH_FLOWS:
        total += amounts[name] * sign
    return total
