"""Basis sub-score: the distance of the perp above spot."""

from decimal import Decimal
from typing import TypeVar

from bot.numbers.arrays import FloatArray
from bot.numbers.money import ONE, ZERO

Prices = TypeVar("Prices", Decimal, FloatArray)


def basis(spot: Prices, perp: Prices) -> Prices:
    """Return the perp's premium over spot as a fraction of spot: negative for a discount."""
    return (perp - spot) / spot


def basis_score(spot: Decimal, perp: Decimal, cap: Decimal) -> Decimal:
    """Return the perp's premium over spot as a share of `cap`, from 0 (discount) to 1."""
    return min(max(basis(spot, perp) / cap, ZERO), ONE)
