"""Plateaus of a grid: the worst objective among each trial and its neighbours, over all ordered axes."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.selection.grid.places import Places

_AT_ONCE = 65_536
"""Trials that are looked at together for the best plateau."""


@dataclass(frozen=True, eq=False)
class GridTrials:
    """Trials of a grid: n of them at their `places` on its ordered axes.

    Neighbours are one step apart on one axis, and differ in nothing else. `objectives` are better the higher
    they are, NaN where undefined; those of trials that are not `eligible` do not count.
    """

    places: Places
    objectives: FloatArray
    eligible: BoolArray

    @cached_property
    def known(self) -> BoolArray:
        """Mask of the eligible trials with an objective."""
        return np.asarray(self.eligible & ~np.isnan(self.objectives))

    @cached_property
    def _worst(self) -> float:
        """Worst objective of any eligible trial, infinite without one."""
        return float(self.objectives.min(initial=math.inf, where=self.known))

    def levels(self, rows: IntArray | slice) -> FloatArray:
        """Return the objectives of some trials; of one that is ineligible, or has none, the worst of all."""
        return np.where(self.known[rows], self.objectives[rows], self._worst)

    @cached_property
    def plateaus(self) -> FloatArray:
        """Worst level of each trial and its neighbours; NaN with fewer neighbours than ordered axes.

        Axes that do not apply to a trial, or have one value, are not among its axes.
        """
        every = slice(None)
        return self._plateaus(every, *self.places.worst(self.levels(every)))

    def plateaus_at(self, rows: IntArray) -> FloatArray:
        """Return the `plateaus` of some trials, of which no others need be known."""
        return self._plateaus_within(rows, self.places.near(rows))

    def _plateaus_within(self, rows: IntArray, around: IntArray) -> FloatArray:
        """Return the plateaus of trials whose neighbours are the rows `around`."""
        near = np.where(around >= 0, self.levels(around), math.inf)
        worst = np.minimum(self.levels(rows), near.min(axis=1, initial=math.inf))
        return self._plateaus(rows, worst, np.count_nonzero(around >= 0, axis=1))

    def _plateaus(self, rows: IntArray | slice, worst: FloatArray, counts: IntArray) -> FloatArray:
        """Return plateaus of trials from the worst level of each and its neighbours, and their number."""
        axes = self.places.axes(rows)
        held = (counts >= axes) & (axes > 0) & np.isfinite(worst) & self.eligible.any()
        return np.where(held, worst, math.nan)

    @cached_property
    def plateau_rows(self) -> IntArray:
        """Row of a trial whose objective is the plateau of each, -1 where there is none."""
        rows = np.flatnonzero(self.known)
        levels, first = np.unique(self.objectives[rows], return_index=True)
        held = np.flatnonzero(~np.isnan(self.plateaus))
        found = np.full(len(self.plateaus), -1, dtype=np.int64)
        found[held] = rows[first[np.searchsorted(levels, self.plateaus[held])]]
        return found

    def plateau_row(self, row: int) -> int:
        """Return the row that `plateau_rows` has for one trial."""
        [plateau] = self.plateaus_at(np.array([row]))
        return -1 if math.isnan(plateau) else int((self.known & (self.objectives == plateau)).argmax())

    def accompanied(self, rows: IntArray) -> BoolArray:
        """Return the mask of trials with an eligible neighbour."""
        return self._accompanied_by(self.places.near(rows))

    def _accompanied_by(self, around: IntArray) -> BoolArray:
        return np.asarray(((around >= 0) & self.known[around]).any(axis=1))

    @property
    def best(self) -> int | None:
        """Row of the eligible trial with the best plateau, None if none has one.

        One without an eligible neighbour is on no plateau: they count as the worst eligible level, so that
        where most trials never trade each lone one would seem to be on one. Of equal ones that whose next
        worst neighbour is better, and so on; a missing neighbour is worse than any. So a lone peak on flat
        ground is never taken for a plateau. Then the centre of the largest region of equal ones side by side.
        """
        equal = self._on_best_plateau()
        if not len(equal):
            return None
        around = self.places.near(equal)
        levels = np.where(around >= 0, self.levels(around), -math.inf)
        ranked = np.sort(np.column_stack([levels, self.levels(equal)]), axis=1)
        first = ranked[np.lexsort((equal, *-ranked.T[::-1]))[0]]
        return self._centre(equal[(ranked == first).all(axis=1)])

    def _on_best_plateau(self) -> IntArray:
        """Return the rows of the trials with the best plateau that may be chosen, ascending.

        None is better than its own level: those below the best plateau so far are passed over, most of a
        large grid, and what is worked out of the others stays small. The highest trial comes first.
        """
        highest = self.objectives.max(initial=-math.inf, where=self.known)
        best = self._choosable(np.flatnonzero(self.known & (self.objectives == highest))[:1])
        most, found = best.max(initial=-math.inf), [np.empty(0, dtype=np.int64)]
        for first in range(0, len(self.objectives), _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            rows = first + np.flatnonzero(self.eligible[some] & (self.levels(some) >= most))
            plateaus = self._choosable(rows)
            if (highest := plateaus.max(initial=-math.inf)) > most:
                most, found = highest, []
            found.append(rows[(plateaus == most) & (plateaus > -math.inf)])
        return np.concatenate(found)

    def _choosable(self, rows: IntArray) -> FloatArray:
        """Return the plateaus of some trials that one may be chosen for, negative infinity for none."""
        around = self.places.near(rows)
        plateaus = self._plateaus_within(rows, around)
        able = ~np.isnan(plateaus) & self._accompanied_by(around)
        return np.where(able, plateaus, -math.inf)

    def _centre(self, rows: IntArray) -> int:
        """Return the row nearest to the middle of the largest region of ascending `rows`, or the first."""
        around = self.places.near(rows)
        places = np.minimum(np.searchsorted(rows, around), len(rows) - 1)
        joined = rows[places] == around
        regions, before = np.arange(len(rows)), np.empty(0, dtype=np.int64)
        while not np.array_equal(before, regions):
            before = regions
            lowest = np.where(joined, before[places], before[:, np.newaxis]).min(axis=1)
            regions = np.minimum(before, lowest)
            regions = regions[regions]
        names, counts = np.unique(regions, return_counts=True)
        region = rows[regions == names[counts.argmax()]]
        steps = self.places.steps(region)
        return int(region[np.square(steps - steps.mean(axis=0)).sum(axis=1).argmin()])
