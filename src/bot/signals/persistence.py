"""Persistence sub-score: the number of settlements for which the funding rate has been high."""

from decimal import Decimal

from bot.numbers.money import ONE


def next_streak(streak: int, rate_8h: Decimal, threshold: Decimal) -> int:
    """Return the number of newest rates in a row that reach `threshold`, after one more rate per 8 hours."""
    return streak + 1 if rate_8h >= threshold else 0


def persistence_score(streak: int, max_periods: int) -> Decimal:
    """Return the streak as a share of `max_periods`, at most 1."""
    return min(Decimal(streak) / max_periods, ONE)
