"""Column types and SQL functions that SQLite and PostgreSQL spell differently."""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from bot.numbers.money import EXACT, MONEY_PLACES, plain
from sweeps.errors import ResultRangeError

_LARGEST_UNITS = 2**63 - 1
LARGEST_AMOUNT = Decimal(_LARGEST_UNITS).scaleb(-MONEY_PLACES, context=EXACT)
"""Largest amount of money that a result can hold, either sign."""


def money_units(amount: Decimal, name: str = "an amount of") -> int:
    """Return `amount` in units of 1e-8.

    Raises: ResultRangeError, beginning with `name`, if it is finer or larger than a column.
    """
    units = amount.scaleb(MONEY_PLACES, context=EXACT)
    if units != units.to_integral_value() or abs(units) > _LARGEST_UNITS:
        raise unstorable(name, amount)
    return int(units)


def unstorable(name: str, amount: Decimal) -> ResultRangeError:
    """Return the refusal of an amount that is finer or larger than a column."""
    return ResultRangeError(
        f"{name} {plain(amount)} does not fit the results, which hold up to {plain(LARGEST_AMOUNT)} "
        f"with {MONEY_PLACES} decimal places; with less initial_capital it would"
    )


def money_of_units(units: int) -> Decimal:
    """Return the amount of `units` of 1e-8."""
    return Decimal(units).scaleb(-MONEY_PLACES, context=EXACT)


class distinct_texts(GenericFunction[str]):  # noqa: N801 - reads as the SQL function it is
    """The different texts of a column in one, commas between them; NULL where there is none."""

    type = sa.Text()
    inherit_cache = True


@compiles(distinct_texts, "sqlite")
def _texts_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"group_concat(DISTINCT {compiler.process(element.clauses, **options)})"


@compiles(distinct_texts, "postgresql")
def _texts_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"string_agg(DISTINCT {compiler.process(element.clauses, **options)}, ',')"
