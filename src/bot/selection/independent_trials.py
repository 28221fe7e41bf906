"""Effective number of independent trials: the N whose best by luck is as high as that of the search."""

import math
from statistics import NormalDist

_EULER = 0.5772156649015329
_NORMAL = NormalDist()
_STEPS = 200


def expected_maximum(trials: float) -> float:
    """Return E(N), the expected largest of N independent standard normals; minus infinity for N = 1.

    Source: Bailey, Lopez de Prado, The deflated Sharpe ratio, Journal of Portfolio Management 40 (2014).
    """
    ordinary, extreme = 1 - 1 / trials, 1 - 1 / (trials * math.e)
    if ordinary <= 0:
        return -math.inf
    return (1 - _EULER) * _NORMAL.inv_cdf(ordinary) + _EULER * _NORMAL.inv_cdf(extreme)


def luck_of_as_many(trials: float) -> float:
    """Return E+(N): the expected largest of N, 0 where it would be less and for a single trial."""
    return max(0.0, expected_maximum(trials))


def independent_trials(expected: float, distinct: int) -> float:
    """Return the N up to `distinct` whose expected maximum is `expected`, `distinct` where all have less."""
    if expected_maximum(distinct) < expected:
        return float(distinct)
    low, high = 1.0, float(distinct)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in {low, high}:  # no float lies between them: no further step would change this
            return middle
        if expected_maximum(middle) < expected:
            low = middle
        else:
            high = middle
    return (low + high) / 2
