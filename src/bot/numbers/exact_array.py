"""Exact arrays: many amounts in the arithmetic of Decimal, so that one formula serves one amount or many."""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Self, cast

import numpy as np

from bot.numbers.arrays import IntArray
from bot.numbers.columns import DecimalColumn, Mantissas
from bot.numbers.money import EXACT, scaled

Index = IntArray | slice
# Half the int64 range: `quantize` may add up to half a unit to a value within the limit.
_LIMIT = 2**62
# Products beyond 64 bits are held as high * _BASE + low, each of them an int64.
_BASE = 10**9
_ONE: IntArray = np.array(1)


class ExactArray:
    """n exact values, `mantissas[i] * 10**exponent`; no absolute mantissa is above `bound`.

    64 bits suffice for what exchanges quote. Where `bound` says that they might not, Python integers are
    used for as long as it takes, so that no result is ever rounded or wrapped.
    """

    __slots__ = ("bound", "exponent", "mantissas")

    def __init__(self, mantissas: Mantissas, exponent: int, bound: int | None = None) -> None:
        self.mantissas = mantissas
        self.exponent = exponent
        self.bound = int(np.abs(mantissas).max(initial=0)) if bound is None else bound

    @classmethod
    def of(cls, column: DecimalColumn) -> Self:
        """Return the values of a column."""
        return cls(column.mantissas, column.exponent)

    @classmethod
    def from_decimals(cls, values: Sequence[Decimal]) -> Self:
        """Return `values`, none lost and none rounded."""
        return cls.of(DecimalColumn.from_decimals(values))

    @classmethod
    def joined(cls, parts: Sequence["ExactArray"]) -> Self:
        """Return the values of `parts`, all over one exponent, one part after the other."""
        mantissas = np.concatenate([part.mantissas for part in parts])
        return cls(cast("Mantissas", mantissas), parts[0].exponent, max(part.bound for part in parts))

    def __getitem__(self, index: Index) -> "ExactArray":
        """Return the values at `index`."""
        return ExactArray(self.mantissas[index], self.exponent, self.bound)

    def __mul__(self, other: "ExactArray | Decimal") -> "ExactArray":
        """Return the products with one value, or with as many values."""
        factor, exponent, size = _parts(other)
        bound, exponent = self.bound * size, self.exponent + exponent
        mantissas = self.mantissas
        # Python integers are slow: they are used only where two int64 halves do not hold the product either.
        if bound >= _LIMIT and mantissas.dtype != object and max(bound // _BASE, size * _BASE) < _LIMIT:
            return _WideArray(mantissas, factor, exponent, bound)
        return ExactArray(_room(mantissas, max(bound, size)) * factor, exponent, bound)

    def __add__(self, other: "ExactArray") -> "ExactArray":
        """Return the sums."""
        left, right, exponent, bound = self._aligned(other)
        return ExactArray(cast("Mantissas", left + right), exponent, bound)

    def __sub__(self, other: "ExactArray") -> "ExactArray":
        """Return the differences."""
        left, right, exponent, bound = self._aligned(other)
        return ExactArray(cast("Mantissas", left - right), exponent, bound)

    def __neg__(self) -> "ExactArray":
        """Return the values with the other sign."""
        return ExactArray(-self.mantissas, self.exponent, self.bound)

    def decimals(self) -> list[Decimal]:
        """Return the values as Decimals."""
        return DecimalColumn(self.mantissas, self.exponent).decimals()

    def quantize(self, step: Decimal) -> "ExactArray":
        """Return each value rounded half-even to the places of `step`, a power of ten."""
        exponent = step.adjusted()
        if exponent <= self.exponent:
            return self._over(exponent)
        size, unit, half = _rounding(exponent - self.exponent)
        # Ties go to even: half a unit less one is added, and one more where the floored quotient is odd.
        # Floor division makes this right for negative values too. `2 * size` keeps the unit itself in 64
        # bits.
        mantissas = _room(self.mantissas, max(self.bound, 2 * size))
        rounded = (mantissas + ((mantissas // unit & _ONE) + half)) // unit
        # 1 more than the quotient of the bounds: a value may be rounded up. Integers that fit again are
        # packed.
        bound = self.bound // size + 1
        fits = rounded.dtype.hasobject and bound < _LIMIT
        return ExactArray(rounded.astype(np.int64) if fits else rounded, exponent, bound)

    def decimal(self, place: int) -> Decimal:
        """Return one of the values as a Decimal."""
        return scaled(int(self.mantissas[place]), self.exponent)

    def total(self) -> Decimal:
        """Return the sum of the values."""
        bound = self.bound * len(self.mantissas)
        return scaled(int(_room(self.mantissas, bound).sum()), self.exponent)

    def running(self) -> "ExactArray":
        """Return the sums of the first 1, 2, ... values."""
        # No partial sum of n values is above n times the bound, whatever their signs.
        bound = self.bound * len(self.mantissas)
        return ExactArray(_room(self.mantissas, bound).cumsum(), self.exponent, bound)

    def whole(self, places: int) -> Mantissas:
        """Return values of at most so many decimal places as integers of the last of them."""
        return self._over(-places).mantissas

    def _over(self, exponent: int) -> "ExactArray":
        """Return the same values over an exponent that is not larger."""
        factor = 10 ** (self.exponent - exponent)
        if factor == 1:
            return self
        bound = self.bound * factor
        return ExactArray(_room(self.mantissas, max(bound, factor)) * factor, exponent, bound)

    def _aligned(self, other: "ExactArray") -> tuple[Mantissas, Mantissas, int, int]:
        exponent = min(self.exponent, other.exponent)
        left, right = self._over(exponent), other._over(exponent)  # noqa: SLF001 - its own kind
        # One bound serves sum and difference: |left| + |right| is above both.
        bound = left.bound + right.bound
        return _room(left.mantissas, bound), _room(right.mantissas, bound), exponent, bound


class _WideArray(ExactArray):
    """Products of more than 64 bits, not yet rounded: two integers over a base."""

    __slots__ = ("_high", "_low")

    def __init__(self, mantissas: Mantissas, factor: Mantissas | int, exponent: int, bound: int) -> None:
        self.exponent, self.bound = exponent, bound
        # upper * factor and (remainder < _BASE) * factor both stay below _LIMIT: `__mul__` has checked it.
        upper = mantissas // _BASE
        low = (mantissas - upper * _BASE) * factor
        carried = low // _BASE
        self._high, self._low = upper * factor + carried, low - carried * _BASE

    @property
    def mantissas(self) -> Mantissas:  # type: ignore[override]
        """The products as Python integers."""
        return self._high.astype(object) * _BASE + self._low

    def quantize(self, step: Decimal) -> ExactArray:
        """Return each value rounded half-even to the places of `step`, a power of ten."""
        exponent = step.adjusted()
        # Rounding by less than _BASE, or by a unit whose doubled remainder would wrap, goes by Python
        # integers.
        unit = 10 ** max(exponent - self.exponent, 0) // _BASE
        if not 0 < unit < _LIMIT // (4 * _BASE):
            return ExactArray(self.mantissas, self.exponent, self.bound).quantize(step)
        floor = self._high // unit
        twice = 2 * ((self._high - floor * unit) * _BASE + self._low)
        return ExactArray(_half_even(floor, twice, unit * _BASE), exponent, self.bound // unit // _BASE + 1)


def _half_even(floor: Mantissas, twice: Mantissas, unit: int) -> Mantissas:
    """Return quotients rounded half-even, from their floors and twice what these leave of `unit`."""
    return cast("Mantissas", floor + (twice + (floor & 1) > unit))


def _parts(factor: ExactArray | Decimal) -> tuple[Mantissas, int, int]:
    """Return mantissas, exponent and bound of a factor."""
    if isinstance(factor, ExactArray):
        return factor.mantissas, factor.exponent, factor.bound
    return _whole_parts(factor)


@lru_cache(maxsize=1_000)
def _whole_parts(value: Decimal) -> tuple[Mantissas, int, int]:
    exponent = cast("int", value.normalize(EXACT).as_tuple().exponent)
    whole = int(value.scaleb(-exponent, context=EXACT))
    return _single(whole), exponent, abs(whole)


@lru_cache
def _rounding(places: int) -> tuple[int, Mantissas, Mantissas]:
    """Return 10**places twice, and what is added before rounding to a multiple of it."""
    unit = 10**places
    return unit, _single(unit), _single(unit // 2 - 1)


def _single(whole: int) -> Mantissas:
    """Return an array without dimensions: numpy takes those twice as fast as Python integers."""
    return np.array(whole, dtype=np.int64 if abs(whole) < _LIMIT else object)


def _room(mantissas: Mantissas, bound: int) -> Mantissas:
    """Return mantissas that a result of up to `bound` does not wrap."""
    return mantissas if bound < _LIMIT or mantissas.dtype == object else mantissas.astype(object)
