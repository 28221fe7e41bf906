"""Walk-forward: the trial that was best by each date, and how it did in the days after."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from bot.numbers.arrays import IntArray
from bot.selection.best_trials import BestTrials, Pick
from bot.selection.days.blocks import Span
from bot.selection.days.ranking import BY_MATRICES, Comparing, Ranking, Rows, Windows
from bot.selection.days.segments import Segments
from bot.selection.folds import FoldDays
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


@dataclass(frozen=True, slots=True)
class Stitched:
    """Metrics of the stitched run of folds and of holding over the same days, and the net P&L of each fold.

    All are as documents print them, money as text.
    """

    metrics: dict[str, Any]
    hold: dict[str, Any]
    net_pnl: list[str]


def walk_forward_document(
    folds: Sequence[Fold], stitched: Stitched | None, first_day: date
) -> dict[str, Any]:
    """Return folds and their stitched run as JSON values; dates are the first and the last day of a span."""
    net_pnl = [None] * len(folds) if stitched is None else stitched.net_pnl
    return {
        "folds": [
            {
                **fold.document(),
                "train_dates": _dates(fold.days.train, first_day),
                "test_dates": _dates(fold.days.test, first_day),
                "net_pnl": pnl,
            }
            for fold, pnl in zip(folds, net_pnl, strict=True)
        ],
        "changes": changes(folds),
        "efficiency": efficiency(folds),
        "metrics": None if stitched is None else stitched.metrics,
        "hold": None if stitched is None else stitched.hold,
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


class FoldChoices:
    """Best trials of the training days of folds, among parts taken in any order.

    Every trial may be chosen, since a guard over the whole run would be hindsight.
    """

    def __init__(
        self,
        ranking: Ranking,
        days: Sequence[FoldDays],
        segments: Segments,
        comparing: Comparing = BY_MATRICES,
    ) -> None:
        self._days, self._segments = days, segments
        train = np.array([segments.inside([fold.train]) for fold in days])
        self._best = BestTrials(Windows(ranking, train, FEWEST_ACTIVE_DAYS), comparing)

    def take(self, rows: Rows) -> None:
        """Let some more trials compete."""
        self._best.take(rows)

    @property
    def chosen(self) -> IntArray:
        """Best trials of the folds that have one."""
        return self._best.numbers(self._best.chosen)

    def folds(self) -> list[Fold]:
        """Return the folds.

        Without a trial that was active enough the one of the fold before stays in force, at first cash.
        """
        found: list[Fold] = []
        in_force: Pick | None = None
        for fold, pick in zip(self._days, self._best.picks, strict=True):
            in_force = pick or in_force
            found.append(_fold(fold, in_force, self._segments))
        return found


def _fold(days: FoldDays, pick: Pick | None, segments: Segments) -> Fold:
    if pick is None:
        return Fold(days, None, None, None)
    return Fold(days, pick.number, _sharpe(pick, days.train, segments), _sharpe(pick, days.test, segments))


def _dates(span: Span, first_day: date) -> list[str]:
    return [(first_day + timedelta(days=day)).isoformat() for day in (span[0], span[1] - 1)]


def _sharpe(pick: Pick, span: Span, segments: Segments) -> float | None:
    return sharpe(span[1] - span[0], *pick.sums(segments.inside([span])))
