"""Profit and loss of a hedge: each formula once. Amounts in quote currency, booked at 8 places.

A leg's `side` is +1 if it is long, -1 if it is short. Call inside `exact()`, so that products are exact
before they are booked. One hedge comes as Decimal, many at once as ExactArray; rates are Decimal for all of
them, or one for each.

Source: docs/domain.md, sections 3 and 4; each function names its own.
"""

from decimal import Decimal
from typing import TypeVar

from bot.numbers.arrays import IntArray
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import ONE, book

Amount = TypeVar("Amount", Decimal, ExactArray)
Net = TypeVar("Net", Decimal, IntArray)


def notional(quantity: Amount, price: Amount) -> Amount:
    """Return the booked value of `quantity` at `price`.

    Source: docs/domain.md, section 4.
    """
    return book(quantity * price)


def fee(quantity: Amount, fill_price: Amount, rate: Amount | Decimal) -> Amount:
    """Return the booked fee of one fill; `rate` is a fraction of its notional.

    Source: docs/domain.md, section 4.
    """
    return book(quantity * fill_price * rate)


def unit_funding(mark_price: Amount, rate: Amount) -> Amount:
    """Return the cash that a settlement moves from the longs to the shorts of one unit, not booked.

    `rate` is a fraction per funding interval.

    Source: docs/domain.md, section 3.
    """
    return mark_price * rate


def funding_payment(side: Decimal, per_unit: Amount, quantity: Amount | Decimal) -> Amount:
    """Return the booked funding of a leg at a settlement: received if positive, paid if negative.

    `per_unit` is `unit_funding` of the settlement.

    Source: docs/domain.md, section 3.
    """
    return book(per_unit * (quantity * -side))


def locked_margin(quantity: Decimal, entry_price: Decimal, leverage: Decimal) -> Decimal:
    """Return the booked isolated margin of a perp leg opened at `entry_price`.

    Source: docs/domain.md, section 4.
    """
    return book(quantity * entry_price / leverage)


def spot_share(slippage: Decimal, fee: Decimal, leverage: Decimal) -> Decimal:
    """Return what a spot leg ties up, as a share of its notional, times the leverage.

    Source: docs/domain.md, section 4.
    """
    return (ONE + slippage) * (ONE + fee) * leverage


def perp_share(slippage: Decimal, fee: Decimal, leverage: Decimal) -> Decimal:
    """Return what a perp leg ties up, as a share of its notional, times the leverage.

    Source: docs/domain.md, section 4.
    """
    return (ONE - slippage) * (ONE + fee * leverage)


def unit_cost(spot: Decimal, spot_part: Decimal, perp: Decimal, perp_part: Decimal) -> Decimal:
    """Return what a hedge of one unit ties up at these prices, given `spot_share` and `perp_share`.

    Source: docs/domain.md, section 4.
    """
    return spot * spot_part + perp * perp_part


def margin_backing(
    side: Decimal, margin: Decimal, quantity: Decimal, entry_price: Decimal, ratio: Decimal
) -> Decimal:
    """Return the part of `ratio` times the margin balance of a leg that does not depend on the price.

    Source: docs/domain.md, section 6.
    """
    return (margin - quantity * side * entry_price) * ratio


def margin_need(side: Decimal, quantity: Decimal, mmr: Decimal, ratio: Decimal) -> Decimal:
    """Return, per unit of price, maintenance margin less what the price adds to `ratio` times the balance.

    Source: docs/domain.md, section 6.
    """
    return quantity * (mmr - side * ratio)


def leg_pnl(side: Decimal, quantity: Amount, entry_price: Amount, price: Amount) -> Amount:
    """Return the booked gain at `price` of a leg opened at `entry_price`.

    Source: docs/domain.md, section 4.
    """
    return book(quantity * side * (price - entry_price))


def hedge_value(
    spot_side: Decimal, perp_side: Decimal, quantity: Amount, spot: Amount, perp_entry: Amount, perp: Amount
) -> Amount:
    """Return the value that an open hedge adds to cash at the prices `spot` and `perp`.

    Source: docs/domain.md, section 4.
    """
    return notional(quantity * spot_side, spot) + leg_pnl(perp_side, quantity, perp_entry, perp)


def spot_pnl(side: Decimal, quantity: Amount, cost: Amount, price: Amount) -> Amount:
    """Return the gain at `price` of a spot leg opened for `cost`, its booked notional.

    Source: docs/domain.md, section 4.
    """
    return (notional(quantity, price) - cost) * side


def price_pnl(
    side: Decimal, quantity: Amount, spot_cost: Amount, spot_exit: Amount, perp_pnl: Amount
) -> Amount:
    """Return the price P&L of both legs: the spot leg on `side`, opened for `spot_cost`, left at `spot_exit`.

    Source: docs/domain.md, section 4.
    """
    return spot_pnl(side, quantity, spot_cost, spot_exit) + perp_pnl


def net_pnl(price_pnl: Net, flows: Net, fees: Net) -> Net:
    """Return the net P&L of a trade; `flows` is the sum of what it received and paid while it was held.

    Source: docs/domain.md, section 4.
    """
    return price_pnl + flows - fees
