"""Blocks of equal length that days are cut into, and the sets of them that train and test."""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise

import numpy as np

from bot.numbers.arrays import FloatArray
from bot.plurals import counted

FEWEST_DAYS = 7

Span = tuple[int, int]
"""Days from the first to the one before the second, by number."""


@dataclass(frozen=True)
class Blocks:
    """`count` blocks of the newest of `days` days; a remainder of the oldest days is in none."""

    days: int
    count: int
    test_blocks: int
    purge_days: int
    embargo_days: int

    @property
    def length(self) -> int:
        """Days of a block."""
        return self.days // self.count

    @property
    def start(self) -> int:
        """First day of the first block."""
        return self.days - self.count * self.length

    @property
    def too_short(self) -> str | None:
        """Reason for judging no blocks, None where they are long enough."""
        if self.length >= FEWEST_DAYS:
            return None
        return f"{counted(self.count * FEWEST_DAYS, 'day')} needed for {self.count} blocks, {self.days} held"

    def span(self, block: int) -> Span:
        """Return the days of one block."""
        first = self.start + block * self.length
        return first, first + self.length

    @cached_property
    def halves(self) -> list[tuple[int, ...]]:
        """Sets of half the blocks, in lexicographic order."""
        return list(combinations(range(self.count), self.count // 2))

    @cached_property
    def half_windows(self) -> FloatArray:
        """The halves (rows) as 1 for each block (column) inside, else 0."""
        found = np.zeros((len(self.halves), self.count))
        found[np.arange(len(self.halves))[:, None], self.halves] = 1.0
        return found

    @cached_property
    def test_sets(self) -> list[tuple[int, ...]]:
        """Sets of blocks that are tested together, in lexicographic order."""
        return list(combinations(range(self.count), self.test_blocks))

    def train_spans(self, test_set: tuple[int, ...]) -> list[Span]:
        """Return the days to train on: none tested, purged before a run of test days or embargoed after it.

        Source: Lopez de Prado, Advances in Financial Machine Learning (2018), sections 7.4 and 12.4.
        """
        spans, free = [], self.start
        for first, last in _runs(test_set):
            spans.append((free, self.span(first)[0] - self.purge_days))
            free = self.span(last)[1] + self.embargo_days
        spans.append((free, self.days))
        return [(first, end) for first, end in spans if first < end]

    @property
    def edges(self) -> set[int]:
        """Days at which a block, or what is purged or embargoed around one, begins or ends."""
        spans = [self.span(block) for block in range(self.count)]
        wanted = {edge for span in spans for edge in span}
        wanted |= {first - self.purge_days for first, _ in spans} | {
            end + self.embargo_days for _, end in spans
        }
        return {edge for edge in wanted if self.start <= edge <= self.days}


def _runs(blocks: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return first and last block of each run of adjacent ones."""
    breaks = [place for place, (one, other) in enumerate(pairwise(blocks), 1) if other > one + 1]
    return [(blocks[first], blocks[end - 1]) for first, end in pairwise([0, *breaks, len(blocks)])]
