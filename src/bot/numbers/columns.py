"""Columns of exact decimals: integer mantissas over one power of ten."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import numpy as np
import numpy.typing as npt

from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.money import WIDE, scaled

Mantissas = IntArray | npt.NDArray[np.object_]
Index = slice | IntArray | BoolArray

_LIMIT = 10**18


@dataclass(frozen=True, slots=True, eq=False)
class DecimalColumn:
    """n exact values, `mantissas[i] * 10**exponent`, oldest first.

    `mantissas` is int64, or an object array of Python ints where a value needs more than 18 digits.
    The exponent is canonical: the largest, at most 0, at which every value is whole. So equal values
    have equal columns.
    """

    mantissas: Mantissas
    exponent: int

    @classmethod
    def from_decimals(cls, values: Sequence[Decimal]) -> "DecimalColumn":
        """Return the column of `values`, none lost and none rounded."""
        exponent = min((int(value.as_tuple().exponent) for value in values if value), default=0)
        exponent = min(exponent, 0)
        multiply, scale = WIDE.multiply, Decimal(1).scaleb(-exponent)
        return cls.from_whole([int(multiply(value, scale)) for value in values], exponent)

    @classmethod
    def from_whole(cls, whole: Sequence[int], exponent: int) -> "DecimalColumn":
        """Return the canonical column of integers over any `exponent` of at most 0."""
        return cls.of(_packed(whole), exponent)

    @classmethod
    def of(cls, mantissas: Mantissas, exponent: int) -> "DecimalColumn":
        """Return the canonical column of `mantissas` over any `exponent` of at most 0."""
        while exponent < 0 and not (mantissas % 10).any():
            mantissas = cast("Mantissas", mantissas // 10)
            exponent += 1
        if mantissas.dtype == object:
            mantissas = _packed(mantissas.tolist())
        return cls(mantissas, exponent)

    @classmethod
    def concat(cls, parts: Sequence["DecimalColumn"]) -> "DecimalColumn":
        """Return the parts as one canonical column."""
        exponent = min((part.exponent for part in parts), default=0)
        scaled = [part.mantissas_over(exponent) for part in parts]
        joined = np.concatenate(scaled) if scaled else np.empty(0, dtype=np.int64)
        return cls(cast("Mantissas", joined), exponent)

    def __len__(self) -> int:
        return len(self.mantissas)

    def __getitem__(self, index: Index) -> "DecimalColumn":
        """Return the canonical column of the rows at `index`."""
        return self.of(self.mantissas[index], self.exponent)

    def part(self, index: slice) -> "DecimalColumn":
        """Return contiguous rows over the same exponent, without copying; it need not be canonical."""
        return DecimalColumn(self.mantissas[index], self.exponent)

    def mantissas_over(self, exponent: int) -> Mantissas:
        """Return the mantissas over a smaller exponent."""
        factor = 10 ** (self.exponent - exponent)
        if factor == 1 or not np.any(self.mantissas):
            return self.mantissas
        if int(np.abs(self.mantissas).max()) * factor >= _LIMIT:
            return cast("Mantissas", self.mantissas.astype(object) * factor)
        return cast("Mantissas", self.mantissas * factor)

    def scaled(self, power: int) -> "DecimalColumn":
        """Return the canonical column of the values times ten to the `power`."""
        moved = DecimalColumn(self.mantissas, self.exponent + power)
        exponent = min(moved.exponent, 0)
        return self.of(moved.mantissas_over(exponent), exponent)

    def decimal(self, index: int) -> Decimal:
        """Return one value exactly."""
        return scaled(int(self.mantissas[index]), self.exponent)

    def decimals(self, index: Index | None = None) -> list[Decimal]:
        """Return the values (those at `index`) as Decimals."""
        chosen = self.mantissas if index is None else self.mantissas[index]
        exponent = self.exponent
        return [scaled(whole, exponent) for whole in chosen.tolist()]


def _packed(whole: Sequence[int]) -> Mantissas:
    if all(-_LIMIT < value < _LIMIT for value in whole):
        return np.array(whole, dtype=np.int64)
    packed = np.empty(len(whole), dtype=object)
    packed[:] = whole
    return packed
