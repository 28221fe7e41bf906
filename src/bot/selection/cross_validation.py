"""Purged cross-validation: paths through all days, each block traded by the best of days apart from it."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from bot.numbers.arrays import FloatArray, IntArray
from bot.selection.best_trials import BestTrials
from bot.selection.days.blocks import Blocks
from bot.selection.days.ranking import BY_MATRICES, Comparing, Ranking, Rows, Windows
from bot.selection.days.segments import Segments
from bot.selection.sharpe import sharpe

_MOST_WINDOWS = 4
"""Panels whose windows are held, for the sweeps that share them."""


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """Daily Sharpe ratios of the paths of `splits` test sets, ascending; None, first, of paths in cash."""

    splits: int
    paths: tuple[float | None, ...]

    def document(self) -> dict[str, Any]:
        """Return the judgement as JSON values."""
        defined = [path for path in self.paths if path is not None]
        return {
            "splits": self.splits,
            "paths": list(self.paths),
            "median": statistics.median(defined) if defined else None,
            "loss_share": sum(path is None or path <= 0 for path in self.paths) / len(self.paths),
        }


class PurgedSplits:
    """Best distinct trials of the days that each test set leaves to train on, among parts in any order.

    Source: Lopez de Prado, Advances in Financial Machine Learning (2018), chapter 12, combinatorial purged
    cross-validation.
    """

    def __init__(
        self, ranking: Ranking, blocks: Blocks, segments: Segments, comparing: Comparing = BY_MATRICES
    ) -> None:
        self._blocks = blocks
        train, self._inside = _windows(blocks, segments)
        self._best = BestTrials(Windows(ranking, train), comparing)

    def take(self, rows: Rows) -> None:
        """Let some more trials compete."""
        self._best.take(rows)

    @property
    def chosen(self) -> IntArray:
        """Best trials of the test sets that have one."""
        return self._best.numbers(self._best.chosen)

    def judged(self) -> CrossValidation:
        """Return the paths."""
        blocks, test_sets = self._blocks, self._blocks.test_sets
        sums = self._best.sums_over(self._inside)
        of_block = [
            [sums[row][block] for row, one in enumerate(test_sets) if block in one]
            for block in range(blocks.count)
        ]
        days = blocks.count * blocks.length
        found = [
            _path_sharpe(days, [one for one in path if one is not None])
            for path in zip(*of_block, strict=True)
        ]
        return CrossValidation(len(test_sets), tuple(sorted(found, key=_undefined_first)))


@lru_cache(maxsize=_MOST_WINDOWS)
def _windows(blocks: Blocks, segments: Segments) -> tuple[FloatArray, FloatArray]:
    """Return the pieces of days that each test set leaves to train on, and those of each block."""
    train = np.array([segments.inside(blocks.train_spans(one)) for one in blocks.test_sets])
    return train, segments.blocks(blocks)


def _path_sharpe(days: int, sums: Sequence[tuple[int, int, int]]) -> float | None:
    """Return the Sharpe ratio of blocks with exponent, sum and sum of squares each, other days zero."""
    common = max((exponent for exponent, _, _ in sums), default=0)
    total = sum(own << (common - exponent) for exponent, own, _ in sums)
    squares = sum(own << 2 * (common - exponent) for exponent, _, own in sums)
    return sharpe(days, total, squares)


def _undefined_first(path: float | None) -> tuple[bool, float]:
    return path is not None, path or 0.0
