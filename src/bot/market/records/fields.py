"""Fields of recorded rows as a file gives them: numbers as text, exact, each refusal naming its field."""

from collections.abc import Mapping
from decimal import Decimal

from bot.market.rules import RowRefusedError, market_number, time_ms, whole_number
from bot.notation import quoted

Values = Mapping[str, object]
"""The fields of a row by name: numbers are text, what is left out may be missing, None or empty."""

_LONGEST_NAME = 40


class RecordRefusedError(RowRefusedError):
    """A recorded row that cannot stand where it is: `row` counts from 0, None for one that is stored."""

    def __init__(self, row: int | None, message: str) -> None:
        super().__init__(message)
        self.row = row


def refuse_unknown_fields(values: object, known: tuple[str, ...]) -> Values:
    """Return the fields of a row; raises RowRefusedError if it is no object, or one of them is unknown."""
    if not isinstance(values, Mapping):
        raise RowRefusedError(f"{quoted(values)} is no object with {', '.join(known)}")
    unknown = next((name for name in values if name not in known), None)
    if unknown is not None:
        name = unknown if unknown.isidentifier() and len(unknown) <= _LONGEST_NAME else quoted(unknown)
        raise RowRefusedError(f"{name} {quoted(values[unknown])} is no field; known are {', '.join(known)}")
    return values


def given(values: Values, name: str) -> str | None:
    """Return a field as text, None where it is left out; raises RowRefusedError for a list or an object."""
    value = values.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise RowRefusedError(f"{name} {quoted(value)} is neither a number nor text")
    return value


def required(values: Values, name: str) -> str:
    """Return a field as text; raises RowRefusedError where it is left out."""
    value = given(values, name)
    if value is None:
        raise RowRefusedError(f"{name} is missing")
    return value


def number(values: Values, name: str) -> Decimal:
    """Return a number; raises RowRefusedError."""
    return market_number(required(values, name), name)


def number_or_none(values: Values, name: str) -> Decimal | None:
    """Return a number, None where it is left out; raises RowRefusedError."""
    text = given(values, name)
    return None if text is None else market_number(text, name)


def beginning_ms(values: Values, name: str) -> int:
    """Return a time in ms UTC from 2009 to 2099, or 0, which is before all of them."""
    text = required(values, name)
    return 0 if whole_number(text, name) == 0 else moment_ms(text, name)


def time_or_none(values: Values, name: str) -> int | None:
    """Return a time in ms UTC from 2009 to 2099, None where it is left out."""
    text = given(values, name)
    return None if text is None else moment_ms(text, name)


def moment_ms(text: str, name: str) -> int:
    """Return a time in ms UTC from 2009 to 2099; raises RowRefusedError naming the field."""
    try:
        return time_ms(text)
    except RowRefusedError as error:
        raise type(error)(str(error).replace("timestamp_ms", name, 1)) from None
