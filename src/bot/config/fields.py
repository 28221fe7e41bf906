"""Typed fields of parameters: exact numbers, times, symbols; and JSON that keeps numbers exact."""

import json
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from bot.config.strategy_registry import strategy_names
from bot.errors import InvalidInputError, InvalidNumberError
from bot.hedge_names import is_full_name
from bot.notation import LONGEST_QUOTE, quoted
from bot.numbers.money import EXACT, MONEY_PLACES, dec, plain
from bot.timestamps import iso, parse_time_ms

MAX_DIGITS = 15
MAX_MAGNITUDE = Decimal(10) ** 15
MAX_PLACES = 18
MAX_SYMBOL_LENGTH = 64
MAX_HEDGE_NAME_LENGTH = 200
"""Longest full name of a hedge, both legs and their exchanges."""

_MOST_MEMBERS = 20
_JSON_NUMBER: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "number"}]}


def parameter_number(value: object) -> Decimal:
    """Return a parameter as an exact Decimal of at most 15 significant digits.

    Raises: ValueError naming the value, also for binary floats, NaN and infinities.
    """
    if not isinstance(value, str | int | Decimal) or isinstance(value, bool):
        raise ValueError(f"{quoted(value)} is not a number")
    try:
        number = dec(value)
    except InvalidNumberError as error:
        raise ValueError(error.message) from None
    if (digits := _significant_digits(number)) > MAX_DIGITS:
        raise ValueError(
            f"{_as_written(value)} has {digits:,} significant digits, at most {MAX_DIGITS} are exact here"
        )
    if number.copy_abs() >= MAX_MAGNITUDE:  # abs() would overflow at exponents beyond the context's
        raise ValueError(f"{_as_written(value)} is not between -1e15 and 1e15, both excluded")
    if number and number.adjusted() < -MAX_PLACES:
        raise ValueError(f"{_as_written(value)} is nearer to 0 than 1e-{MAX_PLACES} without being 0")
    return number


def _significant_digits(number: Decimal) -> int:
    # By text: normalize() would round to the context's precision first.
    digits = str(number).partition("E")[0].lstrip("-").replace(".", "")
    return len(digits.strip("0"))


def _as_written(value: str | int | Decimal) -> str:
    """Return a number as its user wrote it, without quotes."""
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST_QUOTE else quoted(value)


@lru_cache(maxsize=10_000)
def _text(number: Decimal) -> str:
    """Return `plain` text, the same for equal numbers; trials share most of their parameters."""
    return plain(number)


def bookable(amount: Decimal) -> Decimal:
    """Return an amount that can be booked as it is; raises ValueError naming it for finer ones."""
    if amount != amount.quantize(Decimal(1).scaleb(-MONEY_PLACES), context=EXACT):
        raise ValueError(f"{plain(amount)} has more than {MONEY_PLACES} decimal places")
    return amount


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError(f"{quoted(value)} is not a whole number")
    number = parameter_number(value)
    if number != number.to_integral_value():
        raise ValueError(f"{_as_written(value)} is not a whole number")
    return int(number)


def _symbols(value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not names:
        raise ValueError(f"{quoted(value)} is not a non-empty list of symbols")
    for name in names:
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= _longest(name):
            raise ValueError(f"{quoted(name)} is not a symbol such as BTC/USDT:USDT")
    if len(set(names)) != len(names):
        raise ValueError(f"{quoted(list(names))} names a symbol twice")
    return tuple(names)


def few_objects(value: object, most: int, example: str) -> object:
    """Return a list of at most `most` objects, each of few members; what is in them is checked later.

    Raises: ValueError naming the value, before an error is made for each of very many members.
    """
    if not isinstance(value, list | tuple):
        raise ValueError(f"{quoted(value)} is no list of entries such as {example}")
    if len(value) > most:
        raise ValueError(f"{quoted(value)} has more than {most} entries")
    for place, entry in enumerate(value):
        if not isinstance(entry, Mapping | BaseModel):
            raise ValueError(f"[{place}]: {quoted(entry)} is no entry such as {example}")
        if isinstance(entry, Mapping) and len(entry) > _MOST_MEMBERS:
            raise ValueError(f"[{place}]: {quoted(entry)} has more than {_MOST_MEMBERS} members")
    return value


def _longest(name: str) -> int:
    return MAX_HEDGE_NAME_LENGTH if is_full_name(name) else MAX_SYMBOL_LENGTH


def _strategy_name(value: object) -> str:
    known = strategy_names()
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{quoted(value)} is not an installed strategy ({', '.join(known)})")
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
Money = Annotated[Positive, AfterValidator(bookable)]
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
            "items": {"type": "string", "minLength": 1, "maxLength": MAX_HEDGE_NAME_LENGTH},
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
    except RecursionError:
        raise InvalidInputError.of("body", "is not valid JSON: it is nested too deeply") from None
    except ValueError as error:
        raise InvalidInputError.of("body", f"is not valid JSON: {error}") from None
    _refuse_constants("body", parsed)
    return cast("object", parsed)


class _NoNumber(str):
    """NaN or an infinity, which some writers leave in JSON."""


def _refuse_constants(field: str, value: object) -> None:
    if isinstance(value, _NoNumber):
        raise InvalidInputError.of(field, f"{value} is not a number in JSON")
    if isinstance(value, list):
        for item in value:
            _refuse_constants(field, item)


def _checked_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    for name, value in pairs:
        if isinstance(value, _NoNumber | list):
            _refuse_constants(name, value)
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"{quoted(_first_repeated(pairs))} is written twice in one object")
    return found


def _first_repeated(pairs: list[tuple[str, object]]) -> str:
    times = Counter(name for name, _ in pairs)
    return next(name for name, _ in pairs if times[name] > 1)
