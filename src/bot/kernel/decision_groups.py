"""Trials by what their strategy decides: those that share it but for the thresholds that it names."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np

from bot.config.parameter_columns import ParameterColumns, distinct_rows
from bot.config.run_config import RunConfig
from bot.config.strategy_registry import strategy_plugin
from bot.numbers.arrays import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class DecisionGroup:
    """Trials that agree in all parameters but those that `run` does not show: their places, ascending."""

    parameters: ParameterColumns
    places: IntArray
    run: RunConfig

    def split(self, names: Collection[str]) -> Iterator["DecisionGroup"]:
        """Yield the trials of the group by the values of the parameters `names` as well."""
        varied = [name for name in self.parameters.values if name in names]
        for some in _alike(self.parameters, varied, self.places):
            run = _shown(self.run, self.parameters, varied, some[0]) if varied else self.run
            yield DecisionGroup(self.parameters, some, run)

    def values(self, name: str) -> Sequence[Any]:
        """Return the values of a parameter that decisions are made by, of this group or of others."""
        return self.parameters.values.get(name) or [getattr(self.run, name)]


def decision_groups(parameters: ParameterColumns, places: IntArray) -> Iterator[DecisionGroup]:
    """Yield the trials at `places` by the parameters that `decide_columns` of their strategy reads."""
    read = strategy_plugin(parameters.shared.strategy_mode).decided_by
    hidden = {} if read is None else {name: _Hidden(name) for name in parameters.values if name not in read}
    run = parameters.shared.model_copy(update=hidden)
    everything = DecisionGroup(parameters, places, run)
    return everything.split(set(parameters.values) - hidden.keys())


def _alike(parameters: ParameterColumns, names: Collection[str], places: IntArray) -> list[IntArray]:
    """Return the trials at `places` that have the same values of the parameters `names`, by group."""
    if not names or len(places) < 2:
        return [places] if len(places) else []
    first, kind = distinct_rows([parameters.places[name][places] for name in names], len(places))
    # Numbers of one or two bytes are sorted by counting them, in a third of the time.
    order = np.argsort(kind.astype(np.min_scalar_type(len(first))), kind="stable")
    ordered, ends = places[order], np.cumsum(np.bincount(kind, minlength=len(first))).tolist()
    return [ordered[start:end] for start, end in pairwise((0, *ends))]


def _shown(run: RunConfig, parameters: ParameterColumns, names: Collection[str], trial: int) -> RunConfig:
    """Return a run with the values that one trial has of the parameters `names`."""
    return run.model_copy(
        update={name: parameters.values[name][parameters.places[name][trial]] for name in names}
    )


class _Hidden:
    """Value of a parameter in which the trials of a group differ; deciding by it is refused loudly."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError(f"decide_columns reads {self._name}, which decided_by does not name")

    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __hash__ = __str__ = __int__ = __float__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
