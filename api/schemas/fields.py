"""Documents made of the fields that a schema declares: each is the attribute of its name, or what it says."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

Source = TypeVar("Source")


@dataclass(frozen=True)
class Of(Generic[Source]):
    """Value of a field that is not the attribute of its name."""

    value: Callable[[Source], Any]


def document_of(model: type[BaseModel], source: object) -> dict[str, Any]:
    """Return the JSON values of `source` for the fields of a schema, in their order."""
    return {name: value(source) for name, value in _values(model)}


@cache
def _values(model: type[BaseModel]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    return tuple(
        (name, next((mark.value for mark in field.metadata if isinstance(mark, Of)), attrgetter(name)))
        for name, field in model.model_fields.items()
    )
