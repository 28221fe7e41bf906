"""Bounds of parameters in their JSON schema, which custom validators keep pydantic from writing."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

_KEYWORDS = {Ge: "minimum", Gt: "exclusiveMinimum", Le: "maximum", Lt: "exclusiveMaximum"}
_RAW_KEYWORDS = frozenset({"ge", "gt", "le", "lt"})


def with_bounds(schema: dict[str, Any], fields: Mapping[str, FieldInfo]) -> dict[str, Any]:
    """Return the schema of a model with the bounds of its `fields` in the words of JSON schema."""
    properties = {
        name: _bounded(written, fields[name]) if name in fields else written
        for name, written in schema.get("properties", {}).items()
    }
    return {**schema, "properties": properties}


def _bounded(schema: dict[str, Any], field: FieldInfo) -> dict[str, Any]:
    kept = {key: value for key, value in schema.items() if key not in _RAW_KEYWORDS}
    for marker in _markers(field):
        for kind, keyword in _KEYWORDS.items():
            if isinstance(marker, kind):
                kept[keyword] = _json_number(getattr(marker, kind.__name__.lower()))
    return kept


def _markers(field: FieldInfo) -> Iterator[object]:
    """Yield what is said about the values of a field, also inside `X | None`."""
    pending: list[object] = [*field.metadata, field.annotation]
    while pending:
        item = pending.pop()
        yield item
        pending.extend(item.metadata if isinstance(item, FieldInfo) else ())
        pending.extend(getattr(item, "__metadata__", ()))
        pending.extend(get_args(item))


def _json_number(bound: Any) -> Any:
    if not isinstance(bound, Decimal):
        return bound
    return int(bound) if bound == bound.to_integral_value() else float(bound)
