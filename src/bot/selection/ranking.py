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
_ROWS = 256


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

    def pieces(self) -> Iterator["Rows"]:
        """Yield the rows, as many at a time as fit into a cache."""
        for first in range(0, len(self.numbers), _ROWS):
            yield self.at(slice(first, first + _ROWS))


@dataclass(frozen=True, slots=True)
class Pick:
    """A trial that is best in some days: its key there, and its segment sums as whole numbers."""

    number: int
    key: Fraction
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


class BestTrials:
    """The best trial of each of many windows, ties to the lowest number, among parts taken in any order."""

    def __init__(self, ranking: Ranking, windows: FloatArray, fewest_active: int = 0) -> None:
        """Take the windows (rows) as 1 for each segment (column) inside; trials need some active days."""
        self._ranking = ranking
        self._windows = windows
        self._fewest_active = fewest_active
        self._least = np.full(len(windows), -math.inf)
        self.picks: list[Pick | None] = [None] * len(windows)

    def take(self, rows: Rows) -> None:
        """Let some more trials compete."""
        for piece in rows.pieces():
            totals, squares = _in_windows(self._windows, piece.sums)
            keys = self._ranking.keys(totals, squares, piece.exponents)
            if self._fewest_active:
                keys[self._windows @ piece.sums.active.T.astype(np.float64) < self._fewest_active] = -math.inf
            highest = keys.max(axis=1)
            open_still = np.flatnonzero((highest >= self._least) & (highest > -math.inf))
            lowest = _below(highest)
            for window in open_still.tolist():
                near = np.flatnonzero(keys[window] >= lowest[window])
                self._compete(window, piece, near, totals[window], squares[window])

    def _compete(
        self, window: int, piece: Rows, near: IntArray, totals: FloatArray, squares: FloatArray
    ) -> None:
        for row in near.tolist():
            exponent, number = int(piece.exponents[row]), int(piece.numbers[row])
            key = self._ranking.key(int(totals[row]), int(squares[row]), exponent)
            best = self.picks[window]
            if key is not None and (best is None or (key, -number) > (best.key, -best.number)):
                self.picks[window] = Pick(
                    number,
                    key,
                    exponent,
                    piece.sums.totals[row].astype(np.int64),
                    piece.sums.squares[row].copy(),  # a view would keep its whole part
                )
                self._least[window] = float(key) - abs(float(key)) * _DOUBT


class Ranks:
    """Places of one key of each window among all trials: how many are worse, and how many equal."""

    def __init__(self, ranking: Ranking, windows: FloatArray, keys: list[Fraction | None]) -> None:
        """Take the key to place in each window; None is that of a trial whose days there are all zero."""
        self._ranking = ranking
        self._windows = windows
        self._keys = keys
        floats = np.array([-math.inf if key is None else float(key) for key in keys])
        self._low, self._high = _below(floats), -_below(-floats)
        self.worse = np.zeros(len(keys), dtype=np.int64)
        self.equal = np.zeros(len(keys), dtype=np.int64)

    def take(self, rows: Rows) -> None:
        """Count some more trials."""
        for piece in rows.pieces():
            totals, squares = _in_windows(self._windows, piece.sums)
            keys = self._ranking.keys(totals, squares, piece.exponents)
            below, upto = keys < self._low[:, None], keys <= self._high[:, None]
            self.worse += np.count_nonzero(below, axis=1)
            doubtful = below != upto
            for window in np.flatnonzero(doubtful.any(axis=1)).tolist():
                self._settle(window, piece, doubtful[window], totals[window], squares[window])

    def _settle(
        self, window: int, piece: Rows, doubtful: BoolArray, totals: FloatArray, squares: FloatArray
    ) -> None:
        own = self._keys[window]
        for row in np.flatnonzero(doubtful).tolist():
            key = self._ranking.key(int(totals[row]), int(squares[row]), int(piece.exponents[row]))
            self.equal[window] += key == own
            self.worse[window] += own is not None and (key is None or key < own)


def _in_windows(windows: FloatArray, sums: SegmentSums) -> tuple[FloatArray, FloatArray]:
    """Return sums and sums of squares of trials (columns) in windows (rows): below 2**53, so exact."""
    return windows @ sums.totals.T.astype(np.float64), windows @ sums.squares.T.astype(np.float64)


def _below(keys: FloatArray) -> FloatArray:
    """Return the least float that might stand for an equal key."""
    return keys - np.where(np.isfinite(keys), np.abs(keys), 0.0) * _DOUBT
