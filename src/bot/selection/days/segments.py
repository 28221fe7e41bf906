"""Segments of the days between the boundaries of blocks, purges and folds, and sums of returns over them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.numbers.arrays import FloatArray, IntArray
from bot.numbers.struct_of_arrays import StructOfArrays
from bot.selection.days.blocks import Blocks, Span

_INT32_DAYS = 2047
_UINT8_DAYS = 255


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Adjacent pieces of the days of a panel; piece i runs from `edges[i]` to before `edges[i + 1]`."""

    edges: IntArray

    @classmethod
    def of(cls, days: int, edges: Iterable[int]) -> "Segments":
        """Return the pieces that `edges` cut `days` days into."""
        return cls(np.array(sorted({0, days, *edges}), dtype=np.int64))

    def sums(self, values: FloatArray) -> "SegmentSums":
        """Return the sums of whole returns (trials x days) of each piece."""
        starts = self.edges[:-1]
        return self.packed(
            np.add.reduceat(values, starts, axis=1),
            np.add.reduceat(values * values, starts, axis=1),
            np.add.reduceat(values != 0, starts, axis=1, dtype=np.int64),
        )

    def packed(
        self, totals: FloatArray | IntArray, squares: FloatArray | IntArray, active: IntArray
    ) -> "SegmentSums":
        """Return sums of the pieces in the integers that are as wide as the longest piece needs."""
        longest = int(np.diff(self.edges).max(initial=0))
        return SegmentSums(
            totals.astype(np.int32 if longest <= _INT32_DAYS else np.int64, copy=False),
            squares.astype(np.int64, copy=False),
            active.astype(np.uint8 if longest <= _UINT8_DAYS else np.uint16, copy=False),
        )

    def inside(self, spans: Sequence[Span]) -> FloatArray:
        """Return 1 for each piece inside one of the spans, all of which begin and end at edges; else 0."""
        found = np.zeros(len(self.edges) - 1)
        for span in spans:
            first, end = np.searchsorted(self.edges, span)
            found[first:end] = 1.0
        return found

    def blocks(self, blocks: Blocks) -> FloatArray:
        """Return 1 for each piece (column) inside each of the blocks (rows), else 0."""
        return np.array([self.inside([blocks.span(block)]) for block in range(blocks.count)])


NO_PIECES = Segments(np.zeros(1, dtype=np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class SegmentSums(StructOfArrays):
    """Of each trial (row) and piece (column): sum, sum of squares, and days that are not zero.

    The latter have no columns where the pieces were `grouped`.
    """

    totals: npt.NDArray[np.integer]
    squares: IntArray
    active: npt.NDArray[np.integer]

    def grouped(self, windows: FloatArray) -> "SegmentSums":
        """Return the sums over windows (rows) that are 1 for each piece (column) inside."""
        return SegmentSums(
            (self.totals.astype(np.float64) @ windows.T).astype(np.int64),
            (self.squares.astype(np.float64) @ windows.T).astype(np.int64),
            self.active[:, :0],
        )
