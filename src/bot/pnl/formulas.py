"""Profit and loss of a hedge: each formula once. Amounts in quote currency, booked at 8 places.

Call inside `bot.money.exact()`, so that products are exact before they are booked.
"""

from decimal import Decimal

from bot.money import book


def notional(quantity: Decimal, price: Decimal) -> Decimal:
    """Return the booked value of `quantity` at `price`."""
    return book(quantity * price)


def fee(quantity: Decimal, fill_price: Decimal, rate: Decimal) -> Decimal:
    """Return the booked fee of one fill; `rate` is a fraction of its notional."""
    return book(quantity * fill_price * rate)


def funding_payment(quantity: Decimal, mark_price: Decimal, rate: Decimal) -> Decimal:
    """Return the cash a short moves at one settlement: received if positive, paid if negative.

    `rate` is a fraction per funding interval.
    """
    return book(quantity * mark_price * rate)


def locked_margin(quantity: Decimal, entry_price: Decimal, leverage: Decimal) -> Decimal:
    """Return the isolated margin of a short opened at `entry_price`."""
    return book(quantity * entry_price / leverage)


def short_pnl(quantity: Decimal, entry_price: Decimal, price: Decimal) -> Decimal:
    """Return what a short opened at `entry_price` has gained at `price`."""
    return book(quantity * (entry_price - price))


def hedge_value(quantity: Decimal, spot: Decimal, perp_entry: Decimal, perp: Decimal) -> Decimal:
    """Return what an open hedge adds to cash at the prices `spot` and `perp`."""
    return notional(quantity, spot) + short_pnl(quantity, perp_entry, perp)


def net_pnl(price_pnl: Decimal, funding: Decimal, fees: Decimal) -> Decimal:
    """Return what is left of a round trip."""
    return price_pnl + funding - fees
