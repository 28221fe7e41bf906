"""Ranking of trials within some of their days: by floats, and exactly where floats are too close."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, cast

import numpy as np

from bot.numbers.arrays import FloatArray, IntArray
from bot.numbers.struct_of_arrays import StructOfArrays
from bot.selection.days.segments import SegmentSums

NOBODY = -1
"""Number in place of a trial's where there is none."""
DOUBT = 2.0**-48
"""Share by which a key in floats may be off: six roundings are less, by three bits."""
_CELLS, _FEWEST_ROWS = 2**16, 16


@dataclass(frozen=True, slots=True, eq=False)
class Rows(StructOfArrays):
    """Trials to rank: number, exponent of the whole returns, and segment sums of each."""

    numbers: IntArray
    exponents: IntArray
    sums: SegmentSums

    def grouped(self, windows: FloatArray) -> "Rows":
        """Return the trials with sums over windows (rows) instead of segments (columns)."""
        return Rows(self.numbers, self.exponents, self.sums.grouped(windows))

    def pieces(self, most: int) -> Iterator[tuple[int, "Rows"]]:
        """Yield the rows, at most so many at a time, and where they begin."""
        for first in range(0, len(self.numbers), most):
            yield first, self.at(slice(first, first + most))


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
class WindowSums(StructOfArrays):
    """Exponent of the whole returns, sum and sum of squares, each of one trial in one window."""

    exponents: IntArray
    totals: IntArray
    squares: IntArray

    def put(self, places: IntArray, found: "WindowSums") -> None:
        """Replace some of them."""
        self.exponents[places] = found.exponents
        self.totals[places] = found.totals
        self.squares[places] = found.squares

    def keys(self, ranking: Ranking) -> FloatArray:
        """Return the key of each, to the nearest float but for some roundings."""
        totals, squares = self.totals.astype(np.float64), self.squares.astype(np.float64)
        return ranking.keys(totals, squares, self.exponents)

    def key(self, ranking: Ranking, place: int) -> Fraction | None:
        """Return the exact key of one."""
        return ranking.key(int(self.totals[place]), int(self.squares[place]), int(self.exponents[place]))


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Windows (rows) as 1 for each segment (column) inside, and how trials are ranked in them.

    Trials that are not zero on fewer than `fewest_active` days of a window are not ranked there.
    """

    ranking: Ranking
    inside: FloatArray
    fewest_active: int = 0

    def __len__(self) -> int:
        return len(self.inside)


class Near(NamedTuple):
    """Trials, by their rows, in windows where floats do not tell them from another one."""

    windows: IntArray
    rows: IntArray
    sums: WindowSums


class Placed(NamedTuple):
    """Numbers of worse and of equal trials in each window; `near` ones are not counted yet."""

    worse: IntArray
    equal: IntArray
    near: Near | None


class Comparing(NamedTuple):
    """Way to compare trials with one of each window; every one leads to the same choices and counts.

    `leaders` takes the sums of the best trial of each window so far, and their numbers, and yields trials
    among which the best of some rows is wherever it is better than that one; what is yielded may have come
    in force when it goes on. `places` takes the sums of the trial to place in each window.
    """

    leaders: Callable[[Windows, Rows, WindowSums, IntArray], Iterator[Near]]
    places: Callable[[Windows, Rows, WindowSums], Iterator[Placed]]


def below(keys: FloatArray) -> FloatArray:
    """Return the least float that might stand for an equal key."""
    return keys - np.where(np.isfinite(keys), np.abs(keys), 0.0) * DOUBT


def above(keys: FloatArray) -> FloatArray:
    """Return the largest float that might stand for an equal key."""
    return -below(-keys)


def _leaders(windows: Windows, rows: Rows, best: WindowSums, _numbers: IntArray) -> Iterator[Near]:
    for first, piece in rows.pieces(_most_rows(windows)):
        totals, squares = _in_windows(windows, piece)
        keys = windows.ranking.keys(totals, squares, piece.exponents)
        if windows.fewest_active:
            active = windows.inside @ piece.sums.active.T.astype(np.float64)
            keys[active < windows.fewest_active] = -math.inf
        highest = keys.max(axis=1)
        some = np.flatnonzero((highest >= below(best.keys(windows.ranking))) & (highest > -math.inf))
        which, found = np.nonzero(keys[some] >= below(highest[some])[:, None])
        yield _near(some[which], found, first, piece, totals, squares)


def _places(windows: Windows, rows: Rows, own: WindowSums) -> Iterator[Placed]:
    keys = own.keys(windows.ranking)
    low, high, nothing = below(keys), above(keys), np.zeros(len(windows), dtype=np.int64)
    for first, piece in rows.pieces(_most_rows(windows)):
        totals, squares = _in_windows(windows, piece)
        keys = windows.ranking.keys(totals, squares, piece.exponents)
        worse = keys < low[:, None]
        near = np.logical_xor(worse, keys <= high[:, None])
        which, found = np.nonzero(near)
        close = _near(which, found, first, piece, totals, squares)
        yield Placed(np.count_nonzero(worse, axis=1), nothing, close)


BY_MATRICES = Comparing(_leaders, _places)
"""Comparison by products of matrices, as many rows at a time as fit into a cache in all windows."""


def _most_rows(windows: Windows) -> int:
    return max(_FEWEST_ROWS, _CELLS // max(len(windows), 1))


def _near(
    windows: IntArray, rows: IntArray, first: int, piece: Rows, totals: FloatArray, squares: FloatArray
) -> Near:
    own = totals[windows, rows].astype(np.int64), squares[windows, rows].astype(np.int64)
    return Near(windows, rows + first, WindowSums(piece.exponents[rows], *own))


def _in_windows(windows: Windows, rows: Rows) -> tuple[FloatArray, FloatArray]:
    """Return sums and sums of squares of trials (columns) in windows (rows): below 2**53, so exact."""
    inside, sums = windows.inside, rows.sums
    return inside @ sums.totals.T.astype(np.float64), inside @ sums.squares.T.astype(np.float64)
