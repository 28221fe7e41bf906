"""Typed fields of parameters: exact numbers, times, symbols, and what is said about bad ones."""

import json
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationError, WithJsonSchema

from bot.errors import FieldError, InvalidInputError, InvalidNumberError
from bot.money import EXACT, MONEY_PLACES, dec, plain
from bot.strategies.registry import strategy_names
from bot.timestamps import iso, parse_time_ms

MAX_DIGITS = 15
MAX_MAGNITUDE = Decimal(10) ** 15
MAX_PLACES = 18
MAX_SYMBOL_LENGTH = 64
_JSON_NUMBER: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "number"}]}


def parameter_number(value: object) -> Decimal:
    """Return a parameter as an exact Decimal of at most 15 significant digits.

    Raises: ValueError naming the value, also for binary floats, NaN and infinities.
    """
    if not isinstance(value, str | int | Decimal) or isinstance(value, bool):
        raise ValueError(f"{value!r} is not a number")
    try:
        number = dec(value)
    except InvalidNumberError as error:
        raise ValueError(error.message) from None
    digits = len(number.normalize().as_tuple().digits)
    if digits > MAX_DIGITS:
        raise ValueError(f"{value} has {digits} significant digits, at most {MAX_DIGITS} are exact here")
    if abs(number) >= MAX_MAGNITUDE or (number and number.adjusted() < -MAX_PLACES):
        raise ValueError(f"{value} is outside the range of 1e-{MAX_PLACES} to 1e15")
    return number


@lru_cache(maxsize=10_000)
def _text(number: Decimal) -> str:
    """Return `plain` text, the same for equal numbers; trials share most of their parameters."""
    return plain(number)


def _bookable(amount: Decimal) -> Decimal:
    if amount != amount.quantize(Decimal(1).scaleb(-MONEY_PLACES), context=EXACT):
        raise ValueError(f"{plain(amount)} has more than {MONEY_PLACES} decimal places")
    return amount


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError(f"{value!r} is not a whole number")
    number = parameter_number(value)
    if number != number.to_integral_value():
        raise ValueError(f"{value} is not a whole number")
    return int(number)


def _symbols(value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not names:
        raise ValueError(f"{value!r} is not a non-empty list of symbols")
    for name in names:
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= MAX_SYMBOL_LENGTH:
            raise ValueError(f"{name!r} is not a symbol such as BTC/USDT:USDT")
    if len(set(names)) != len(names):
        raise ValueError(f"{list(names)!r} names a symbol twice")
    return tuple(names)


def _strategy_name(value: object) -> str:
    known = strategy_names()
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{value!r} is not an installed strategy ({', '.join(known)})")
    return value


Number = Annotated[
    Decimal,
    BeforeValidator(parameter_number),
    PlainSerializer(_text, when_used="json"),
    WithJsonSchema(_JSON_NUMBER),
]
Integer = Annotated[int, BeforeValidator(_integer)]
Count = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(_integer)]
Positive = Annotated[Number, Field(gt=0)]
Money = Annotated[Positive, AfterValidator(_bookable)]
NonNegative = Annotated[Number, Field(ge=0)]
Share = Annotated[Number, Field(gt=0, le=1)]
Fraction = Annotated[Number, Field(ge=0, le=1)]
FeeRate = Annotated[Number, Field(ge=0, lt=1)]
TimeMs = Annotated[
    int,
    BeforeValidator(parse_time_ms),
    PlainSerializer(iso, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
]
StrategyName = Annotated[str, BeforeValidator(_strategy_name)]
Symbols = Annotated[
    tuple[str, ...],
    BeforeValidator(_symbols),
    AfterValidator(tuple),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": MAX_SYMBOL_LENGTH},
            "minItems": 1,
            "uniqueItems": True,
            "examples": [["BTC/USDT:USDT"]],
        }
    ),
]


def load_json(text: str | bytes) -> object:
    """Return parsed JSON with each number as the Decimal it was written as.

    Raises: InvalidInputError for anything that is not strict JSON: NaN, infinities, a key written twice.
    """
    try:
        parsed = json.loads(
            text, parse_float=Decimal, parse_constant=_NoNumber, object_pairs_hook=_checked_object
        )
    except (ValueError, RecursionError) as error:
        raise InvalidInputError.of("body", f"is not valid JSON: {error}") from None
    _refuse_constants("body", parsed)
    return cast("object", parsed)


class _NoNumber(str):
    """NaN or an infinity, which some writers leave in JSON."""


def _refuse_constants(field: str, value: object) -> None:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, _NoNumber):
            raise InvalidInputError.of(field, f"{item} is not a number in JSON")


def _checked_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    for name, value in pairs:
        _refuse_constants(name, value)
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:80]!r} is written twice in one object")
    return found


def field_errors(error: ValidationError, prefix: str = "") -> list[FieldError]:
    """Return pydantic's findings as field errors that name field and value."""
    found = []
    for detail in error.errors(include_url=False):
        path = prefix + _dotted(detail["loc"])
        message = detail["msg"].removeprefix("Value error, ")
        if not detail["loc"] and ": " in message:
            field, _, message = message.partition(": ")
            path = prefix + field
        elif detail["type"] == "missing":
            message = "is required"
        elif detail["type"] == "extra_forbidden":
            message = unknown_parameter(detail["input"])
        elif not detail["type"].startswith("value_error"):
            message = f"{_shown(detail['input'])}: {message[:1].lower()}{message[1:]}"
        found.append(FieldError(path, message))
    return found


def _dotted(loc: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")


def unknown_parameter(value: object) -> str:
    """Return what is said of a value under a name that no parameter has."""
    return f"is not a known parameter (given: {_shown(value)})"


def _shown(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value) if value.is_finite() and abs(value.adjusted()) < 40 else str(value)
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
