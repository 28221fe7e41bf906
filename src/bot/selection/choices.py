"""Trials that a judgement chooses: the best of halves of the days, of splits to train on, and of folds."""

from typing import Self

import numpy as np

from bot.numbers.arrays import IntArray
from bot.numbers.numbering import occurring
from bot.selection.cross_validation import PurgedSplits
from bot.selection.days.ranking import BY_MATRICES, Comparing, Rows
from bot.selection.overfitting import HalvesInSample
from bot.selection.panel import Panel
from bot.selection.walk_forward import FoldChoices


class Choices:
    """Best trials of all days that a panel chooses on, among parts taken in any order.

    Only distinct trials compete in `halves` and `splits`, None where the days are too few blocks, and all in
    `folds`, None where they are too few for one.
    """

    def __init__(self, panel: Panel, comparing: Comparing = BY_MATRICES) -> None:
        ranking, blocks, segments = panel.ranking, panel.blocks, panel.segments
        judged = not blocks.too_short
        self.halves = HalvesInSample(ranking, blocks, panel.block_windows, comparing) if judged else None
        self.splits = PurgedSplits(ranking, blocks, segments, comparing) if judged else None
        self.folds = FoldChoices(ranking, panel.folds, segments, comparing) if panel.folds else None

    def take(self, rows: Rows, distinct: IntArray) -> Self:
        """Let some more trials compete, of which those numbers are `distinct`.

        One that equals a trial of another part may be among these: of two with one key the lowest number is
        chosen, whether they are equal or not.
        """
        alone = rows.at(np.flatnonzero(np.isin(rows.numbers, distinct)))
        if self.halves is not None:
            self.halves.take(alone)
        if self.splits is not None:
            self.splits.take(alone)
        if self.folds is not None:
            self.folds.take(rows)
        return self

    @property
    def numbers(self) -> IntArray:
        """The trials that are chosen anywhere, ascending."""
        found = [one.chosen for one in (self.halves, self.splits, self.folds) if one is not None]
        return occurring(np.concatenate([np.empty(0, dtype=np.int64), *found]))
