"""Mean block of a stationary bootstrap that fits how long days depend on each other."""

import math

import numpy as np

from bot.numbers.arrays import FloatArray


def block_length(values: FloatArray) -> float:
    """Return the mean block for n equally spaced values, oldest first; 1 where they do not vary.

    Source: Politis, White, Automatic block-length selection for the dependent bootstrap, Econometric Reviews
    23 (2004), with the correction of Patton, Politis, White, Econometric Reviews 28 (2009).
    """
    n = len(values)
    centred = values - math.fsum(values) / n
    if not centred.any():
        return 1.0
    run = max(5, int(math.log10(n)))
    most = math.ceil(math.sqrt(n)) + run
    covariances = [_product(centred[lag:], centred[: n - lag]) / n for lag in range(most + 1)]
    m = _bandwidth(centred, run, most)
    weights = [min(1.0, 2 * (1 - lag / m)) for lag in range(1, m + 1)]
    lags = list(zip(range(1, m + 1), weights, covariances[1:], strict=False))
    slope = 2 * math.fsum(weight * lag * covariance for lag, weight, covariance in lags)
    level = covariances[0] + 2 * math.fsum(weight * covariance for _, weight, covariance in lags)
    longest = math.ceil(min(3 * math.sqrt(n), n / 3))
    if not level:
        return float(longest)
    fitting: float = (2 * slope**2 / (2 * level**2) * n) ** (1 / 3)
    return min(fitting, longest)


def _bandwidth(centred: FloatArray, run: int, most: int) -> int:
    """Return twice the first lag from which `run` autocorrelations are all small."""
    n = len(centred)
    small = 2 * math.sqrt(math.log10(n) / n)
    inside = [_autocorrelation(centred, lag) < small for lag in range(1, most)]
    for first in range(1, most - run + 1):
        if all(inside[first - 1 : first - 1 + run]):
            return min(2 * first, most)
    return most


def _autocorrelation(centred: FloatArray, lag: int) -> float:
    """Return the absolute autocorrelation over the days that the two series share."""
    later, earlier = centred[lag:], centred[: len(centred) - lag]
    spread = math.sqrt(_product(later, later) * _product(earlier, earlier))
    return abs(_product(later, earlier)) / spread if spread else 0.0


def _product(one: FloatArray, other: FloatArray) -> float:
    """Return the sum of products, rounded once so that it is the same with every library."""
    return math.fsum(np.multiply(one, other).tolist())
