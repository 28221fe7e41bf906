"""Regimes of funding: negative, neutral, and high from a rate per 8 hours on; compared exactly.

Source: docs/domain.md, section 9.
"""

from decimal import Decimal
from enum import IntEnum
from typing import cast

import numpy as np

from bot.numbers.arrays import IntArray
from bot.numbers.exact_array import ExactArray

_HOURS_8 = Decimal(8)


class Regime(IntEnum):
    """Regime of a settlement."""

    NEGATIVE = 0
    NEUTRAL = 1
    HIGH = 2


def regime(rate: Decimal, interval_hours: int, high: Decimal) -> Regime:
    """Return the regime of a settlement of `rate` per interval; `high` is per 8 hours."""
    if rate < 0:
        return Regime.NEGATIVE
    return Regime.HIGH if rate * _HOURS_8 >= high * interval_hours else Regime.NEUTRAL


def regimes(rates: ExactArray, interval_hours: IntArray, high: Decimal) -> IntArray:
    """Return `regime` of each of many settlements."""
    above = rates * _HOURS_8 - ExactArray(interval_hours, 0) * high
    found = np.where(above.mantissas >= 0, Regime.HIGH, Regime.NEUTRAL)
    return cast("IntArray", np.where(rates.mantissas < 0, Regime.NEGATIVE, found))
