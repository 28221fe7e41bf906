"""Forms of an axis: a list, a range by step, a range by count. Expanded exactly, never by floats."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from bot.config.fields import Integer, Number
from bot.errors import InvalidInputError
from bot.notation import quoted
from bot.numbers.money import exact, plain
from bot.validation import validated

MAX_VALUES = 10_000
DENSE_VALUES = 1_001
"""Number of values of a sampled range without step and num."""

_GENERATED_DIGITS = Context(prec=12)


class AxisForm(Protocol):
    """An axis as it was written, of known size."""

    @property
    def size(self) -> int:
        """Return the number of values to come, by arithmetic."""

    def expanded(self) -> Sequence[object]:
        """Return the values in order, not yet validated as a parameter."""

    def document(self) -> Any:
        """Return the form as JSON values, numbers as text."""


@dataclass(frozen=True, slots=True)
class ValueList:
    """Values one by one."""

    values: tuple[object, ...]

    @property
    def size(self) -> int:
        """Return the number of values."""
        return len(self.values)

    def expanded(self) -> Sequence[object]:
        """Return the values as written."""
        return self.values

    def document(self) -> Any:
        """Return the values as JSON, decimals as text."""
        return [_document(value) for value in self.values]


class _Range(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Number
    stop: Number

    def document(self) -> Any:
        """Return the range as JSON values, numbers as text."""
        return self.model_dump(mode="json")


class StepRange(_Range):
    """`start`, `start + step`, ... up to and, when hit, including `stop`."""

    step: Number

    @property
    def size(self) -> int:
        """Return the number of values in the range."""
        with exact():
            return int((self.stop - self.start) // self.step) + 1

    def refusal(self) -> tuple[str, str] | None:
        """Return field and reason if the range cannot be walked."""
        if not self.step:
            return "step", "0 never reaches stop"
        if (self.stop - self.start) * self.step < 0:
            return "step", f"{plain(self.step)} leads away from stop {plain(self.stop)}"
        return None

    def expanded(self) -> Sequence[object]:
        """Return the values, exact sums."""
        with exact():
            return [_whole_or_decimal(self.start + self.step * index) for index in range(self.size)]


class CountRange(_Range):
    """`num` values from `start` to `stop`, evenly spaced; those between the ends have 12 digits."""

    num: Annotated[Integer, Field(ge=1)]
    scale: Literal["linear", "log"] = "linear"

    @property
    def size(self) -> int:
        """Return `num`."""
        return self.num

    def refusal(self) -> tuple[str, str] | None:
        """Return field and reason if there is no such range."""
        if self.scale == "log" and min(self.start, self.stop) <= 0:
            return "scale", "log needs start and stop above 0"
        if self.num == 1 and self.start != self.stop:
            return "num", f"1 value cannot span {plain(self.start)} to {plain(self.stop)}"
        return None

    def expanded(self) -> Sequence[object]:
        """Return the values, both ends exactly as written."""
        if self.num == 1:
            return [_whole_or_decimal(self.start)]
        with exact():
            inner = [self._between(index) for index in range(1, self.num - 1)]
        return [_whole_or_decimal(value) for value in (self.start, *inner, self.stop)]

    def _between(self, index: int) -> Decimal:
        steps = self.num - 1
        if self.scale == "linear":
            value = (self.start * (steps - index) + self.stop * index) / steps
        else:
            value = ((self.start.ln() * (steps - index) + self.stop.ln() * index) / steps).exp()
        return _GENERATED_DIGITS.plus(value)


def axis_form(raw: object, path: str, *, dense: bool = False, whole: bool = False) -> AxisForm:
    """Return the axis that `raw` writes; raises InvalidInputError for field `path` or one below it.

    With `dense` a range may leave out step and num: it is then every whole number of a `whole` parameter, or
    1,001 values of any other.
    """
    form = _form(_filled(raw, whole=whole) if dense else raw, path)
    if not form.size:
        raise InvalidInputError.of(path, "has no values")
    if form.size > MAX_VALUES:
        raise InvalidInputError.of(path, f"has {form.size:,} values, at most {MAX_VALUES:,} are allowed")
    return form


def _filled(raw: object, *, whole: bool) -> object:
    if not isinstance(raw, dict) or not {"start", "stop"} <= set(raw) or {"step", "num"} & set(raw):
        return raw
    return {**raw, "step": 1} if whole and "scale" not in raw else {**raw, "num": DENSE_VALUES}


def _form(raw: object, path: str) -> AxisForm:
    if isinstance(raw, dict) and set(raw) == {"values"}:
        raw = raw["values"]
    if isinstance(raw, list | tuple):
        return ValueList(tuple(raw))
    if not isinstance(raw, dict):
        raise InvalidInputError.of(path, f"{quoted(raw)} is neither a list of values nor a range")
    model: type[CountRange | StepRange] = CountRange if "num" in raw else StepRange
    form = validated(model, raw, f"{path}.")
    if refusal := form.refusal():
        field, reason = refusal
        raise InvalidInputError.of(f"{path}.{field}", reason)
    return form


def _document(value: object) -> object:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dict):
        return {name: _document(member) for name, member in value.items()}
    return [_document(member) for member in value] if isinstance(value, list | tuple) else value


def _whole_or_decimal(value: Decimal) -> int | Decimal:
    return int(value) if value == value.to_integral_value() else value
