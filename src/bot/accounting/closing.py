"""Trade that closing a hedge makes, and the settlements that were still due to it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from bot.accounting import formulas
from bot.accounting.cash_flows import FLOWS, net_flow
from bot.accounting.event_order import is_before_funding, is_due, last_due
from bot.models import BookedTrade, CloseReason, FundingPayment, FundingRate, Position, Trade


class Exit(NamedTuple):
    """End of a hedge: unrounded fills and booked fees of both legs; `perp_price` None if liquidated."""

    closed_at_ms: int
    spot_price: Decimal
    perp_price: Decimal | None
    fees: Decimal
    reason: CloseReason


def closed_trade(position: Position, flows: Mapping[str, Decimal], payments: int, end: Exit) -> Trade:
    """Return the trade of a closed hedge with its cash `flows` by name, funding in `payments` settlements.

    A liquidated leg loses its whole margin. Call inside `exact()`.

    Source: docs/domain.md, section 4 and 6.
    """
    quantity, fees, sides = position.quantity, position.entry_fees + end.fees, position.structure
    if end.perp_price is None:
        perp_pnl = -position.margin
    else:
        perp_pnl = formulas.leg_pnl(sides.perp, quantity, position.perp_entry, end.perp_price)
    price_pnl = formulas.price_pnl(sides.spot, quantity, position.spot_cost, end.spot_price, perp_pnl)
    net_pnl = formulas.net_pnl(price_pnl, net_flow(flows), fees)
    # In the order of the fields: given by name they take longer than all else here.
    facts = position.symbol, position.opened_at_ms, end.closed_at_ms, quantity
    fills = position.spot_entry, position.perp_entry, end.spot_price, end.perp_price
    amounts = *[flows[name] for name in FLOWS], fees, price_pnl, net_pnl
    return Trade._make((*facts, *fills, *amounts, payments, end.reason))


def was_due(trade: BookedTrade, settlement: FundingRate | FundingPayment) -> bool:
    """Return whether a trade held its perp leg when a settlement took place."""
    due = is_due(settlement.t_ms, trade.opened_at_ms, last_due_ms(trade))
    return trade.symbol == settlement.symbol and due


def last_due_ms(trade: BookedTrade) -> int:
    """Return the last ms at which settlements, from the one after opening on, were due to a trade."""
    return last_due(trade.closed_at_ms, before_funding=is_before_funding(trade.reason))
