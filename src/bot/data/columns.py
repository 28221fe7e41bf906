"""Columns of exact decimals: integer mantissas over one power of ten."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from bot.money import EXACT

_INT64_DIGITS = 18


@dataclass(frozen=True, slots=True, eq=False)
class DecimalColumn:
    """n exact values, `mantissas[i] * 10**exponent`, oldest first.

    `mantissas` is int64, or an object array of Python ints where a value needs more than 18 digits.
    The exponent is canonical: the largest, at most 0, at which every value is whole. So equal values
    have equal columns.
    """

    mantissas: npt.NDArray[np.int64] | npt.NDArray[np.object_]
    exponent: int

    @classmethod
    def from_decimals(cls, values: Sequence[Decimal]) -> "DecimalColumn":
        """Return the column of `values`, none lost and none rounded."""
        parts = [value.normalize(EXACT).as_tuple() for value in values]
        exponent = min((int(part.exponent) for part in parts), default=0)
        exponent = min(exponent, 0)
        whole = [int(value.scaleb(-exponent, context=EXACT)) for value in values]
        return cls(_packed(whole), exponent)

    def __len__(self) -> int:
        return len(self.mantissas)

    def __getitem__(self, index: slice) -> "DecimalColumn":
        """Return the canonical column of a contiguous part."""
        return self.from_decimals(self.decimals(index))

    def decimal(self, index: int) -> Decimal:
        """Return one value exactly."""
        return Decimal(int(self.mantissas[index])).scaleb(self.exponent, context=EXACT)

    def decimals(self, index: slice | npt.NDArray[np.int64] | None = None) -> list[Decimal]:
        """Return the values (those at `index`) as Decimals."""
        chosen = self.mantissas if index is None else self.mantissas[index]
        exponent = self.exponent
        return [Decimal(whole).scaleb(exponent, context=EXACT) for whole in chosen.tolist()]


def _packed(whole: Sequence[int]) -> npt.NDArray[np.int64] | npt.NDArray[np.object_]:
    limit = 10**_INT64_DIGITS
    if all(-limit < value < limit for value in whole):
        return np.array(whole, dtype=np.int64)
    packed = np.empty(len(whole), dtype=object)
    packed[:] = whole
    return packed
