"""Sharpe ratio of whole returns from their exact sums, daily and never annualised."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from bot.numbers.arrays import FloatArray


def deviation(days: int, total: int, squares: int) -> float | None:
    """Return the deviation (ddof 1) of `days` whole returns; None below two or where all are equal."""
    spread = days * squares - total * total
    return math.sqrt(spread / (days * (days - 1))) if days > 1 and spread else None


def sharpe(days: int, total: int, squares: int) -> float | None:
    """Return mean over deviation of `days` whole returns from their sum and the sum of their squares."""
    spread = deviation(days, total, squares)
    return None if spread is None else total / days / spread


def deviations(days: int, totals: FloatArray, squares: FloatArray) -> FloatArray:
    """Return `deviation` of each of many trials from whole sums, NaN where undefined."""
    sums = zip(totals.astype(np.int64).tolist(), squares.astype(np.int64).tolist(), strict=True)
    found = (deviation(days, *own) for own in sums)
    return np.array([math.nan if one is None else one for one in found])


@dataclass(frozen=True, slots=True)
class PowerSums:
    """Sums of n whole returns and of their second to fourth powers, exact."""

    n: int
    first: int
    second: int
    third: int
    fourth: int

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        """Return the sums of some returns."""
        own: list[int] = values.astype(np.int64).tolist()
        squares = [value * value for value in own]
        return cls(
            len(own),
            sum(own),
            sum(squares),
            sum(value * square for value, square in zip(own, squares, strict=True)),
            sum(square * square for square in squares),
        )

    @property
    def sharpe(self) -> float | None:
        """Mean over deviation (ddof 1), None where undefined."""
        return sharpe(self.n, self.first, self.second)

    def skewness_and_kurtosis(self) -> tuple[float, float]:
        """Return skewness and raw kurtosis (3 of a normal), of central moments with ddof 0.

        Raises ZeroDivisionError where all returns are equal.
        """
        n, a, q = self.n, self.first, self.second
        variance = (n * q - a * a) / n**2
        third = n * n * self.third - 3 * n * a * q + 2 * a**3
        fourth = n**3 * self.fourth - 4 * n * n * a * self.third + 6 * n * a * a * q - 3 * a**4
        return third / n**3 / variance / math.sqrt(variance), fourth / n**4 / variance**2
