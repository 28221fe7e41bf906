"""Structs of arrays: records of one kind, a column for each field."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np

from bot.numbers.arrays import BoolArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class StructOfArrays:
    """Base of dataclasses whose fields are arrays of one length, or such structs: row i is entry i of all."""

    def at(self, rows: IntArray | BoolArray | slice) -> Self:
        """Return some of the rows."""
        return replace(self, **{field.name: _some(getattr(self, field.name), rows) for field in fields(self)})

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the rows of one part or more, one part after the other."""
        first, *_ = parts
        joined = {field.name: _all([getattr(part, field.name) for part in parts]) for field in fields(cls)}
        return replace(first, **joined)


def _some(column: Any, rows: IntArray | BoolArray | slice) -> Any:
    return column.at(rows) if isinstance(column, StructOfArrays) else column[rows]


def _all(parts: Sequence[Any]) -> Any:
    first = parts[0]
    return type(first).joined(parts) if isinstance(first, StructOfArrays) else np.concatenate(parts)
