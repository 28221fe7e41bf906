"""Axes that trials of a sweep do not read: those that make them repeat others, and those that none has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.config.hedge_rules import EVERY_READ_UNDER
from bot.config.strategy_registry import usable_strategies
from bot.notation import quoted
from bot.numbers.arrays import BoolArray, IntArray
from bot.plurals import counted
from sweeps.spec.parameters import variables
from sweeps.spec.spec import SweepSpec

STRATEGY = "strategy_mode"
_LARGEST = 2**62
"""Bound of the numbers that tell combinations of values apart."""


@dataclass(frozen=True, slots=True)
class UnreadAxis:
    """Axis that repeats `trials` trials, since only some values of `other` read it.

    `reading` are those of these values that the sweep has, as JSON; without any, no trial reads the axis.
    """

    name: str
    other: str
    readers: tuple[str, ...]
    reading: tuple[Any, ...]
    trials: int

    @property
    def when(self) -> dict[str, list[Any]] | None:
        """The condition that would leave the repetitions out, None where the axis is to go."""
        return {self.other: list(self.reading)} if self.reading else None

    @property
    def message(self) -> str:
        """One sentence on what is repeated, and what leaves it out."""
        repeated = counted(self.trials, "trial repeats another", "trials repeat others")
        under = f"{self.name} is read under {self.other} {' or '.join(self.readers)} alone"
        if self.when is None:
            return f"{under}, which no trial has: without this axis the sweep has {self.trials:,} fewer"
        said = ", ".join(f'"{value}"' for value in self.reading)
        return f'{under}: {repeated} unless the axis has "when": {{"{self.other}": [{said}]}}'

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"axis": self.name, "when": self.when, "trials": self.trials, "message": self.message}


@dataclass(frozen=True, slots=True)
class LeftOutAxis:
    """Axis without a value in any trial, since its condition, given as JSON, holds in none."""

    name: str
    condition: str

    @property
    def message(self) -> str:
        """One sentence on why no trial has a value of it."""
        return f'{self.name} is left out of every trial: its "when" {self.condition} holds in none'

    def document(self) -> dict[str, Any]:
        """Return it as JSON values, in the form of an axis that repeats no trial."""
        return {"axis": self.name, "when": None, "trials": 0, "message": self.message}


def left_out_axes(spec: SweepSpec) -> Iterator[LeftOutAxis]:
    """Yield the axes that no trial has a value of, in the order of the sweep."""
    cells, grid = spec.space.cells_of(np.arange(spec.trial_count)), spec.document()["grid"]
    for axis in spec.space.axes:
        if axis.conditional and not spec.space.positions(cells, axis.name).any():
            together = spec.space.dimensions[spec.space.dimension_of[axis.name]].axes
            written = [grid[one.name] for one in together]
            conditions = [one["when"] for one in written if isinstance(one, dict) and "when" in one]
            yield LeftOutAxis(axis.name, quoted({key: one[key] for one in conditions for key in one}))


class Repetitions:
    """Repeated trials of a sweep, in all and by the axis that is not read."""

    def __init__(self, spec: SweepSpec) -> None:
        self._spec = spec
        self._cells = spec.space.cells_of(np.arange(spec.trial_count))
        self._known = variables(spec.strategies())
        self._unread: dict[str, BoolArray] = {}
        for axis in spec.space.axes:
            unread = self._unread_under(*self._condition(axis.name))
            if unread.any():
                self._unread[axis.name] = unread

    def count(self) -> int:
        """Return the number of trials that differ from an earlier one only in unread parameters."""
        return self._spec.trial_count - self._distinct(tuple(self._unread))

    def axes(self) -> list[UnreadAxis]:
        """Return the axes that repeat trials and could have a condition, in the order of the sweep."""
        space, found = self._spec.space, []
        for name in self._unread:
            if len(space.dimensions[space.dimension_of[name]].axes) > 1:
                continue  # moves together with others, and has no condition of its own
            trials = self._spec.trial_count - self._distinct((name,))
            other, readers = self._condition(name)
            if trials:
                found.append(UnreadAxis(name, other, readers, self._reading(other, readers), trials))
        return found

    def _condition(self, name: str) -> tuple[str, tuple[str, ...]]:
        """Return the parameter that an axis is read under, and the values of it that read the axis."""
        if name in EVERY_READ_UNDER:
            return EVERY_READ_UNDER[name]
        strategies = tuple(one for one in self._known.strategies if self._known.reads(one, name))
        return STRATEGY, strategies or tuple(
            one.name for one in usable_strategies()[0] if self._known.reads(one.name, name)
        )

    def _unread_under(self, other: str, readers: Sequence[object]) -> BoolArray:
        """Return of each trial whether its value of a parameter is none of the readers."""
        unread = np.array([value not in readers for value in self._spec.values_of(other)], dtype=np.bool_)
        if other not in self._spec.space.by_name:
            return unread.repeat(len(self._cells))
        found: BoolArray = unread[self._spec.space.positions(self._cells, other)]
        return found

    def _reading(self, other: str, readers: Sequence[object]) -> tuple[Any, ...]:
        axis = self._spec.space.by_name.get(other)
        if axis is None:
            return ()
        labelled = zip(axis.labels, axis.values, strict=True)
        return tuple(label for label, value in labelled if value in readers and label is not None)

    def _distinct(self, unread: Sequence[str]) -> int:
        """Return the number of different runs, the axes `unread` told apart only where they are read."""
        combined: IntArray = np.zeros(len(self._cells), dtype=np.int64)
        size = 1
        for axis in self._spec.space.axes:
            ranks = {value: rank for rank, value in enumerate(dict.fromkeys(axis.values))}
            values = np.array([ranks[value] for value in axis.values])
            own: npt.NDArray[Any] = values[self._spec.space.positions(self._cells, axis.name)]
            if axis.name in unread:
                own = np.where(self._unread[axis.name], 0, own)
            if size * len(ranks) > _LARGEST:
                found, combined = np.unique(combined, return_inverse=True)
                size = len(found)
            combined = combined * len(ranks) + own
            size *= len(ranks)
        # Sorted: np.unique hashes, which takes seconds for a million.
        return int(np.count_nonzero(np.diff(np.sort(combined), prepend=-1)))
