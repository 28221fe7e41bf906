"""Parameters of trials in SQL: they are not stored, but follow from the cell by arithmetic."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from bot.errors import InvalidInputError
from sweeps.space import TrialSpace
from sweeps.tables import trial

_RANK_DIGITS = 5


def axis_position(space: TrialSpace, name: str) -> sa.ColumnElement[int]:
    """Return which value of an axis a trial has, counted from 0 in the order written."""
    stride = space.strides[name]
    size = len(space.by_name[name].values)
    return sa.cast(trial.c.cell.op("/")(stride).op("%")(size), sa.Integer)


def sortable_position(space: TrialSpace, name: str) -> sa.ColumnElement[int]:
    """Return the rank of a trial's value among the axis's values in ascending order."""
    position = axis_position(space, name)
    values = space.by_name[name].values
    order = sorted(range(len(values)), key=lambda index: _sort_key(values[index]))
    if order == list(range(len(values))):
        return position
    ranks = [0] * len(values)
    for rank, index in enumerate(order):
        ranks[index] = rank
    text = "".join(f"{rank:0{_RANK_DIGITS}d}" for rank in ranks)
    written = sa.func.substr(sa.literal(text), position * _RANK_DIGITS + 1, _RANK_DIGITS)
    return sa.cast(written, sa.Integer)


def filtered(space: TrialSpace, filters: Mapping[str, str]) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that each named axis has the value written beside it.

    Raises: InvalidInputError for what is no axis, or none of its values.
    """
    conditions = []
    for name, text in filters.items():
        if name not in space.by_name:
            known = ", ".join(space.by_name) or "none"
            raise InvalidInputError.of(name, f"is no axis of this sweep; it has {known}")
        conditions.append(axis_position(space, name) == space.by_name[name].position(text))
    return conditions


def _sort_key(value: Any) -> tuple[Any, ...]:
    return (value is None, 0 if value is None else value)
