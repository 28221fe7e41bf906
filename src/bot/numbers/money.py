"""Exact numbers: the Decimal context, parsing, booking and printing, all in one place."""

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
from typing import Protocol, Self, TypeVar

from bot.errors import FloatMoneyError, InvalidNumberError
from bot.notation import plain, quoted

__all__ = [
    "EXACT",
    "MONEY_PLACES",
    "ONE",
    "WIDE",
    "ZERO",
    "Bookable",
    "Quantizable",
    "book",
    "dec",
    "exact",
    "plain",
    "scaled",
]

EXACT = Context(
    prec=40,
    rounding=ROUND_HALF_EVEN,
    traps=[InvalidOperation, DivisionByZero, Overflow, FloatOperation],
)
"""40 digits: every product of the domain is exact, divisions round half-even."""

WIDE = Context(prec=250, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])
"""Room for the products whose floor or order must be exact (sizing, ranking)."""

ZERO = Decimal(0)
ONE = Decimal(1)
MONEY_PLACES = 8
_MONEY_STEP = Decimal(1).scaleb(-MONEY_PLACES)


def exact() -> AbstractContextManager[Context]:
    """Return a block in which Decimal operators are exact and refuse floats."""
    return localcontext(EXACT)


def dec(value: str | int | Decimal) -> Decimal:
    """Return `value` as a finite Decimal, digit for digit.

    Raises: FloatMoneyError for float and bool; InvalidNumberError for text that is no finite number.
    """
    if isinstance(value, bool | float):
        raise FloatMoneyError(f"{quoted(value)} is a {type(value).__name__}; write exact numbers as text")
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        raise InvalidNumberError(f"{quoted(value)} is not a decimal number")
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
    except (InvalidOperation, ValueError, TypeError):
        raise InvalidNumberError(f"{quoted(value)} is not a decimal number") from None
    if not number.is_finite():
        raise InvalidNumberError(f"{quoted(value)} is not a finite number")
    return number


def scaled(whole: int, exponent: int) -> Decimal:
    """Return `whole * 10**exponent`."""
    return Decimal(whole).scaleb(exponent, context=EXACT)


class Quantizable(Protocol):
    """A number, or many of them, that can be rounded half-even to the places of a step."""

    def quantize(self, step: Decimal, /) -> Self:
        """Return the rounded value."""


Bookable = TypeVar("Bookable", bound=Quantizable)


def book(amount: Bookable) -> Bookable:
    """Return `amount` (quote currency) as it enters a ledger: 8 places, half-even.

    Call inside `exact()`.
    """
    return amount.quantize(_MONEY_STEP)
