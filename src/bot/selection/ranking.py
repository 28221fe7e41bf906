"""Order of trials within some of their days, exact: floats decide all but near ties, whole numbers those."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.selection.days.segments import SegmentSums

_DOUBT = 2.0**-48
_CELLS, _FEWEST_ROWS = 2**16, 16
_NOBODY, _LAST = -1, np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Trials to rank: number, exponent of the whole returns, and segment sums of each."""

    numbers: IntArray
    exponents: IntArray
    sums: SegmentSums

    def at(self, rows: IntArray | slice) -> "Rows":
        """Return some rows."""
        return Rows(self.numbers[rows], self.exponents[rows], self.sums.at(rows))

    def grouped(self, windows: FloatArray) -> "Rows":
        """Return the trials with sums over windows (rows) instead of segments (columns)."""
        return Rows(self.numbers, self.exponents, self.sums.grouped(windows))

    def pieces(self, windows: FloatArray) -> Iterator["Rows"]:
        """Yield the rows, as many at a time as fit into a cache in all windows."""
        most = max(_FEWEST_ROWS, _CELLS // max(len(windows), 1))
        for first in range(0, len(self.numbers), most):
            yield self.at(slice(first, first + most))


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


@dataclass(frozen=True, slots=True)
class Ranking:
    """Keys that order trials within some days: by Sharpe ratio, or by what they earned."""

    by_money: bool

    def key(self, total: int, squares: int, exponent: int) -> Fraction | None:
        """Return the exact key of one trial; None, below all others, where all its days are zero."""
        if not squares:
            return None
        if self.by_money:
            return Fraction(total) / Fraction(2) ** exponent
        return Fraction(total * abs(total), squares)

    def keys(self, totals: FloatArray, squares: FloatArray, exponents: IntArray) -> FloatArray:
        """Return the keys of many trials (columns) in many windows (rows), minus infinity where undefined."""
        if self.by_money:
            found = np.ldexp(totals, -exponents)
        else:
            with np.errstate(invalid="ignore"):
                found = totals * np.abs(totals) / squares
        found[squares == 0] = -math.inf
        return cast("FloatArray", found)


@dataclass(frozen=True, slots=True, eq=False)
class WindowSums:
    """Exponent of the whole returns, sum and sum of squares of one trial in each of some windows."""

    exponents: IntArray
    totals: IntArray
    squares: IntArray

    def at(self, windows: IntArray) -> "WindowSums":
        """Return some windows."""
        return WindowSums(self.exponents[windows], self.totals[windows], self.squares[windows])

    def put(self, windows: IntArray, found: "WindowSums") -> None:
        """Replace what some windows have."""
        self.exponents[windows] = found.exponents
        self.totals[windows] = found.totals
        self.squares[windows] = found.squares

    def keys(self, ranking: Ranking) -> FloatArray:
        """Return the key of each window, to the nearest float but for some roundings."""
        totals, squares = self.totals.astype(np.float64), self.squares.astype(np.float64)
        return ranking.keys(totals, squares, self.exponents)

    def key(self, ranking: Ranking, window: int) -> Fraction | None:
        """Return the exact key of one window."""
        return ranking.key(int(self.totals[window]), int(self.squares[window]), int(self.exponents[window]))


class BestTrials:
    """The best trial of each of many windows, ties to the lowest number, among parts taken in any order."""

    def __init__(self, ranking: Ranking, windows: FloatArray, fewest_active: int = 0) -> None:
        """Take the windows (rows) as 1 for each segment (column) inside; trials need some active days."""
        self._ranking = ranking
        self._windows = windows
        self._fewest_active = fewest_active
        self._least = np.full(len(windows), -math.inf)
        self._numbers = np.full(len(windows), _NOBODY)
        self._own = WindowSums(*(np.zeros(len(windows), dtype=np.int64) for _ in range(3)))
        self._sums = np.zeros((2, *windows.shape), dtype=np.int64)

    def take(self, rows: Rows) -> None:
        """Let some more trials compete."""
        for piece in rows.pieces(self._windows):
            totals, squares = _in_windows(self._windows, piece.sums)
            keys = self._ranking.keys(totals, squares, piece.exponents)
            if self._fewest_active:
                keys[self._windows @ piece.sums.active.T.astype(np.float64) < self._fewest_active] = -math.inf
            highest = keys.max(axis=1)
            windows = np.flatnonzero((highest >= self._least) & (highest > -math.inf))
            near = keys[windows] >= _below(highest[windows])[:, None]
            lowest = np.where(near, piece.numbers, _LAST).argmin(axis=1)
            # One alone, or ones with equal sums, where there was none before or none that might be as good,
            # need no exact key.
            above = _below(highest[windows]) > -_below(-self._own.keys(self._ranking)[windows])
            clear = above | (self._numbers[windows] == _NOBODY)
            clear[clear] = _are_one(near[clear], windows[clear], lowest[clear], piece, totals, squares)
            self._choose(windows[clear], lowest[clear], piece, totals, squares)
            for window, rivals in zip(windows[~clear].tolist(), near[~clear], strict=True):
                row = self._best(window, np.flatnonzero(rivals), piece, totals[window], squares[window])
                if row is not None:
                    self._choose(np.array([window]), np.array([row]), piece, totals, squares)

    def _best(
        self, window: int, rivals: IntArray, piece: Rows, totals: FloatArray, squares: FloatArray
    ) -> int | None:
        """Return the best of some rows, None if that of before is better still."""
        row, best = None, None
        if self._numbers[window] != _NOBODY:
            best = self._own.key(self._ranking, window), -int(self._numbers[window])
        for rival in rivals.tolist():
            exponent, number = int(piece.exponents[rival]), int(piece.numbers[rival])
            key = self._ranking.key(int(totals[rival]), int(squares[rival]), exponent)
            if key is not None and (best is None or (key, -number) > best):
                row, best = rival, (key, -number)
        return row

    def _choose(
        self, windows: IntArray, rows: IntArray, piece: Rows, totals: FloatArray, squares: FloatArray
    ) -> None:
        """Put the trials at `rows` in force, one for each of `windows`."""
        own = totals[windows, rows].astype(np.int64), squares[windows, rows].astype(np.int64)
        self._own.put(windows, WindowSums(piece.exponents[rows], *own))
        self._numbers[windows] = piece.numbers[rows]
        self._sums[:, windows] = piece.sums.totals[rows], piece.sums.squares[rows]
        self._least[windows] = _below(self._own.at(windows).keys(self._ranking))

    @property
    def picks(self) -> list[Pick | None]:
        """Best trial of each window, None without one."""
        return [
            None if number == _NOBODY else Pick(number, exponent, totals, squares)
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
            if number == _NOBODY
            else [(exponent, *both) for both in zip(*own, strict=True)]
            for number, exponent, *own in zip(
                self._numbers.tolist(), self._own.exponents.tolist(), totals, squares, strict=True
            )
        ]

    @property
    def chosen(self) -> IntArray:
        """Windows that have a best trial."""
        return np.flatnonzero(self._numbers != _NOBODY)

    def numbers(self, windows: IntArray) -> IntArray:
        """Return the best trials of some windows."""
        return self._numbers[windows]

    def sums(self, windows: IntArray, inside: FloatArray) -> WindowSums:
        """Return the sums of the best trial of each of some windows over the segments (columns) `inside`."""
        totals, squares = (self._sums[:, windows] * (inside > 0)).sum(axis=2)
        return WindowSums(self._own.exponents[windows], totals, squares)


class Ranks:
    """Places of one key of each window among all trials: how many are worse, and how many equal."""

    def __init__(self, ranking: Ranking, windows: FloatArray, own: WindowSums) -> None:
        """Take the sums of the trial to place in each window."""
        self._ranking = ranking
        self._windows = windows
        self._own = own
        floats = own.keys(ranking)
        self._low, self._high = _below(floats), -_below(-floats)
        self.worse = np.zeros(len(windows), dtype=np.int64)
        self.equal = np.zeros(len(windows), dtype=np.int64)

    def take(self, rows: Rows) -> None:
        """Count some more trials."""
        for piece in rows.pieces(self._windows):
            totals, squares = _in_windows(self._windows, piece.sums)
            keys = self._ranking.keys(totals, squares, piece.exponents)
            below = keys < self._low[:, None]
            self.worse += np.count_nonzero(below, axis=1)
            near = np.logical_xor(below, keys <= self._high[:, None], out=below)
            windows, near_rows = np.nonzero(near)
            self._count_near(windows, near_rows, piece, totals, squares)

    def _count_near(
        self, windows: IntArray, rows: IntArray, piece: Rows, totals: FloatArray, squares: FloatArray
    ) -> None:
        """Count the trials at `rows`, whose keys are near those of the trials to place in `windows`."""
        own, exponents = self._own.at(windows), piece.exponents[rows]
        totals, squares = totals[windows, rows], squares[windows, rows]
        # Equal sums have equal keys; the trial itself is among them.
        alike = (totals == own.totals) & (squares == own.squares)
        alike &= (own.exponents == exponents) | (squares == 0)
        self.equal += np.bincount(windows[alike], minlength=len(self.equal))
        for at in np.flatnonzero(~alike).tolist():
            window, mine = int(windows[at]), own.key(self._ranking, at)
            key = self._ranking.key(int(totals[at]), int(squares[at]), int(exponents[at]))
            self.equal[window] += key == mine
            self.worse[window] += mine is not None and (key is None or key < mine)


def _are_one(
    near: BoolArray, windows: IntArray, rows: IntArray, piece: Rows, totals: FloatArray, squares: FloatArray
) -> BoolArray:
    """Return in which of some windows all trials of a mask have the sums of the one at `rows`."""
    found: BoolArray = near.sum(axis=1) == 1
    for at in np.flatnonzero(~found).tolist():
        row, others = rows[at], np.flatnonzero(near[at])
        sums = totals[windows[at]], squares[windows[at]], piece.exponents
        found[at] = all((one[others] == one[row]).all() for one in sums)
    return found


def _in_windows(windows: FloatArray, sums: SegmentSums) -> tuple[FloatArray, FloatArray]:
    """Return sums and sums of squares of trials (columns) in windows (rows): below 2**53, so exact."""
    return windows @ sums.totals.T.astype(np.float64), windows @ sums.squares.T.astype(np.float64)


def _below(keys: FloatArray) -> FloatArray:
    """Return the least float that might stand for an equal key."""
    return keys - np.where(np.isfinite(keys), np.abs(keys), 0.0) * _DOUBT
