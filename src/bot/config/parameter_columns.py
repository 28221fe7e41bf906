"""Parameters of many trials by column: the values that each takes, and which of them each trial has."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from bot.config.hedge_checks import (
    HEDGE_PARAMETERS,
    any_asks_for_hedges,
    asks_for_hedges,
    can_ask_for_hedges,
    needs_hedge_engine,
)
from bot.config.run_config import RunConfig, ruled_parameters
from bot.errors import InvalidInputError
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.numbering import first_places, numbered

_MOST_KEYS = 2**62
"""Bound of the numbers that rows are told apart by."""


@dataclass(frozen=True, slots=True, eq=False)
class ParameterColumns:
    """Parameters of `count` trials of one strategy: `shared` ones, and those that vary.

    `values` are the values of each parameter that varies, as a run takes them; `places` say for each trial
    which of them it has. In `shared` the parameters that vary hold no meaning.
    """

    shared: RunConfig
    values: Mapping[str, Sequence[Any]]
    places: Mapping[str, IntArray]
    count: int

    @classmethod
    def of(cls, runs: Sequence[RunConfig]) -> Self:
        """Return the parameters of one run or more, which are of one model and strategy."""
        values: dict[str, list[Any]] = {}
        places: dict[str, IntArray] = {}
        for name in type(runs[0]).model_fields:
            own = [getattr(run, name) for run in runs]
            known = {repr(value): value for value in own}
            if len(known) > 1:
                numbered = {key: place for place, key in enumerate(known)}
                values[name] = list(known.values())
                places[name] = np.array([numbered[repr(value)] for value in own], dtype=np.int64)
        return cls(runs[0], values, places, len(runs))

    def __len__(self) -> int:
        return self.count

    def asking_for_hedges(self) -> BoolArray:
        """Return for each trial whether it asks for what only the replay of hedges models."""
        if not can_ask_for_hedges(self.values):
            return np.full(self.count, needs_hedge_engine(self.shared))
        found = np.zeros(self.count, dtype=np.bool_)
        for name in HEDGE_PARAMETERS:
            if name in self.values:
                asks = [asks_for_hedges(name, value) for value in self.values[name]]
                found |= np.array(asks, dtype=np.bool_)[self.places[name]]
            elif asks_for_hedges(name, getattr(self.shared, name)):
                found[:] = True
        return found

    def take(self, trials: IntArray) -> Self:
        """Return the parameters of the trials at these places, in this order."""
        places = {name: column[trials] for name, column in self.places.items()}
        return replace(self, places=places, count=len(trials))

    def sharing(self, **values: object) -> Self:
        """Return these parameters with other, already validated values of shared ones."""
        return replace(self, shared=self.shared.model_copy(update=values))

    def condensed(self) -> Self:
        """Return these parameters without the values that no trial has, where there are more than trials."""
        values, places = dict(self.values), dict(self.places)
        for name, own in self.values.items():
            if len(own) > self.count:
                used, places[name] = np.unique(places[name], return_inverse=True)
                values[name] = [own[place] for place in used.tolist()]
        return replace(self, values=values, places=places)

    def config(self, trial: int) -> RunConfig:
        """Return all parameters of one trial; rules between them are left to `refused`."""
        return self.shared.model_copy(update=self._varied(trial))

    def configs(self) -> Iterator[RunConfig]:
        """Yield all parameters of each trial; rules between them are left to `refused`."""
        names = list(self.values)
        columns = [[self.values[name][place] for place in self.places[name].tolist()] for name in names]
        for trial in zip(*columns, strict=True):
            yield self.shared.model_copy(update=dict(zip(names, trial, strict=True)))
        if not names:
            yield from [self.shared] * self.count

    def refused(self) -> dict[int, InvalidInputError]:
        """Return the trials whose parameters contradict each other, by place, with the error of each.

        The rules are asked once for each combination of the values that they read.
        """
        if not self.count:
            return {}
        with_hedges = any_asks_for_hedges(self.shared, self.values)
        ruled = ruled_parameters(type(self.shared), with_hedges=with_hedges)
        first, kind = distinct_rows(
            [column for name, column in self.places.items() if ruled is None or name in ruled], self.count
        )
        found = [self._contradiction(trial) for trial in first.tolist()]
        if not any(found):
            return {}
        errors = [found[at] for at in kind.tolist()]
        return {trial: error for trial, error in enumerate(errors) if error is not None}

    def _contradiction(self, trial: int) -> InvalidInputError | None:
        try:
            self.shared.varied(self._varied(trial))
        except InvalidInputError as error:
            return error
        return None

    def _varied(self, trial: int) -> dict[str, Any]:
        return {name: values[self.places[name][trial]] for name, values in self.values.items()}


def distinct_rows(columns: Sequence[IntArray], count: int) -> tuple[IntArray, IntArray]:
    """Return the first place of each distinct row of columns of `count` values, and the row of each place."""
    used, kind = numbered(*row_numbers(columns, count))
    return first_places(kind, len(used)), kind


def row_numbers(columns: Sequence[IntArray], count: int) -> tuple[IntArray, int]:
    """Return a number for each row of columns of `count` values, and what all of them are below.

    They are equal where rows are, and in the order of the rows, the first column counting most.
    """
    keys, room = np.zeros(count, dtype=np.int64), 1
    for column in columns:
        size = int(column.max(initial=0)) + 1
        if room * size > _MOST_KEYS:
            used, keys = numbered(keys, room)
            room = len(used)
        keys, room = keys * size + column, room * size
    return keys, room
