"""Axes of a search space: a list or a range of values of one run parameter."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.config import RunConfig, field_errors
from bot.errors import FieldError, InvalidInputError
from sweeps.ranges import AxisForm, axis_form

MAX_AXES = 32
MAX_TRIALS = 1_000_000
_FIXED_PARAMETERS = frozenset({"instrument"})
AXIS_NAMES = tuple(name for name in RunConfig.model_fields if name not in _FIXED_PARAMETERS)


@dataclass(frozen=True, slots=True)
class Axis:
    """One varied parameter: its values as the run takes them and, beside each, its JSON label."""

    name: str
    values: tuple[Any, ...]
    labels: tuple[Any, ...]

    def position(self, text: str) -> int:
        """Return the index of the value written as `text`; raises InvalidInputError if it is none."""
        try:
            value = _value_of_text(self.name, text)
            return self.values.index(value)
        except (ValidationError, ValueError):
            raise InvalidInputError.of(self.name, f"{text!r} is no value of this axis") from None


@cache
def field_adapter(name: str) -> TypeAdapter[Any]:
    """Return the validator and serializer of one run parameter."""
    return TypeAdapter(RunConfig.model_fields[name].rebuild_annotation())


def parse_value(name: str, raw: object, path: str) -> Any:
    """Return `raw` as parameter `name` of a run; raises InvalidInputError for field `path`."""
    try:
        return field_adapter(name).validate_python(raw)
    except ValidationError as error:
        found = field_errors(error)
        raise InvalidInputError([FieldError(path, item.message) for item in found]) from None


def parse_grid(grid: Mapping[str, object], *, max_trials: int = MAX_TRIALS) -> tuple[Axis, ...]:
    """Return the axes in the order written, each value validated as its parameter.

    Sizes are multiplied before anything is expanded. Raises: InvalidInputError naming axis and value.
    """
    return expand(grid_forms(grid), max_trials=max_trials)


def grid_forms(grid: Mapping[str, object]) -> dict[str, AxisForm]:
    """Return the unexpanded axes; raises InvalidInputError for unknown names and malformed ranges."""
    if len(grid) > MAX_AXES:
        raise InvalidInputError.of("grid", f"has {len(grid)} axes, at most {MAX_AXES} are allowed")
    forms: dict[str, AxisForm] = {}
    errors: list[FieldError] = []
    for name, raw in grid.items():
        if name not in AXIS_NAMES:
            errors.append(FieldError(f"grid.{name}", f"{name!r} is not a parameter that can be varied"))
            continue
        try:
            forms[name] = axis_form(raw, f"grid.{name}")
        except InvalidInputError as error:
            errors.extend(error.errors)
    if errors:
        raise InvalidInputError(errors)
    return forms


def expand(forms: Mapping[str, AxisForm], *, max_trials: int = MAX_TRIALS) -> tuple[Axis, ...]:
    """Return the axes of `forms` with all values; raises InvalidInputError, also for too many cells."""
    cells = 1
    for form in forms.values():
        cells *= form.size
    if cells > max_trials:
        raise InvalidInputError.of("grid", f"spans {cells:,} trials, the limit is {max_trials:,}")
    axes: list[Axis] = []
    errors: list[FieldError] = []
    for name, form in forms.items():
        try:
            axes.append(_axis(name, form))
        except InvalidInputError as error:
            errors.extend(error.errors)
    if errors:
        raise InvalidInputError(errors)
    return tuple(axes)


def _axis(name: str, form: AxisForm) -> Axis:
    values: dict[Any, int] = {}
    errors: list[FieldError] = []
    for index, raw in enumerate(form.expanded()):
        path = f"grid.{name}.values[{index}]"
        try:
            value = parse_value(name, raw, path)
        except InvalidInputError as error:
            errors.extend(error.errors)
            continue
        if value in values:
            message = f"{_label(name, value)} is there already, as values[{values[value]}]"
            errors.append(FieldError(path, message))
        values.setdefault(value, index)
    if errors:
        raise InvalidInputError(errors)
    return Axis(name, tuple(values), tuple(_label(name, value) for value in values))


def _label(name: str, value: Any) -> Any:
    label = field_adapter(name).dump_python(value, mode="json")
    return label[0] if isinstance(label, list) and len(label) == 1 else label


def _value_of_text(name: str, text: str) -> Any:
    raw: object = text
    if name == "symbols":
        raw = text.split(",")
    elif RunConfig.model_fields[name].annotation is bool:
        raw = {"true": True, "false": False}.get(text.lower(), text)
    elif text in {"", "null"}:
        raw = None
    return field_adapter(name).validate_python(raw)


def as_number(value: object) -> Decimal | None:
    """Return a parameter value as a number a constraint can use, None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)
