"""Distinct trials among the parts of a search, of equal ones the lowest number, a share of them at a time.

Parts come one after the other. What is kept of them at a time are the digests of `MOST_AT_ONCE` trials of
each kind, at most 40 bytes of arrays each, and in the end one byte for each trial number.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.numbers.struct_of_arrays import StructOfArrays
from bot.selection.days.digests import Digests, first_of_equals

MOST_AT_ONCE = 250_000
"""Most digests of a kind that are compared at a time; with more of them the parts are gone through again."""
_PLACES_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class DigestedTrials(StructOfArrays):
    """Trials with a digest each that equal ones share, and figures to keep (n x k)."""

    numbers: IntArray
    digests: Digests
    figures: FloatArray

    @classmethod
    def of(cls, numbers: IntArray, digests: Digests, *figures: FloatArray) -> Self:
        """Return trials with columns of figures."""
        columns = np.stack(figures, axis=1) if figures else np.empty((len(numbers), 0))
        return cls(numbers, digests, columns)

    def share(self, share: int, shares: int) -> "DigestedTrials":
        """Return one of some shares of the trials, equal ones in the same."""
        return self.at(self.digests[:, 0] % np.uint64(shares) == share)

    def distinct(self) -> "DigestedTrials":
        """Return of the trials with one digest that of the lowest number."""
        return self.at(first_of_equals(self.numbers, self.digests))


Kinds = tuple[DigestedTrials, ...]
"""Trials of each of some kinds."""


def distinct_trials(parts: Callable[[], Iterable[Kinds]], most: int | None = None) -> Iterator[Kinds]:
    """Yield the distinct trials of each kind among all parts, in shares of some `most`.

    `parts` is called again for each share where there are more, and gives the same ones each time.
    """
    most, total = most or MOST_AT_ONCE, 0
    held: list[Kinds] = []
    for part in parts():
        total += max(len(kind.numbers) for kind in part)
        held.append(part)
        if total > most:
            held.clear()
    if total <= most:
        yield from _distinct(held)
        return
    shares = -(-total // most)
    for share in range(shares):
        yield from _distinct([tuple(kind.share(share, shares) for kind in part) for part in parts()])


def _distinct(held: list[Kinds]) -> Iterator[Kinds]:
    """Yield the distinct trials of some parts together, nothing without any; lets go of the parts."""
    kinds = [list(kind) for kind in zip(*held, strict=True)]
    held.clear()
    if kinds:
        yield tuple(DigestedTrials.joined(_taken(kind)).distinct() for kind in kinds)


def _taken(kind: list[DigestedTrials]) -> list[DigestedTrials]:
    """Return the trials of a kind, and leave none of them behind."""
    taken = kind[:]
    kind.clear()
    return taken


class TrialSet:
    """A set of trial numbers, as one byte for each up to the largest."""

    def __init__(self, numbers: IntArray | None = None) -> None:
        self._held = np.zeros(0, dtype=np.bool_)
        if numbers is not None:
            self.add(numbers)

    def __len__(self) -> int:
        return int(np.count_nonzero(self._held))

    @property
    def numbers(self) -> IntArray:
        """The numbers, ascending."""
        return np.flatnonzero(self._held)

    def pieces(self) -> Iterator[IntArray]:
        """Yield the numbers, ascending, some at a time: each takes eight times the byte that it has here."""
        for first in range(0, len(self._held), _PLACES_AT_ONCE):
            yield first + np.flatnonzero(self._held[first : first + _PLACES_AT_ONCE])

    def at(self, place: int) -> int:
        """Return the number at a place in ascending order; raises IndexError where there are fewer."""
        for numbers in self.pieces():
            if place < len(numbers):
                return int(numbers[place])
            place -= len(numbers)
        raise IndexError("there are fewer numbers")

    def below(self, number: int) -> int:
        """Return how many numbers are less than another."""
        return int(np.count_nonzero(self._held[:number]))

    def add(self, numbers: IntArray) -> None:
        """Add numbers; those that are there already count once."""
        self._reach(numbers)
        self._held[numbers] = True

    def has(self, numbers: IntArray) -> BoolArray:
        """Return which of some numbers are there."""
        self._reach(numbers)
        return self._held[numbers]

    def copy(self) -> "TrialSet":
        """Return a set of the same numbers."""
        found = TrialSet()
        found._held = self._held.copy()
        return found

    def take(self, numbers: IntArray) -> BoolArray:
        """Return which of some numbers are there, each once, and take them out."""
        found = self.has(numbers)
        self._held[numbers[found]] = False
        return found

    def _reach(self, numbers: IntArray) -> None:
        """Have a place for each of some numbers; more come part by part, so places grow by half at least."""
        room, held = int(numbers.max(initial=-1)) + 1, len(self._held)
        if room > held:
            larger = np.zeros(max(room, held + held // 2), dtype=np.bool_)
            larger[:held] = self._held
            self._held = larger
