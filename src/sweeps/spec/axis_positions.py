"""Parameters of many trials at once: they are not stored, but follow from trial numbers by arithmetic."""

from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from bot.errors import InvalidInputError
from bot.notation import quoted
from bot.numbers.arrays import BoolArray
from sweeps.spec.axes import Axis
from sweeps.spec.space import TrialSpace

Numbers = npt.NDArray[np.int64]


def value_ranks(space: TrialSpace, cells: Numbers, name: str) -> tuple[Numbers, BoolArray]:
    """Return the rank of each cell's value in ascending order of the axis, and where it is not absent."""
    axis = space.by_name[name]
    count = len(axis.values)
    ranks = np.empty(count, dtype=np.int64)
    ranks[ascending(axis)] = np.arange(count)
    held = np.array([not absent(axis, at) for at in range(count)], dtype=np.bool_)
    positions = space.positions(cells, name)
    return ranks[positions], held[positions]


def absent(axis: Axis, position: int) -> bool:
    """Return whether a value stands for an axis that does not apply, or that is switched off."""
    return axis.labels[position] is None


def ascending(axis: Axis) -> list[int]:
    """Return the positions of an axis by ascending value, absent ones first."""
    return sorted(
        range(len(axis.values)), key=lambda at: (0,) if absent(axis, at) else (1, _sort_key(axis.values[at]))
    )


def checked_axis(space: TrialSpace, field: str, name: str) -> Axis:
    """Return an axis by name; raises InvalidInputError for `field` if there is none."""
    if name not in space.by_name:
        known = ", ".join(space.by_name) or "none"
        raise InvalidInputError.of(field, f"{quoted(name)} is no axis of this sweep; it has {known}")
    return space.by_name[name]


def _sort_key(value: Any) -> tuple[bool, Any]:
    """Return what puts values of one axis in order, None last: lists by members, objects by their fields."""
    if isinstance(value, tuple):
        return (False, tuple(_sort_key(member) for member in value))
    if isinstance(value, BaseModel):
        return (False, tuple(_sort_key(member) for _, member in value))
    return (value is None, 0 if value is None else value)
