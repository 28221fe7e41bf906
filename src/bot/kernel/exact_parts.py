"""Decimals as whole numbers over decimal places, the form in which the kernel takes them."""

from decimal import Decimal
from functools import lru_cache

from bot.kernel.unfit import Reason, UnfitError
from bot.numbers.money import WIDE

_MASK_64 = (1 << 64) - 1
ABSENT = (0, -1)
"""Parts of a cap that is not set."""


@lru_cache(maxsize=10_000)
def parts(value: Decimal) -> tuple[int, int]:
    """Return the smallest whole number and its places (0 or more) that make up `value`."""
    sign, digits, exponent = WIDE.normalize(value).as_tuple()
    mantissa = int("".join(map(str, digits))) * (-1 if sign else 1)
    place = int(exponent)
    return (mantissa * 10**place, 0) if place > 0 else (mantissa, -place)


def narrow(value: int) -> int:
    """Return `value` if the kernel's 64-bit fields have room for it; raises UnfitError."""
    if not -(2**62) < value < 2**62:
        raise UnfitError(Reason.RANGE)
    return value


def wide(value: int) -> tuple[int, int]:
    """Return the low and high half of a value for the kernel's 128-bit fields; raises UnfitError."""
    if not -(2**126) < value < 2**126:
        raise UnfitError(Reason.RANGE)
    return value & _MASK_64, (value >> 64) & _MASK_64
