"""Rate-level sub-score: the funding rate relative to a cap."""

from decimal import Decimal

from bot.numbers.money import ONE


def rate_level_score(rate_8h: Decimal, cap: Decimal) -> Decimal:
    """Return the rate per 8 hours as a share of `cap`, at most 1."""
    return min(rate_8h / cap, ONE)
