"""Values of axes under which no trial is a hedge that fits: refused with the sweep, not trial by trial."""

from math import prod
from typing import Any

from bot.config.hedge_checks import (
    HEDGE_PARAMETERS,
    READ_BY_RULES,
    needs_hedge_engine,
    refuse_hedge_contradictions,
)
from bot.config.run_config import RunConfig
from bot.errors import FieldError, InvalidInputError
from bot.validation import rule_error
from sweeps.spec.spec import SweepSpec

_NAMES = tuple(sorted({*HEDGE_PARAMETERS, *READ_BY_RULES}))
_MOST_COMBINED = 4_000
"""Most combinations that are checked, so that the answer comes while somebody types."""


def refuse_values_of_no_hedge(spec: SweepSpec, before: SweepSpec | None = None) -> None:
    """Do nothing if each value of the axes that hedges are made of works in some trial.

    Others contradict whatever the sweep sets beside them; those that it had `before` it was extended stay. Of
    very many combinations none is checked; their trials are refused one by one.
    Raises: InvalidInputError naming the path of each such value.
    """
    axes = [axis for axis in spec.axes if axis.name in _NAMES]
    if not axes or prod(len(axis.values) for axis in axes) > _MOST_COMBINED:
        return
    works: set[tuple[str, Any]] = set()
    faults: dict[tuple[str, Any], FieldError] = {}
    for values in spec.space.combinations(_NAMES).values():
        fault = _fault(spec.base_config.model_copy(update=values))
        for place in values.items():
            if fault is None:
                works.add(place)
            else:
                faults.setdefault(place, fault)
    errors = [
        FieldError(path, _words(axis.name, faults[axis.name, value]))
        for axis in axes
        for path, value in spec.written_values(axis.name).items()
        if (axis.name, value) in faults
        and (axis.name, value) not in works
        and (before is None or value not in before.values_of(axis.name))
    ]
    if errors:
        raise InvalidInputError(errors)


def _fault(config: RunConfig) -> FieldError | None:
    """Return the rule of hedges that parameters break, None where they break none."""
    if not needs_hedge_engine(config):
        return None
    try:
        refuse_hedge_contradictions(config)
    except ValueError as error:
        return rule_error(str(error))
    return None


def _words(name: str, fault: FieldError) -> str:
    return fault.message if fault.field == name else f"{fault.field}: {fault.message}"
