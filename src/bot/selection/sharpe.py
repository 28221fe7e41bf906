"""Sharpe ratio of whole returns from their exact sums, daily and never annualised."""

import math
from typing import Any, NamedTuple, Self

import numpy as np

from bot.numbers.arrays import FloatArray

SPLIT_SUMS = 7
"""Number of the sums of `split_sums`."""
_SPLIT = 20


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


class PowerSums(NamedTuple):
    """Sums of n whole returns and of their second to fourth powers, exact."""

    n: int
    first: int
    second: int
    third: int
    fourth: int

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        """Return the sums of some returns."""
        return cls.of_split(len(values), split_sums(values[np.newaxis]))[0]

    @classmethod
    def of_split(cls, n: int, split: FloatArray) -> list[Self]:
        """Return the sums of n returns each from rows of `split_sums`."""
        return [cls(n, *own) for own in zip(*powers(split), strict=True)]

    @property
    def deviation(self) -> float | None:
        """Deviation (ddof 1), None where undefined."""
        return deviation(self.n, self.first, self.second)

    @property
    def sharpe(self) -> float | None:
        """Mean over deviation (ddof 1), None where undefined."""
        return sharpe(self.n, self.first, self.second)

    def skewness_and_kurtosis(self) -> tuple[float, float]:
        """Return skewness and raw kurtosis (3 of a normal), of central moments with ddof 0.

        Raises ZeroDivisionError where all returns are equal.
        """
        variance, third, fourth = moments(*self)
        return third / variance / math.sqrt(variance), fourth / (variance * variance)


def powers(split: FloatArray) -> tuple[Any, Any, Any, Any]:
    """Return the sums of the first to fourth powers from rows of `split_sums`, as arrays of integers."""
    first, second, third_high, third_low, high, mixed, low = split.T.astype(np.int64).astype(object)
    third = (third_high << _SPLIT) + third_low
    return first, second, third, (((high << _SPLIT) + 2 * mixed) << _SPLIT) + low


def moments(n: int, first: Any, second: Any, third: Any, fourth: Any) -> tuple[Any, Any, Any]:
    """Return the second to fourth central moments (ddof 0) from sums of powers.

    The sums are integers, or arrays of Python's own: the fourth powers need more than 64 bits. Each moment
    is rounded once.
    """
    squares, cubes, fourths, aa = n * second, n * n * third, n * n * fourth, first * first
    return (
        (squares - aa) / (n * n),
        (cubes - first * (3 * squares - 2 * aa)) / n**3,
        (n * fourths - 4 * first * cubes + 3 * aa * (2 * squares - aa)) / n**4,
    )


def split_sums(values: FloatArray) -> FloatArray:
    """Return seven sums of each row of whole returns (trials x days), exact in float64 in any order.

    With `u` for the returns and `u^2 = h * 2**20 + l`, those of u, u^2, u*h, u*l, h^2, h*l and l^2.
    """
    squares = values * values
    high = np.floor(squares * 2.0**-_SPLIT)
    low = squares - high * 2.0**_SPLIT
    columns = (values, squares, values * high, values * low, high * high, high * low, low * low)
    return np.stack([column.sum(axis=1) for column in columns], axis=1)
