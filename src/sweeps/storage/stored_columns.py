"""Rows as the database keeps them: column by column, money as whole units of 1e-8."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from sweeps.storage.columns import Money, money_units

Columns = Mapping[str, Sequence[Any]]


def stored_columns(table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> Columns:
    """Return at least one row of a table by column, money in the units it is stored in.

    Each amount is converted once, whatever the number of rows that have it.
    """
    names = [column.name for column in table.columns]
    columns = dict(zip(names, zip(*map(itemgetter(*names), rows), strict=True), strict=True))
    money = [column.name for column in table.columns if isinstance(column.type, Money)]
    return {**columns, **{name: _units(columns[name]) for name in money}}


def _units(amounts: Sequence[Any]) -> list[int | None]:
    distinct = {id(amount): amount for amount in amounts}
    units = {key: None if amount is None else money_units(amount) for key, amount in distinct.items()}
    return [units[id(amount)] for amount in amounts]
