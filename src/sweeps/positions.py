"""Parameters of many trials at once: they are not stored, but follow from trial numbers by arithmetic."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.errors import InvalidInputError
from sweeps.axes import Axis
from sweeps.space import TrialSpace

Numbers = npt.NDArray[np.int64]


def value_ranks(space: TrialSpace, cells: Numbers, name: str) -> Numbers:
    """Return the rank of each cell's value among the axis's values in ascending order."""
    values = space.by_name[name].values
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[sorted(range(len(values)), key=lambda index: _sort_key(values[index]))] = np.arange(len(values))
    return ranks[space.positions(cells, name)]


def matching(space: TrialSpace, cells: Numbers, filters: Mapping[str, str]) -> npt.NDArray[np.bool_]:
    """Return where each axis named has the value written beside it.

    Raises: InvalidInputError for what is no axis, or none of its values.
    """
    kept = np.ones(len(cells), dtype=np.bool_)
    for name, text in filters.items():
        wanted = checked_axis(space, name, name).position(text)
        kept = kept & (space.positions(cells, name) == wanted)
    return kept


def checked_axis(space: TrialSpace, field: str, name: str) -> Axis:
    """Return an axis by name; raises InvalidInputError for `field` if there is none."""
    if name not in space.by_name:
        known = ", ".join(space.by_name) or "none"
        raise InvalidInputError.of(field, f"{name!r} is no axis of this sweep; it has {known}")
    return space.by_name[name]


def _sort_key(value: Any) -> tuple[Any, ...]:
    return (value is None, 0 if value is None else value)
