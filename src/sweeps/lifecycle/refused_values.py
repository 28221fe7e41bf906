"""Values of axes under which no trial is a run: refused with the sweep, not trial by trial."""

from collections.abc import Callable, Sequence
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

_OF_WINDOWS = ("end", "start")
_OF_HEDGES = tuple(sorted({*HEDGE_PARAMETERS, *READ_BY_RULES}))
_MOST_COMBINED = 4_000
"""Most combinations that are checked, so that the answer comes while somebody types."""


def refuse_values_of_no_run(spec: SweepSpec, before: SweepSpec | None = None) -> None:
    """Do nothing if each value of the axes that hedges are made of works in some trial.

    Others contradict whatever the sweep sets beside them; those that it had `before` it was extended stay. So
    do windows that end before they start in an extension, which cannot be taken back as a new sweep can. Of
    very many combinations none is checked; their trials are refused one by one.
    Raises: InvalidInputError naming the path of each such value.
    """
    errors = _refused(spec, before, _OF_HEDGES, _refuse_hedge)
    if before is not None:
        errors += _refused(spec, before, _OF_WINDOWS, RunConfig.refuse_window)
    if errors:
        raise InvalidInputError(errors)


def _refused(
    spec: SweepSpec, before: SweepSpec | None, names: Sequence[str], rule: Callable[[RunConfig], None]
) -> list[FieldError]:
    """Return the values of axes named that break a rule in every trial."""
    axes = [axis for axis in spec.axes if axis.name in names]
    if not axes or prod(len(axis.values) for axis in axes) > _MOST_COMBINED:
        return []
    works: set[tuple[str, Any]] = set()
    faults: dict[tuple[str, Any], FieldError] = {}
    for values in spec.space.combinations(names).values():
        fault = _fault(rule, spec.base_config.model_copy(update=values))
        for place in values.items():
            if fault is None:
                works.add(place)
            else:
                faults.setdefault(place, fault)
    return [
        FieldError(path, _words(axis.name, faults[axis.name, value]))
        for axis in axes
        for path, value in spec.written_values(axis.name).items()
        if (axis.name, value) in faults
        and (axis.name, value) not in works
        and (before is None or value not in before.values_of(axis.name))
    ]


def _refuse_hedge(config: RunConfig) -> None:
    if needs_hedge_engine(config):
        refuse_hedge_contradictions(config)


def _fault(rule: Callable[[RunConfig], None], config: RunConfig) -> FieldError | None:
    """Return how parameters break a rule, None where they do not."""
    try:
        rule(config)
    except ValueError as error:
        return rule_error(str(error))
    return None


def _words(name: str, fault: FieldError) -> str:
    return fault.message if fault.field == name else f"{fault.field}: {fault.message}"
