"""Column types and SQL functions that SQLite and PostgreSQL spell differently."""

from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from bot.money import EXACT, MONEY_PLACES, plain
from sweeps.errors import ResultRangeError

_LARGEST_UNITS = 2**63 - 1
_UNITS = 10**MONEY_PLACES


class Money(sa.TypeDecorator[Decimal]):
    """Exact money as whole units of 1e-8, so that it sorts as a number in every database."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: sa.Dialect) -> int | None:
        """Return the units to store."""
        return None if value is None else money_units(value)

    def process_result_value(self, value: Any, _dialect: sa.Dialect) -> Decimal | None:
        """Return the stored amount."""
        return None if value is None else money_of_units(int(value))


def money_units(amount: Decimal) -> int:
    """Return `amount` in units of 1e-8; raises ResultRangeError if it is finer or larger than a column."""
    units = amount.scaleb(MONEY_PLACES, context=EXACT)
    if units != units.to_integral_value() or abs(units) > _LARGEST_UNITS:
        limit = plain(money_of_units(_LARGEST_UNITS))
        raise ResultRangeError(f"{plain(amount)} does not fit the results: 8 places, at most {limit}")
    return int(units)


def money_of_units(units: int) -> Decimal:
    """Return the amount of `units` of 1e-8."""
    return Decimal(units).scaleb(-MONEY_PLACES, context=EXACT)


def money_texts(units: npt.NDArray[np.int64]) -> list[str]:
    """Return the amounts of `units` of 1e-8 as the text that `plain` gives each, many times faster.

    Up to 15 digits the shortest text of the nearest float64 is the exact amount, written without an exponent
    from 0.001 on; the others, and whole amounts, which floats write as `1.0`, are written one by one.
    """
    amounts = orjson.dumps(units / _UNITS, option=orjson.OPT_SERIALIZE_NUMPY)
    texts = amounts[1:-1].decode().split(",") if len(units) else []
    size = np.abs(units)
    odd = np.flatnonzero((size < _UNITS // 1000) | (size >= 10**15) | (units % _UNITS == 0))
    known = {one: plain(money_of_units(one)) for one in set(units[odd].tolist())}
    for place, one in zip(odd.tolist(), units[odd].tolist(), strict=True):
        texts[place] = known[one]
    return texts


class database_now_ms(GenericFunction[int]):  # noqa: N801 - reads as the SQL function it is
    """The database server's clock, ms UTC: leases never depend on a worker's clock."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(database_now_ms, "sqlite")
def _now_sqlite(_element: Any, _compiler: Any, **_: Any) -> str:
    return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"


@compiles(database_now_ms, "postgresql")
def _now_postgresql(_element: Any, _compiler: Any, **_: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
