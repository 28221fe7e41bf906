"""Compound growth per year of an account, in decimals; the kernel's is the same in every bit (growth.h)."""

from decimal import Context, Decimal, Overflow

from bot.models import DAY_MS
from bot.numbers.money import ONE
from bot.statistics.metrics import DAYS_PER_YEAR, finite

_YEAR_MS = DAYS_PER_YEAR * DAY_MS
_GROWTH = Context(prec=32, traps=[Overflow])


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
