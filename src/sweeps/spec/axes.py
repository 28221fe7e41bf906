"""Axes of a search space: the values of one run parameter, in the order written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.config.fields import load_json
from bot.errors import FieldError, FieldErrors, InvalidInputError
from bot.notation import quoted, text_of
from sweeps.spec.parameters import FIXED, Variables, variables
from sweeps.spec.ranges import MAX_VALUES, AxisForm, axis_form

MAX_AXES = 32
MAX_TRIALS = 1_000_000


@dataclass(frozen=True, slots=True)
class Axis:
    """One varied parameter: its values as the run takes them and, beside each, its JSON label.

    A conditional axis begins with the value that its parameter has where the axis does not apply; its label
    is None. `places` says which value each step of its dimension takes, None that step i takes value i.
    """

    name: str
    values: tuple[Any, ...]
    labels: tuple[Any, ...]
    adapter: TypeAdapter[Any] = field(compare=False, repr=False)
    conditional: bool = False
    places: tuple[int, ...] | None = None

    def position(self, text: str) -> int:
        """Return the index of the value written as `text`; raises InvalidInputError if it is none.

        Objects and lists are written as JSON, or in the words in which pages show them.
        """
        if self.conditional and text in {"", "null"}:
            return 0
        for index, label in enumerate(self.labels):
            if isinstance(label, dict | list | tuple) and text_of(label) == text:
                return index
        try:
            value = self._value_of_text(text)
            return self.values.index(value, int(self.conditional))
        except (ValidationError, ValueError, InvalidInputError):
            raise InvalidInputError.of(self.name, f"{quoted(text)} is no value of this axis") from None

    def place(self, step: int) -> int:
        """Return the position of the value at a step of the dimension."""
        return step if self.places is None else self.places[step]

    def _value_of_text(self, text: str) -> Any:
        raw: object = text
        if text.startswith(("{", "[")):
            raw = load_json(text)
        elif self.name == "symbols":
            raw = text.split(",")
        elif any(isinstance(value, bool) for value in self.values):
            raw = {"true": True, "false": False}.get(text.lower(), text)
        elif text in {"", "null"}:
            raw = None
        return self.adapter.validate_python(raw)


@dataclass(frozen=True, slots=True)
class WrittenAxis:
    """An axis as it stands in a grid: its values, and the values of other parameters it asks for."""

    name: str
    form: AxisForm
    when: Mapping[str, tuple[object, ...]]

    def document(self) -> Any:
        """Return the axis as JSON values, numbers as text."""
        document = self.form.document()
        if not self.when:
            return document
        document = document if isinstance(document, dict) else {"values": document}
        return {**document, "when": {name: list(values) for name, values in self.when.items()}}


def written_axes(
    grid: Mapping[str, object], known: Variables | None = None, *, sampled: bool = False
) -> dict[str, WrittenAxis]:
    """Return the unexpanded axes; raises InvalidInputError for unknown names and malformed ranges."""
    known = known or variables()
    if len(grid) > MAX_AXES:
        raise InvalidInputError.of("grid", f"has {len(grid)} axes, at most {MAX_AXES} are allowed")
    axes: dict[str, WrittenAxis] = {}
    errors = FieldErrors()
    for name, raw in grid.items():
        try:
            axes[name] = _written(name, raw, known, sampled=sampled)
        except InvalidInputError as error:
            errors.take(error)
    errors.raise_if_any()
    return axes


def _written(name: str, raw: object, known: Variables, *, sampled: bool) -> WrittenAxis:
    path = f"grid.{name}"
    if name not in known.fields or name in FIXED:
        raise InvalidInputError.of(path, f"{quoted(name)} is not a parameter that can be varied")
    when: Mapping[str, tuple[object, ...]] = {}
    if isinstance(raw, dict) and "when" in raw:
        when = _condition(raw["when"], path)
        raw = {key: value for key, value in raw.items() if key != "when"}
    readers = known.readers(name)
    if len(readers) < len(known.strategies) and "strategy_mode" not in when:
        when = {**when, "strategy_mode": readers}
    whole = known.fields[name].annotation is int and name not in {"start", "end"}
    return WrittenAxis(name, axis_form(raw, path, dense=sampled, whole=whole), when)


def _condition(raw: object, path: str) -> dict[str, tuple[object, ...]]:
    if not isinstance(raw, dict) or not raw:
        raise InvalidInputError.of(f"{path}.when", f"{quoted(raw)} is no object of other parameters' values")
    wanted = {
        str(name): tuple(values) if isinstance(values, list | tuple) else (values,)
        for name, values in raw.items()
    }
    if (most := max(map(len, wanted.values()))) > MAX_VALUES:
        raise InvalidInputError.of(f"{path}.when", f"has {most:,} values, at most {MAX_VALUES:,} are allowed")
    return wanted


def parsed_values(
    name: str, raws: Mapping[str, object], known: Variables, *, distinct: bool = True
) -> tuple[Any, ...]:
    """Return the values written under each path, as the run takes them.

    Raises: InvalidInputError with one entry per refused value, repeated ones included where `distinct`.
    """
    values: list[Any] = []
    first: dict[Any, int] = {}
    errors = FieldErrors()
    for index, (path, raw) in enumerate(raws.items()):
        try:
            value = known.parse(name, raw, path)
        except InvalidInputError as error:
            errors.take(error)
            continue
        if distinct and value in first:
            message = f"{quoted(raw)} is there already, as values[{first[value]}]"
            errors.add(FieldError(path, message))
        first.setdefault(value, index)
        values.append(value)
    errors.raise_if_any()
    return tuple(values)


def as_number(value: object) -> Decimal | None:
    """Return a parameter value as a number a constraint can use, None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)
