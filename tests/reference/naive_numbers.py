"""Exact arithmetic of the reference: fractions, and the three places where the specification rounds."""

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

Number = str | int | Fraction


@lru_cache(maxsize=2**17)
def exact(value: Number) -> Fraction:
    """Return a number or its text as a fraction; drawn markets repeat most texts."""
    # A decimal reads a text, as exactly, in a third of the time that a fraction takes.
    return Fraction(*Decimal(value).as_integer_ratio()) if isinstance(value, str) else Fraction(value)


def round_places(value: Fraction, places: int) -> Fraction:
    """Return `value` rounded half-even to `places` decimal places, which may be negative."""
    unit = Fraction(10) ** places
    return round(value * unit) / unit


def round40(value: Fraction) -> Fraction:
    """Return `value` rounded half-even to 40 significant digits, as every division of the engine is."""
    if value == 0:
        return value
    size = abs(value)
    exponent = len(str(size.numerator)) - len(str(size.denominator))
    if size < Fraction(10) ** exponent:
        exponent -= 1
    return round_places(value, 39 - exponent)


def divide(numerator: Fraction, denominator: Fraction) -> Fraction:
    """Return the quotient as a context of 40 digits gives it."""
    return round40(numerator / denominator)


def book(value: Fraction) -> Fraction:
    """Return the amount that enters a ledger: 8 decimal places, half-even."""
    return round_places(value, 8)


def plain(value: Fraction) -> str:
    """Return the exact decimal text of `value`, without exponent and trailing zeros.

    Raises: ValueError if the value has no finite decimal expansion.
    """
    places = 0
    while 10**places % value.denominator:
        places += 1
        if places > 400:
            raise ValueError(f"{value} has no finite decimal expansion")
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    whole, part = digits[: len(digits) - places], digits[len(digits) - places :]
    return ("-" if value < 0 else "") + whole + ("." + part if part else "")
