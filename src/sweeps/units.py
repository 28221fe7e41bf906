"""Rows with money in the units it is stored in."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sweeps.columns import Money, money_units


def in_units(table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of a table with money in the units they are stored in; rows may share amounts.

    Each amount is converted once, whatever the number of rows that have it.
    """
    names = [column.name for column in table.columns if isinstance(column.type, Money)]
    amounts = {id(row[name]): row[name] for row in rows for name in names}
    units = {key: None if amount is None else money_units(amount) for key, amount in amounts.items()}
    return [{**row, **{name: units[id(row[name])] for name in names}} for row in rows]


def without_money(table: sa.Table) -> sa.Table:
    """Return the same table for rows that are `in_units`."""
    plain_table = table.to_metadata(sa.MetaData())
    for column in plain_table.columns:
        if isinstance(column.type, Money):
            column.type = sa.BigInteger()
    return plain_table
