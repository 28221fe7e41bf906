"""Recorded rates at which a coin can be borrowed, and how much of it."""

from decimal import Decimal
from typing import NamedTuple

from bot.market.records.dated import DatedRows
from bot.market.records.fields import Values, number, number_or_none, refuse_unknown_fields, required
from bot.market.rules import RowRefusedError, time_ms
from bot.notation import quoted
from bot.numbers.money import plain

FIELDS = ("timestamp_ms", "hourly_rate", "max_quantity")


class BorrowRate(NamedTuple):
    """Rate of a coin per hour from `from_ms` on; `max_quantity` in coins, None without a limit."""

    from_ms: int
    hourly_rate: Decimal
    max_quantity: Decimal | None = None


class BorrowRates(DatedRows[BorrowRate]):
    """Borrow rates of a coin, each in force until the next.

    Source: docs/domain.md, section 13.
    """

    __slots__ = ()


def parse_borrow_rate(values: object) -> BorrowRate:
    """Return a row of a file; raises RowRefusedError naming field and value."""
    row = refuse_unknown_fields(values, FIELDS)
    rate, most = number(row, "hourly_rate"), number_or_none(row, "max_quantity")
    if not 0 <= rate < 1:
        raise RowRefusedError(f"hourly_rate {quoted(row['hourly_rate'])} is not at least 0 and below 1")
    if most is not None and most < 0:
        raise RowRefusedError(f"max_quantity {quoted(row['max_quantity'])} is negative")
    return BorrowRate(time_ms(required(row, "timestamp_ms")), rate, most)


def borrow_rate_document(row: BorrowRate) -> Values:
    """Return a row as `parse_borrow_rate` reads it, one text for each number."""
    most = None if row.max_quantity is None else plain(row.max_quantity)
    return {
        "timestamp_ms": str(row.from_ms),
        "hourly_rate": plain(row.hourly_rate),
        "max_quantity": most,
    }
