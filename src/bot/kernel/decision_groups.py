"""Trials by what their strategy decides: those that share it but for the thresholds that it names."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np

from bot.config.parameter_columns import ParameterColumns, distinct_rows
from bot.config.run_config import RunConfig
from bot.config.strategy_registry import strategy_plugin
from bot.numbers.arrays import IntArray


@dataclass(frozen=True, eq=False)
class DecisionGroup:
    """Trials that agree in all parameters but the `hidden` ones: their places, ascending."""

    parameters: ParameterColumns
    places: IntArray
    hidden: frozenset[str]

    @property
    def strategy(self) -> str:
        """The strategy of the trials."""
        return self.parameters.shared.strategy_mode

    @cached_property
    def run(self) -> RunConfig:
        """The parameters of the trials; of the hidden ones none can be read."""
        shown = {name: self.value(name) for name in self.parameters.values if name not in self.hidden}
        return self.parameters.shared.model_copy(update=shown | {name: _Hidden(name) for name in self.hidden})

    def value(self, name: str) -> Any:
        """Return the value of a parameter that the trials agree in, None of one that they do not have."""
        if name not in self.parameters.values:
            return getattr(self.parameters.shared, name, None)
        return self.parameters.values[name][self.parameters.places[name][self.places[0]]]

    def split(self, names: Collection[str]) -> Iterator["DecisionGroup"]:
        """Yield the trials of the group by the values of the parameters `names` as well."""
        varied = [name for name in self.parameters.values if name in names]
        for some in _alike(self.parameters, varied, self.places):
            yield DecisionGroup(self.parameters, some, self.hidden.difference(varied))

    def values(self, name: str) -> Sequence[Any]:
        """Return the values of a parameter that decisions are made by, of this group or of others."""
        return self.parameters.values.get(name) or [getattr(self.parameters.shared, name)]


def decision_groups(parameters: ParameterColumns, places: IntArray) -> Iterator[DecisionGroup]:
    """Yield the trials at `places` by the parameters that `decide_columns` of their strategy reads."""
    read = strategy_plugin(parameters.shared.strategy_mode).decided_by
    varied = frozenset(parameters.values)
    shown = varied if read is None else varied.intersection(read)
    return DecisionGroup(parameters, places, varied - shown).split(shown)


def _alike(parameters: ParameterColumns, names: Collection[str], places: IntArray) -> list[IntArray]:
    """Return the trials at `places` that have the same values of the parameters `names`, by group."""
    if not names or len(places) < 2:
        return [places] if len(places) else []
    first, kind = distinct_rows([parameters.places[name][places] for name in names], len(places))
    # Numbers of one or two bytes are sorted by counting them, in a third of the time.
    order = np.argsort(kind.astype(np.min_scalar_type(len(first))), kind="stable")
    ordered, ends = places[order], np.cumsum(np.bincount(kind, minlength=len(first))).tolist()
    return [ordered[start:end] for start, end in pairwise((0, *ends))]


class _Hidden:
    """Value of a parameter in which the trials of a group differ; deciding by it is refused loudly."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError(f"decide_columns reads {self._name}, which decided_by does not name")

    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __hash__ = __str__ = __int__ = __float__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
