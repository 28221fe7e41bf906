"""Folds of a walk-forward: days to train on, and the later days that the choice is tested on."""

from typing import NamedTuple

from bot.selection.days.blocks import Span
from bot.selection.settings import WalkForwardSettings


class FoldDays(NamedTuple):
    """Training and test days of one fold."""

    train: Span
    test: Span


def folds_of(days: int, settings: WalkForwardSettings) -> list[FoldDays]:
    """Return the folds of `days` days; the last test is cut at the end, left out below half its length."""
    found: list[FoldDays] = []
    first = settings.train_days + settings.gap_days
    while 2 * (min(first + settings.test_days, days) - first) >= settings.test_days:
        end = first - settings.gap_days
        begin = 0 if settings.anchored else end - settings.train_days
        found.append(FoldDays((begin, end), (first, min(first + settings.test_days, days))))
        first += settings.test_days
    return found


def no_fold(days: int, settings: WalkForwardSettings) -> str:
    """Return the reason for having no fold."""
    needed = settings.train_days + settings.gap_days + (settings.test_days + 1) // 2
    return f"{needed:,} days needed, {days:,} held"
