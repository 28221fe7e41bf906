"""Trade that closing a hedge makes, and the settlements that were still due to it."""

from decimal import Decimal
from typing import NamedTuple

from bot.accounting import formulas
from bot.models import CloseReason, FundingRate, Position, Trade

_BEFORE_SETTLEMENTS = frozenset((CloseReason.LIQUIDATION, CloseReason.DELISTED))


class Exit(NamedTuple):
    """End of a hedge: unrounded fills and booked fees of both legs; `perp_price` None if liquidated."""

    closed_at_ms: int
    spot_price: Decimal
    perp_price: Decimal | None
    fees: Decimal
    reason: CloseReason


def closed_trade(position: Position, funding: Decimal, payments: int, end: Exit) -> Trade:
    """Return the trade of a closed hedge on which `funding` was booked in `payments` settlements.

    A liquidated leg loses its whole margin. Call inside `exact()`.

    Source: docs/domain.md, section 4 and 6.
    """
    quantity, fees, sides = position.quantity, position.entry_fees + end.fees, position.structure
    if end.perp_price is None:
        perp_pnl = -position.margin
    else:
        perp_pnl = formulas.leg_pnl(sides.perp, quantity, position.perp_entry, end.perp_price)
    price_pnl = formulas.price_pnl(sides.spot, quantity, position.spot_cost, end.spot_price, perp_pnl)
    symbol, opened_ms = position.symbol, position.opened_at_ms
    prices = position.spot_entry, position.perp_entry, end.spot_price, end.perp_price
    amounts = funding, fees, price_pnl, formulas.net_pnl(price_pnl, funding, fees)
    return Trade(symbol, opened_ms, end.closed_at_ms, quantity, *prices, *amounts, payments, end.reason)


def was_due(trade: Trade, funding: FundingRate) -> bool:
    """Return whether a trade held its perp leg when `funding` settled."""
    return trade.symbol == funding.symbol and trade.opened_at_ms < funding.t_ms <= last_due_ms(trade)


def last_due_ms(trade: Trade) -> int:
    """Return the last ms at which settlements, from the one after opening on, were due to a trade.

    Settlements come before closing, liquidations and delistings before settlements.

    Source: docs/domain.md, section 3.
    """
    return trade.closed_at_ms - (trade.reason in _BEFORE_SETTLEMENTS)
