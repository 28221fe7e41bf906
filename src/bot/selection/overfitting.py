"""Probability of backtest overfitting: the best in one half of the days, ranked in the other."""

import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.selection.days.blocks import Blocks
from bot.selection.days.segments import Segments
from bot.selection.ranking import BestTrials, Ranking, Ranks, Rows

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


def overfitting(
    parts: Iterable[Rows], ranking: Ranking, blocks: Blocks, segments: Segments
) -> Overfitting | None:
    """Return the judgement of distinct trials; None below two, or where nothing is ever defined.

    The parts are gone through twice.

    Source: Bailey, Borwein, Lopez de Prado, Zhu, The probability of backtest overfitting, Journal of
    Computational Finance 20 (2017), combinatorially symmetric cross-validation.
    """
    inside = np.array([segments.inside([blocks.span(block)]) for block in range(blocks.count)])
    windows = np.zeros((len(blocks.halves), blocks.count))
    windows[np.arange(len(windows))[:, None], blocks.halves] = 1.0
    best = BestTrials(ranking, windows)
    trials = 0
    for part in parts:
        trials += len(part.numbers)
        best.take(part.grouped(inside))
    found = best.chosen
    if trials < 2 or not len(found):
        return None
    outside = 1.0 - windows[found]
    own = best.sums(found, outside)
    ranks = Ranks(ranking, outside, own)
    for part in parts:
        ranks.take(part.grouped(inside))
    return Overfitting(
        trials,
        tuple(best.numbers(found).tolist()),
        tuple((2 * ranks.worse + ranks.equal + 1).tolist()),
        tuple((own.totals < 0).tolist()),
    )
