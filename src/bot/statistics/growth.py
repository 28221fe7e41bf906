"""Compound growth per year, of one account in decimals or of many at once, the same in every bit."""

from decimal import Context, Decimal, Overflow

import numpy as np

from bot.models import DAY_MS
from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.numbers.money import ONE
from bot.statistics.metrics import DAYS_PER_YEAR, finite

_YEAR_MS = DAYS_PER_YEAR * DAY_MS
_GROWTH = Context(prec=32, traps=[Overflow])
_DOUBT, _LITTLE_DOUBT = np.longdouble(2) ** -58, np.longdouble(2) ** -59
"""Bounds of the relative error of growths in extended precision (2**-63 a step), and of moderate ones."""
_HAS_ROOM = bool(np.finfo(np.longdouble).eps <= 2.0**-63)


def annualized_return(initial: Decimal | int, final: Decimal | int, elapsed_ms: int) -> float | None:
    """Return the compound growth per 365 days; None for no time, a lost account, or no finite value."""
    if elapsed_ms <= 0 or final <= 0:
        return None
    years = _GROWTH.divide(Decimal(elapsed_ms), Decimal(_YEAR_MS))
    factor = _GROWTH.divide(Decimal(final), Decimal(initial))
    try:
        growth = _GROWTH.exp(_GROWTH.divide(_GROWTH.ln(factor), years))
    except Overflow:
        return None
    return finite(float(_GROWTH.subtract(growth, ONE)))


def annualized_returns(initial: IntArray, finals: IntArray, elapsed_ms: int) -> FloatArray:
    """Return `annualized_return` of each of many final values, in the units of `initial`; NaN for None.

    Extended precision decides most of them: where all values within its error round to one float, so does
    the exact one. The others, and any that are not ordinary, are worked out by themselves.
    """
    if _HAS_ROOM and elapsed_ms > 0:
        found, certain = _ordinary(initial, finals, elapsed_ms)
        found[initial == finals] = 0.0
        certain |= initial == finals
    else:
        found, certain = np.empty(len(finals)), np.zeros(len(finals), dtype=np.bool_)
    known: dict[tuple[int, int], float] = {}
    for place in np.flatnonzero(~certain).tolist():
        ends = int(initial[place]), int(finals[place])
        if ends not in known:
            one = annualized_return(*ends, elapsed_ms)
            known[ends] = np.nan if one is None else one
        found[place] = known[ends]
    return found


def _ordinary(initial: IntArray, finals: IntArray, elapsed_ms: int) -> tuple[FloatArray, BoolArray]:
    """Return growths, and which of them are certain to the last bit."""
    start, years = initial.astype(np.longdouble), np.longdouble(elapsed_ms) / _YEAR_MS
    gains = (finals.astype(np.longdouble) - start) / start
    near = gains.astype(np.float64)  # ranges need no more digits
    usual = (near > -0.9) & (near < 9)
    gains[~usual] = 0
    exponents = np.log1p(gains) / years
    near_exponents = np.abs(exponents.astype(np.float64))
    beyond = near_exponents >= 2
    exponents[beyond] = 0
    growth = np.expm1(exponents)
    usual &= ~beyond & (np.abs(growth.astype(np.float64)) > 1e-8)
    # A step's error grows at most threefold on the way where an account neither halves nor quadruples.
    moderate = (near > -0.5) & (near < 3) & (near_exponents < 1.4)
    doubt = growth * np.where(moderate, _LITTLE_DOUBT, _DOUBT)
    low, high = (growth - doubt).astype(np.float64), (growth + doubt).astype(np.float64)
    return low, usual & (low == high)
