"""Plateaus of a grid: the worst objective among each trial and its neighbours, over all ordered axes."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.selection.grid.places import GridPlaces


@dataclass(frozen=True, eq=False)
class GridTrials:
    """Trials of a grid: n of them on k ordered axes.

    `steps` (n x k) are the ranks of their values, -1 where an axis does not apply; neighbours are one step
    apart on one axis, with equal `others`, which stand for all that no ordered axis varies. `objectives` are
    better the higher they are, NaN where undefined; those of trials that are not `eligible` do not count.
    """

    steps: IntArray
    others: IntArray
    objectives: FloatArray
    eligible: BoolArray

    @cached_property
    def levels(self) -> FloatArray:
        """Objectives; that of an ineligible trial, or of one without, is the worst of any eligible one."""
        worst = self.objectives[self.known].min(initial=math.inf)
        return np.where(self.known, self.objectives, worst)

    @cached_property
    def known(self) -> BoolArray:
        """Mask of the eligible trials with an objective."""
        return np.asarray(self.eligible & ~np.isnan(self.objectives))

    @cached_property
    def places(self) -> GridPlaces:
        """Places of the trials, by which their neighbours are found."""
        return GridPlaces(self.steps, self.others)

    @cached_property
    def plateaus(self) -> FloatArray:
        """Worst level of each trial and its neighbours; NaN with fewer neighbours than ordered axes.

        Axes that do not apply to a trial, or have one value, are not among its axes.
        """
        if not self.eligible.any():
            return np.full(len(self.steps), math.nan)
        worst, counts = self.places.worst(self.levels)
        axes = np.zeros(len(self.steps), dtype=np.int64)
        for steps in self.steps.T:
            if steps.max(initial=-1) > 0:
                axes += steps >= 0
        return np.where((counts >= axes) & (axes > 0) & np.isfinite(worst), worst, math.nan)

    @cached_property
    def plateau_rows(self) -> IntArray:
        """Row of a trial whose objective is the plateau of each, -1 where there is none."""
        rows = np.flatnonzero(self.known)
        levels, first = np.unique(self.objectives[rows], return_index=True)
        held = np.flatnonzero(~np.isnan(self.plateaus))
        found = np.full(len(self.plateaus), -1, dtype=np.int64)
        found[held] = rows[first[np.searchsorted(levels, self.plateaus[held])]]
        return found

    @cached_property
    def accompanied(self) -> BoolArray:
        """Mask of the trials with a neighbour that may win."""
        return self.places.beside(self.known)

    @property
    def best(self) -> int | None:
        """Row of the eligible trial with the best plateau, None if none has one.

        One none of whose neighbours may win is on no plateau: they count as the worst eligible level, so that
        where most trials never trade each lone one would seem to be on one. Of equal ones that whose next
        worst neighbour is better, and so on; a missing neighbour is worse than any. So a lone peak on flat
        ground is never taken for a plateau. Then the centre of the largest region of equal ones side by side.
        """
        plateaus = np.where(self.eligible & self.accompanied, self.plateaus, math.nan)
        if np.isnan(plateaus).all():
            return None
        equal = np.flatnonzero(plateaus == np.nanmax(plateaus))
        around = self.places.near(equal)
        levels = np.where(around >= 0, self.levels[around], -math.inf)
        ranked = np.sort(np.column_stack([levels, self.levels[equal]]), axis=1)
        first = ranked[np.lexsort((equal, *-ranked.T[::-1]))[0]]
        return self._centre(equal[(ranked == first).all(axis=1)])

    def _centre(self, rows: IntArray) -> int:
        """Return the row nearest to the middle of the largest region of ascending `rows`, or the first."""
        regions = np.full(len(self.steps), -1, dtype=np.int64)
        regions[rows] = rows
        around = self.places.near(rows)
        joined = (around >= 0) & (regions[around] >= 0)
        before: IntArray = np.empty(0, dtype=np.int64)
        while not np.array_equal(before, regions[rows]):
            before = regions[rows]
            lowest = np.where(joined, regions[around], before[:, np.newaxis]).min(axis=1)
            regions[rows] = np.minimum(before, lowest)
            regions[rows] = regions[regions[rows]]
        names, counts = np.unique(regions[rows], return_counts=True)
        region = rows[regions[rows] == names[counts.argmax()]]
        steps = self.steps[region]
        return int(region[np.square(steps - steps.mean(axis=0)).sum(axis=1).argmin()])
