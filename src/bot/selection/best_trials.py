"""Best trials of many windows, and the places of trials among all others: exact, however they are parted."""

from dataclasses import dataclass

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.selection.days.ranking import (
    BY_MATRICES,
    NOBODY,
    Comparing,
    Near,
    Ranking,
    Rows,
    Windows,
    WindowSums,
    below,
)


@dataclass(frozen=True, slots=True)
class Pick:
    """A trial that is best in some days: its segment sums as whole numbers."""

    number: int
    exponent: int
    totals: IntArray
    squares: IntArray

    def sums(self, inside: FloatArray) -> tuple[int, int]:
        """Return sum and sum of squares over the segments that are 1 in `inside`."""
        chosen = inside > 0
        return int(self.totals[chosen].sum()), int(self.squares[chosen].sum())


class BestTrials:
    """The best trial of each of many windows, ties to the lowest number, among parts taken in any order."""

    def __init__(self, windows: Windows, comparing: Comparing = BY_MATRICES) -> None:
        self._windows = windows
        self._comparing = comparing
        self._numbers = np.full(len(windows), NOBODY)
        self._own = WindowSums(*(np.zeros(len(windows), dtype=np.int64) for _ in range(3)))
        self._sums = np.zeros((2, *windows.inside.shape), dtype=np.int64)

    def take(self, rows: Rows) -> None:
        """Let some more trials compete."""
        for near in self._comparing.leaders(self._windows, rows, self._own, self._numbers):
            if len(near.windows):
                self._choose(near, rows)

    def _choose(self, near: Near, rows: Rows) -> None:
        """Put the best of some trials in force, wherever they are better than those that are."""
        held = np.unique(near.windows)
        held = held[self._numbers[held] != NOBODY]
        windows = np.concatenate([held, near.windows])
        sums = WindowSums.joined([self._own.at(held), near.sums])
        numbers = np.concatenate([self._numbers[held], rows.numbers[near.rows]])
        best = _best(self._windows.ranking, windows, sums, numbers)
        best = best[best >= len(held)]  # the others are in force already
        windows, mine = windows[best], near.rows[best - len(held)]
        self._own.put(windows, sums.at(best))
        self._numbers[windows] = numbers[best]
        self._sums[:, windows] = rows.sums.totals[mine], rows.sums.squares[mine]

    @property
    def picks(self) -> list[Pick | None]:
        """Best trial of each window, None without one."""
        return [
            None if number == NOBODY else Pick(number, exponent, totals, squares)
            for number, exponent, totals, squares in zip(
                self._numbers.tolist(), self._own.exponents.tolist(), *self._sums, strict=True
            )
        ]

    def sums_over(self, inside: FloatArray) -> list[list[tuple[int, int, int]] | list[None]]:
        """Return what the best trial of each window has in others: exponent, sum and sum of squares of each.

        `inside` has other windows (rows) as the windows are given; where none is the best, each is None.
        """
        totals, squares = (self._sums @ (inside > 0).astype(np.int64).T).tolist()
        return [
            [None] * len(inside)
            if number == NOBODY
            else [(exponent, *both) for both in zip(*own, strict=True)]
            for number, exponent, *own in zip(
                self._numbers.tolist(), self._own.exponents.tolist(), totals, squares, strict=True
            )
        ]

    @property
    def chosen(self) -> IntArray:
        """Windows that have a best trial."""
        return np.flatnonzero(self._numbers != NOBODY)

    def numbers(self, windows: IntArray) -> IntArray:
        """Return the best trials of some windows."""
        return self._numbers[windows]

    def sums(self, windows: IntArray, inside: FloatArray) -> WindowSums:
        """Return the sums of the best trial of each of some windows over the segments (columns) `inside`."""
        totals, squares = (self._sums[:, windows] * (inside > 0)).sum(axis=2)
        return WindowSums(self._own.exponents[windows], totals, squares)


class Ranks:
    """Places of one key of each window among all trials: how many are worse, and how many equal."""

    def __init__(self, windows: Windows, own: WindowSums, comparing: Comparing = BY_MATRICES) -> None:
        """Take the sums of the trial to place in each window."""
        self._windows = windows
        self._own = own
        self._comparing = comparing
        self.worse = np.zeros(len(windows), dtype=np.int64)
        self.equal = np.zeros(len(windows), dtype=np.int64)

    def take(self, rows: Rows) -> None:
        """Count some more trials."""
        for worse, equal, near in self._comparing.places(self._windows, rows, self._own):
            self.worse += worse
            self.equal += equal
            if near is not None:
                self._count_near(near)

    def _count_near(self, near: Near) -> None:
        """Count trials whose keys are near those of the trials to place."""
        own, sums, ranking = self._own.at(near.windows), near.sums, self._windows.ranking
        # Equal sums have equal keys; the trial itself is among them.
        alike = (sums.totals == own.totals) & (sums.squares == own.squares)
        alike &= (own.exponents == sums.exponents) | (sums.squares == 0)
        self.equal += np.bincount(near.windows[alike], minlength=len(self.equal))
        for at in np.flatnonzero(~alike).tolist():
            window, mine, key = int(near.windows[at]), own.key(ranking, at), sums.key(ranking, at)
            self.equal[window] += key == mine
            self.worse[window] += mine is not None and (key is None or key < mine)


def _best(ranking: Ranking, windows: IntArray, sums: WindowSums, numbers: IntArray) -> IntArray:
    """Return the place of the best of the trials in each of some windows, all with a key."""
    if np.bincount(windows).max() == 1:
        return np.arange(len(windows))
    order = np.lexsort((numbers, sums.exponents, sums.squares, sums.totals, windows))
    found = order[_begins(windows[order], sums.at(order))]
    keys, highest = sums.at(found).keys(ranking), np.full(windows.max() + 1, -np.inf)
    np.maximum.at(highest, windows[found], keys)
    found = found[keys >= below(highest)[windows[found]]]
    # One alone, or ones with equal sums, need no exact key.
    alone = np.bincount(windows[found])[windows[found]] == 1
    rivals: dict[int, list[int]] = {}
    for place in found[~alone].tolist():
        rivals.setdefault(int(windows[place]), []).append(place)
    exact = [
        max(places, key=lambda place: (sums.key(ranking, place) or 0, -int(numbers[place])))
        for places in rivals.values()
    ]
    return np.concatenate([found[alone], np.array(exact, dtype=np.int64)])


def _begins(windows: IntArray, sums: WindowSums) -> BoolArray:
    """Return which trials in windows, in order, differ from the ones before."""
    found = np.ones(len(windows), dtype=np.bool_)
    same = windows[1:] == windows[:-1]
    for one in (sums.exponents, sums.totals, sums.squares):
        same &= one[1:] == one[:-1]
    found[1:] = ~same
    return found
