"""Daily returns as whole numbers: sums of them are exact, so no order and no chunk of trials moves a bit."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.selection.days.digests import Digests, text_digests

BITS = 20
MOST_DAYS = 8192
"""Most days of a panel: sums of squares of as many whole returns stay within 2**53."""

_ROWS = 128


@dataclass(frozen=True, slots=True, eq=False)
class WholeReturns:
    """Returns of m trials over T days, `values[i, d] * 2.0**-exponents[i]`, of at most 20 bits.

    The values are whole, in floats, in which their sums and those of their squares are exact.
    `usable` is false for flat trials, which never moved, and broken ones, which have a day without a
    return; their rows are 0.
    """

    values: FloatArray
    exponents: IntArray
    usable: BoolArray

    def digests(self) -> Digests:
        """Return the digest of each trial, equal where exponent and returns are."""
        pieces = [slice(first, first + _ROWS) for first in range(0, max(len(self.values), 1), _ROWS)]
        return np.concatenate([text_digests(self._texts(some)) for some in pieces])

    def _texts(self, some: slice) -> npt.NDArray[np.int32]:
        """Return what digests are of: the returns as 32-bit integers and the exponent as a 64-bit one."""
        own = self.exponents[some].astype("<i8")[:, np.newaxis].view("<i4")
        return np.concatenate([self.values[some].astype("<i4"), own], axis=1)


def whole_returns(returns: FloatArray) -> WholeReturns:
    """Return a matrix (trials x days) of daily returns as whole numbers; NaN marks a broken trial.

    Raises ValueError for more days than sums can be exact over.
    """
    return whole_parts(len(returns), returns.shape[1], lambda some: returns[some])


def too_many_days(days: int) -> ValueError:
    """Return what is raised for more days than sums can be exact over."""
    return ValueError(f"{days:,} days are more than the {MOST_DAYS:,} that can be judged at once")


def whole_parts(trials: int, days: int, part: Callable[[slice], FloatArray]) -> WholeReturns:
    """Return daily returns as `whole_returns`, of which `part` gives those of some trials at a time."""
    if trials and days > MOST_DAYS:
        raise too_many_days(days)
    values = np.empty((trials, days))
    exponents, usable = np.zeros(trials, dtype=np.int64), np.zeros(trials, dtype=bool)
    for first in range(0, trials, _ROWS):
        some = slice(first, first + _ROWS)
        exponents[some], usable[some] = _scaled(part(some), values[some])
    return WholeReturns(values, exponents, usable)


def _scaled(returns: FloatArray, values: FloatArray) -> tuple[IntArray, BoolArray]:
    """Write the whole numbers of some trials to `values`; return their exponents, and which are usable."""
    np.abs(returns, out=values)
    largest = values.max(axis=1, initial=0.0)
    usable = np.isfinite(largest) & (largest > 0)
    _, powers = np.frexp(np.where(usable, largest, 1.0))
    exponents = BITS - powers.astype(np.int64)
    # In two steps, since one power of two may be more than the largest float.
    half = exponents // 2
    np.multiply(returns, np.ldexp(1.0, half)[:, None], out=values)
    np.multiply(values, np.ldexp(1.0, exponents - half)[:, None], out=values)
    np.rint(values, out=values)
    values[~usable] = 0.0
    return exponents, usable
