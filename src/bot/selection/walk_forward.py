"""Walk-forward: the trial that was best by each date, and how it did in the days after."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from bot.selection.days.blocks import Span
from bot.selection.days.segments import Segments
from bot.selection.folds import FoldDays
from bot.selection.ranking import BestTrials, Pick, Ranking, Rows
from bot.selection.sharpe import sharpe

FEWEST_ACTIVE_DAYS = 30
"""Fewest training days on which a trial has to earn or lose something to be chosen."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A choice: its days, the trial in force on the test days (None: cash), and its daily Sharpe ratios."""

    days: FoldDays
    trial: int | None
    train_sharpe: float | None
    test_sharpe: float | None

    def document(self) -> dict[str, Any]:
        """Return the fold as JSON values."""
        return {
            "train": list(self.days.train),
            "test": list(self.days.test),
            "trial": self.trial,
            "train_sharpe": self.train_sharpe,
            "test_sharpe": self.test_sharpe,
        }


def changes(folds: Sequence[Fold]) -> int:
    """Return how many seams put another trial in force; the first trial after cash counts."""
    return sum(later.trial != earlier.trial for earlier, later in pairwise(folds))


def efficiency(folds: Sequence[Fold]) -> float | None:
    """Return the mean test Sharpe over the mean train Sharpe of folds that have both.

    None unless the latter is above zero.
    Source: Pardo, The evaluation and optimization of trading strategies (2008), chapter 11.
    """
    both = [
        (fold.test_sharpe, fold.train_sharpe)
        for fold in folds
        if fold.test_sharpe is not None and fold.train_sharpe is not None
    ]
    test, train = (math.fsum(ratios) for ratios in zip(*both, strict=True)) if both else (0.0, 0.0)
    return test / train if train > 0 else None


def walk_forward(
    parts: Iterable[Rows], ranking: Ranking, days: Sequence[FoldDays], segments: Segments
) -> list[Fold]:
    """Return the folds; every trial may be chosen, since a guard over the whole run would be hindsight.

    Without a trial that was active enough the one of the fold before stays in force, at first cash.
    """
    windows = np.array([segments.inside([fold.train]) for fold in days])
    best = BestTrials(ranking, windows, FEWEST_ACTIVE_DAYS)
    for part in parts:
        best.take(part)
    found: list[Fold] = []
    in_force: Pick | None = None
    for fold, pick in zip(days, best.picks, strict=True):
        in_force = pick or in_force
        found.append(_fold(fold, in_force, segments))
    return found


def _fold(days: FoldDays, pick: Pick | None, segments: Segments) -> Fold:
    if pick is None:
        return Fold(days, None, None, None)
    return Fold(days, pick.number, _sharpe(pick, days.train, segments), _sharpe(pick, days.test, segments))


def _sharpe(pick: Pick, span: Span, segments: Segments) -> float | None:
    return sharpe(span[1] - span[0], *pick.sums(segments.inside([span])))
