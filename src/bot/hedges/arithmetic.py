"""Arithmetic of hedges: a context whose products are exact, and the roots and quotients that are rounded.

Source: docs/domain.md, section 1.
"""

from contextlib import AbstractContextManager
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    InvalidOperation,
    Overflow,
    localcontext,
)
from math import isqrt

from bot.numbers.money import EXACT

_ROOM = Context(
    prec=160, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow, FloatOperation]
)
_ROOT_PLACES = 12


def exact_products() -> AbstractContextManager[Context]:
    """Return a block in which products of prices, fills and rates are exact.

    A fill under impact has some 30 digits: times a quantity and a fee rate it needs more than the 40 of
    `exact`.
    """
    return localcontext(_ROOM)


def divide(amount: Decimal, by: Decimal) -> Decimal:
    """Return a quotient rounded to 40 digits, as it is before it is booked."""
    return EXACT.divide(amount, by)


def ratio(amount: Decimal, by: Decimal) -> tuple[int, int]:
    """Return numerator and denominator of a quotient of amounts, `by` above 0; they are not reduced."""
    top, below = amount.as_integer_ratio()
    over, under = by.as_integer_ratio()
    return top * under, below * over


def root(amount: Decimal, by: Decimal) -> Decimal:
    """Return the exact square root of a quotient, 0 or more, rounded to 12 places, half-even."""
    numerator, denominator = ratio(amount, by)
    numerator *= 10 ** (2 * _ROOT_PLACES)
    below = isqrt(numerator // denominator)
    # The value against (below + 1/2) squared, times four denominators.
    half = 4 * (numerator - below * (below + 1) * denominator) - denominator
    if half > 0 or (half == 0 and below % 2):
        below += 1
    return Decimal(below).scaleb(-_ROOT_PLACES)


def multiple_below(amount: Decimal, by: Decimal, step: Decimal) -> Decimal:
    """Return the largest multiple of a step that is not above a quotient, `by` above 0; of a negative one any
    that is not above 0."""
    return amount // (by * step) * step
