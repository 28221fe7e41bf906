"""Probability of backtest overfitting: the best in one half of the days, ranked in the other."""

import statistics
from collections import Counter
from dataclasses import dataclass
from typing import Any

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.selection.best_trials import BestTrials, Ranks
from bot.selection.days.blocks import Blocks
from bot.selection.days.ranking import BY_MATRICES, Comparing, Ranking, Rows, Windows

_FEW = 10


@dataclass(frozen=True, slots=True)
class Overfitting:
    """Best trials of halves of the blocks, ranked in the others.

    `ranks` are twice the rank out of sample, from 2 for the worst of `trials` upwards; `lost` says whether
    the pick lost money there.
    """

    trials: int
    picked: tuple[int, ...]
    ranks: tuple[int, ...]
    lost: tuple[bool, ...]

    @property
    def pbo(self) -> float:
        """Share of halves whose best trial is in the worse half out of sample."""
        return sum(rank <= self.trials + 1 for rank in self.ranks) / len(self.ranks)

    def document(self) -> dict[str, Any]:
        """Return the judgement as JSON values."""
        most, times = min(Counter(self.picked).items(), key=lambda one: (-one[1], one[0]))
        return {
            "pbo": self.pbo,
            "splits": len(self.ranks),
            "median_omega": statistics.median(rank / (2 * (self.trials + 1)) for rank in self.ranks),
            "loss_share": sum(self.lost) / len(self.lost),
            "picked": len(set(self.picked)),
            "picked_most": most,
            "picked_share": times / len(self.picked),
            "few_trials": self.trials < _FEW,
        }


class HalvesInSample:
    """Best distinct trials of the halves of the blocks, among parts taken in any order.

    Source: Bailey, Borwein, Lopez de Prado, Zhu, The probability of backtest overfitting, Journal of
    Computational Finance 20 (2017), combinatorially symmetric cross-validation.
    """

    def __init__(
        self, ranking: Ranking, blocks: Blocks, inside: FloatArray, comparing: Comparing = BY_MATRICES
    ) -> None:
        """Take the blocks also as windows over the pieces of days that trials have sums of."""
        self._inside = inside
        self._windows = Windows(ranking, blocks.half_windows)
        self._comparing = comparing
        self._best = BestTrials(self._windows, comparing)

    def take(self, rows: Rows) -> None:
        """Let some more trials compete."""
        self._best.take(rows.grouped(self._inside))

    @property
    def chosen(self) -> IntArray:
        """Best trials of the halves that have one."""
        return self._best.numbers(self._best.chosen)

    def outside(self, trials: int) -> "HalvesOutOfSample | None":
        """Return the ranking of the best, among `trials` in all, in the other halves.

        None below two, or where nothing is defined.
        """
        found = self._best.chosen
        if trials < 2 or not len(found):
            return None
        outside = 1.0 - self._windows.inside[found]
        own = self._best.sums(found, outside)
        picked, lost = self._best.numbers(found), own.totals < 0
        ranks = Ranks(Windows(self._windows.ranking, outside), own, self._comparing)
        return HalvesOutOfSample(trials, picked, lost, ranks)


@dataclass(frozen=True, slots=True, eq=False)
class HalvesOutOfSample:
    """Ranks, in the halves outside, of the trials picked inside; every trial is taken once more."""

    trials: int
    picked: IntArray
    lost: BoolArray
    ranks: Ranks

    def take(self, blocks: Rows) -> None:
        """Rank among some more trials, by their sums over the blocks."""
        self.ranks.take(blocks)

    def judged(self) -> Overfitting:
        """Return the judgement."""
        ranks = 2 * self.ranks.worse + self.ranks.equal + 1
        lists = self.picked.tolist(), ranks.tolist(), self.lost.tolist()
        return Overfitting(self.trials, *map(tuple, lists))
