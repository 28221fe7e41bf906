"""Input against a model: every refusal names field and value, and costs no more than the input itself."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ValidationError

from bot.errors import MOST_ERRORS, FieldError, InvalidInputError
from bot.notation import quoted

Model = TypeVar("Model", bound=BaseModel)
_RULE = re.compile(r"(?P<field>[A-Za-z_][\w.\[\]]*): (?P<said>.*)", re.DOTALL)
"""A rule between fields, which names the one it refuses; a refused value never begins like this."""
_PART = re.compile(r"(?P<part>(?:\[\d+\])+(?:\.\w+)*): (?P<said>.*)", re.DOTALL)
"""A rule about a part of a value, such as `[1].cap` of a list; a refused value never begins like this."""
_LONGEST_WHOLE = 20


def _whole(value: object) -> object:
    """Return a number without a fraction as an int: JSON does not tell 3.0 from 3. All else stays."""
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < _LONGEST_WHOLE:
        return int(value) if value == value.to_integral_value() else value
    return value


WHOLE = BeforeValidator(_whole)
"""Mark of a strict int: however JSON writes it. The last one, since a schema keeps the bounds before it."""


def validated(model: type[Model], values: object, prefix: str = "", **options: Any) -> Model:
    """Return `values` as a `model`; `options` are those of pydantic's `model_validate`.

    Raises: InvalidInputError with one entry per refused field, below `prefix`.
    """
    _refuse_crowds(model, values, prefix)
    try:
        return model.model_validate(values, **options)
    except ValidationError as error:
        raise InvalidInputError(field_errors(error, prefix)) from None


def _refuse_crowds(model: type[BaseModel], values: object, prefix: str) -> None:
    """Refuse many unknown names before pydantic looks at them: it makes an error of a kilobyte of each."""
    if not isinstance(values, Mapping):
        return
    if model.model_config.get("extra") == "forbid":
        refuse_unknown(values, model.model_fields.keys(), prefix, tolerated=MOST_ERRORS)
    for name, field in model.model_fields.items():
        refuse_crowd(field.annotation, values.get(name), f"{prefix}{name}.")


def refuse_crowd(annotation: object, value: object, prefix: str) -> None:
    """Refuse many unknown names in a value that is to be one of the models of `annotation`, if it has any.

    Raises: InvalidInputError for fields below `prefix`.
    """
    if isinstance(value, Mapping) and (models := list(_models(annotation))):
        known = {name for model in models for name in model.model_fields}
        refuse_unknown(value, known, prefix, tolerated=MOST_ERRORS)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def refuse_unknown(values: Mapping[str, object], known: Any, prefix: str = "", *, tolerated: int = 0) -> None:
    """Do nothing if all but `tolerated` names of `values` are known; raises InvalidInputError."""
    unknown = [name for name in values if name not in known]
    if len(unknown) > tolerated:
        kept = unknown[:MOST_ERRORS]
        errors = [FieldError(f"{prefix}{name}", unknown_parameter(values[name])) for name in kept]
        raise InvalidInputError(errors, len(unknown) - len(kept))


_OBJECT, _LIST = "is not an object", "is not a list"
_SHAPES = {
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
}
"""Findings of pydantic about the shape of a value, whose own words are those of Python."""
_CHOICES = {"enum", "literal_error"}
"""Findings that list the values there are, in quotes of Python."""


def wrong_value(kind: str, shown: str, said: str) -> str:
    """Return the message about a value, given the kind of pydantic's finding and what it said."""
    if kind in _SHAPES:
        return f"{shown} {_SHAPES[kind]}"
    words = said.replace("'", '"') if kind in _CHOICES else said
    return f"{shown}: {words[:1].lower()}{words[1:]}"


def field_errors(error: ValidationError, prefix: str = "") -> list[FieldError]:
    """Return pydantic's findings as field errors that name field and value."""
    found = []
    for detail in error.errors(include_url=False):
        path = prefix + _dotted(detail["loc"])
        message = detail["msg"].removeprefix("Value error, ")
        part = _PART.match(message) if detail["type"] == "value_error" else None
        if not detail["loc"] and _RULE.match(message):
            rule = rule_error(message)
            path, message = prefix + rule.field, rule.message
        elif part:
            path, message = path + part["part"], part["said"]
        elif detail["type"] == "missing":
            message = "is required"
        elif detail["type"] == "extra_forbidden":
            message = unknown_parameter(detail["input"])
        elif not detail["type"].startswith("value_error"):
            message = wrong_value(detail["type"], quoted(detail["input"]), message)
        found.append(FieldError(path, message))
    return found


def rule_error(message: str) -> FieldError:
    """Return the message of a rule between fields: the field it refuses, and why."""
    found = _RULE.match(message)
    return FieldError(found["field"], found["said"]) if found else FieldError("", message)


def _dotted(loc: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")


def unknown_parameter(value: object) -> str:
    """Return the message about a value under a name that no parameter has."""
    return f"is not a known parameter (given: {quoted(value)})"
