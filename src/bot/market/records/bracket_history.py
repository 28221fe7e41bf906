"""Recorded margin brackets of a perp, and those in force at a time."""

from decimal import Decimal
from typing import NamedTuple

from bot.accounting.brackets import Bracket, Brackets, bracket_fault
from bot.market.records.dated import DatedRows
from bot.market.records.fields import (
    Values,
    beginning_ms,
    number,
    number_or_none,
    refuse_unknown_fields,
)
from bot.market.rules import RowRefusedError
from bot.notation import quoted
from bot.numbers.money import ZERO, plain

FIELDS = ("from_ms", "brackets")
BRACKET_FIELDS = ("cap", "mmr", "amount", "max_leverage")


class DatedBrackets(NamedTuple):
    """Brackets from `from_ms` on."""

    from_ms: int
    brackets: Brackets


class BracketHistory(DatedRows[DatedBrackets]):
    """Brackets of a perp, each list in force until the next.

    Source: docs/domain.md, section 13.
    """

    __slots__ = ()


def parse_dated_brackets(values: object) -> DatedBrackets:
    """Return a row of a file; raises RowRefusedError naming field and value."""
    row = refuse_unknown_fields(values, FIELDS)
    return DatedBrackets(beginning_ms(row, "from_ms"), parse_brackets(row.get("brackets")))


def parse_brackets(values: object) -> Brackets:
    """Return a list of brackets; raises RowRefusedError naming field and value."""
    if not isinstance(values, list) or not values:
        raise RowRefusedError(f"brackets {quoted(values)} is no list of brackets")
    brackets = Brackets(_bracket(index, one) for index, one in enumerate(values))
    fault = bracket_fault(brackets)
    if fault is not None:
        raise RowRefusedError(f"brackets[{fault.place}].{fault.field} {fault.message}")
    return brackets


def dated_brackets_document(row: DatedBrackets) -> Values:
    """Return a row as `parse_dated_brackets` reads it, one text for each number."""
    brackets = [
        {
            "cap": _text(one.cap),
            "mmr": plain(one.mmr),
            "amount": plain(one.amount),
            "max_leverage": _text(one.max_leverage),
        }
        for one in row.brackets
    ]
    return {"from_ms": str(row.from_ms), "brackets": brackets}


def _bracket(index: int, values: object) -> Bracket:
    try:
        row = refuse_unknown_fields(values, BRACKET_FIELDS)
        return Bracket(
            cap=number_or_none(row, "cap"),
            mmr=number(row, "mmr"),
            amount=number_or_none(row, "amount") or ZERO,
            max_leverage=number_or_none(row, "max_leverage"),
        )
    except RowRefusedError as error:
        raise type(error)(f"brackets[{index}].{error}") from None


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
