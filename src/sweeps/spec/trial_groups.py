"""Trials of a sweep by group: those of one strategy that share the parameters they are grouped by."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.config.parameter_columns import ParameterColumns, distinct_rows
from bot.numbers.arrays import IntArray
from sweeps.spec.compiling import Compiled

STRATEGY = "strategy_mode"


@dataclass(frozen=True, slots=True, eq=False)
class TrialGroup:
    """Trials of one strategy with what they share, by ascending place among those asked for."""

    numbers: IntArray
    parameters: ParameterColumns

    def take(self, places: IntArray) -> "TrialGroup":
        """Return the trials at these places of the group."""
        return TrialGroup(self.numbers[places], self.parameters.take(places))


def trial_groups(found: Compiled, numbers: IntArray, by: Collection[str]) -> list[TrialGroup]:
    """Return trials, which must exist, by strategy and by the parameters `by`, nothing of them checked."""
    if not len(numbers):
        return []
    space = found.space
    cells = space.cells_of(numbers)
    places = {name: space.positions(cells, name) for name in space.by_name}
    shared = [name for name in places if name == STRATEGY or name in by]
    varied = {name: column for name, column in places.items() if name not in shared}
    if not shared:
        return [TrialGroup(numbers, _parameters(found, {}, varied, len(numbers)))]
    first, kind = distinct_rows([places[name] for name in shared], len(numbers))
    groups = []
    for at, trial in enumerate(first.tolist()):
        values = {name: space.by_name[name].values[places[name][trial]] for name in shared}
        own = np.flatnonzero(kind == at)
        mine = {name: column[own] for name, column in varied.items()}
        groups.append(TrialGroup(numbers[own], _parameters(found, values, mine, len(own))))
    return groups


def _parameters(
    found: Compiled, shared: dict[str, Any], varied: dict[str, IntArray], count: int
) -> ParameterColumns:
    base = found.bases[shared[STRATEGY]] if len(found.bases) > 1 else next(iter(found.bases.values()))
    known = type(base).model_fields
    places = {name: column for name, column in varied.items() if name in known}
    values = {name: found.space.by_name[name].values for name in places}
    run = base.model_copy(update={name: value for name, value in shared.items() if name in known})
    return ParameterColumns(run, values, places, count).condensed()
