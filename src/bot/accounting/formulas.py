"""Profit and loss of a hedge: each formula once. Amounts in quote currency, booked at 8 places.

Call inside `exact()`, so that products are exact before they are booked. One hedge comes as
Decimal, many at once as ExactArray; rates are Decimal for all of them, or one for each.

Source: docs/domain.md, sections 3 and 4; each function names its own.
"""

from decimal import Decimal
from typing import TypeVar

from bot.numbers.arrays import IntArray
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import book

Amount = TypeVar("Amount", Decimal, ExactArray)
Net = TypeVar("Net", Decimal, IntArray)


def notional(quantity: Amount, price: Amount) -> Amount:
    """Return the booked value of `quantity` at `price`.

    Source: docs/domain.md, section 4.
    """
    return book(quantity * price)


def fee(quantity: Amount, fill_price: Amount, rate: Decimal) -> Amount:
    """Return the booked fee of one fill; `rate` is a fraction of its notional.

    Source: docs/domain.md, section 4.
    """
    return book(quantity * fill_price * rate)


def unit_funding(mark_price: Amount, rate: Amount) -> Amount:
    """Return the cash that a settlement moves on a short of one unit, not booked.

    `rate` is a fraction per funding interval.

    Source: docs/domain.md, section 3.
    """
    return mark_price * rate


def funding_payment(per_unit: Amount, quantity: Amount | Decimal) -> Amount:
    """Return the booked funding of a short at a settlement: received if positive, paid if negative.

    `per_unit` is `unit_funding` of the settlement.

    Source: docs/domain.md, section 3.
    """
    return book(per_unit * quantity)


def locked_margin(quantity: Amount, entry_price: Amount, leverage: Decimal) -> Amount:
    """Return the booked isolated margin of a short opened at `entry_price`.

    Source: docs/domain.md, section 4.
    """
    return book(quantity * entry_price / leverage)


def short_pnl(quantity: Amount, entry_price: Amount, price: Amount) -> Amount:
    """Return the booked gain at `price` of a short opened at `entry_price`.

    Source: docs/domain.md, section 4.
    """
    return book(quantity * (entry_price - price))


def hedge_value(quantity: Amount, spot: Amount, perp_entry: Amount, perp: Amount) -> Amount:
    """Return the value that an open hedge adds to cash at the prices `spot` and `perp`.

    Source: docs/domain.md, section 4.
    """
    return notional(quantity, spot) + short_pnl(quantity, perp_entry, perp)


def price_pnl(quantity: Amount, spot_cost: Amount, spot_exit: Amount, perp_pnl: Amount) -> Amount:
    """Return the price P&L of both legs of a hedge bought for `spot_cost`, sold at `spot_exit`.

    Source: docs/domain.md, section 4.
    """
    return notional(quantity, spot_exit) - spot_cost + perp_pnl


def net_pnl(price_pnl: Net, funding: Net, fees: Net) -> Net:
    """Return the net P&L of a trade.

    Source: docs/domain.md, section 4.
    """
    return price_pnl + funding - fees
