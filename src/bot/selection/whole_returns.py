"""Daily returns as whole numbers: sums of them are exact, so no order and no chunk of trials moves a bit."""

import hashlib
from dataclasses import dataclass

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray

BITS = 20
MOST_DAYS = 8192
"""Most days of a panel: sums of squares of as many whole returns stay within 2**53."""


@dataclass(frozen=True, slots=True, eq=False)
class WholeReturns:
    """Returns of m trials over T days, `values[i, d] * 2.0**-exponents[i]`, of at most 20 bits.

    `usable` is false for flat trials, which never moved, and broken ones, which have a day without a
    return; their rows are 0.
    """

    values: IntArray
    exponents: IntArray
    usable: BoolArray

    def at(self, rows: IntArray) -> "WholeReturns":
        """Return the trials at some rows."""
        return WholeReturns(self.values[rows], self.exponents[rows], self.usable[rows])

    def digests(self) -> list[bytes]:
        """Return 16 bytes for each trial, equal where exponent and returns are."""
        exponents = self.exponents.astype("<i8")
        rows = np.ascontiguousarray(self.values, dtype="<i4")
        return [
            hashlib.blake2b(row.data, digest_size=16, salt=exponent.tobytes()).digest()
            for row, exponent in zip(rows, exponents, strict=True)
        ]


def whole_returns(returns: FloatArray) -> WholeReturns:
    """Return a matrix (trials x days) of daily returns as whole numbers; NaN marks a broken trial.

    Raises ValueError for more days than sums can be exact over.
    """
    if returns.shape[1] > MOST_DAYS:
        raise ValueError(
            f"{returns.shape[1]:,} days are more than the {MOST_DAYS:,} that can be judged at once"
        )
    largest = np.abs(returns).max(axis=1, initial=0.0)
    usable = np.isfinite(largest) & (largest > 0)
    _, powers = np.frexp(np.where(usable, largest, 1.0))
    exponents = BITS - powers.astype(np.int64)
    scaled = np.ldexp(np.where(usable[:, None], returns, 0.0), exponents[:, None])
    return WholeReturns(np.rint(scaled).astype(np.int64), exponents, usable)
