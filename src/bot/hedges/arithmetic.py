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
from fractions import Fraction
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


def root(value: Fraction) -> Decimal:
    """Return the exact square root of a value, 0 or more, rounded to 12 places, half-even."""
    squared = value * 10 ** (2 * _ROOT_PLACES)
    below = isqrt(squared.numerator // squared.denominator)
    half = squared - below * below - below - Fraction(1, 4)  # against (below + 1/2) squared
    if half > 0 or (half == 0 and below % 2):
        below += 1
    return Decimal(below).scaleb(-_ROOT_PLACES)


def multiple_below(amount: Fraction, step: Decimal) -> Decimal:
    """Return the largest multiple of a step that is not above an amount."""
    return Decimal(amount // Fraction(step)) * step
