"""The weighted score, in exact integers, of one settlement or of many."""

from decimal import Decimal
from typing import Any

SUB_SCORE_PLACES = 8
SCORE_PLACES = 6
_STEP = 10 ** (SUB_SCORE_PLACES - SCORE_PLACES)


def whole_weights(weights: tuple[Decimal, ...]) -> tuple[int, ...]:
    """Return relative weights as integers in the same proportions."""
    exponent = min(int(weight.as_tuple().exponent) for weight in weights)
    return tuple(int(weight.scaleb(-exponent)) for weight in weights)


def weighted_score(weights: tuple[int, ...], sub_scores: tuple[Any, ...]) -> Any:
    """Return the weighted mean of sub-scores, rounded half-even.

    `sub_scores` are integers of 1e-8, or arrays of them, one a weight; the result is in 1e-6. With arrays,
    the caller sees to it that weights times sub-scores fit their integer type.
    """
    total = sum(weight * sub_score for weight, sub_score in zip(weights, sub_scores, strict=True))
    return half_even(total, sum(weights) * _STEP)


def half_even(whole: Any, unit: Any) -> Any:
    """Return a quotient of integers, or of arrays of them, rounded half-even; `unit` is above 0."""
    floor = whole // unit
    rest = whole - floor * unit
    return floor + ((2 * rest > unit) | ((2 * rest == unit) & (floor % 2 == 1)))
