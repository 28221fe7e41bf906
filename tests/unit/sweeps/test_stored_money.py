"""Rows as they are stored: money as whole units of 1e-8."""

from decimal import Decimal

import sqlalchemy as sa

from sweeps.columns import Money
from sweeps.units import in_units, without_money

TABLE = sa.Table("t", sa.MetaData(), sa.Column("n", sa.Integer), sa.Column("amount", Money()))


def test_amounts_become_units_and_the_rest_stays() -> None:
    shared = Decimal("1.00000002")
    rows = [{"n": 1, "amount": shared}, {"n": 2, "amount": shared}, {"n": 3, "amount": None}]
    assert in_units(TABLE, rows) == [
        {"n": 1, "amount": 100_000_002},
        {"n": 2, "amount": 100_000_002},
        {"n": 3, "amount": None},
    ]
    assert rows[0]["amount"] is shared


def test_rows_in_units_are_read_back_as_the_amounts_they_were() -> None:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        TABLE.create(connection)
        rows = [{"n": 1, "amount": Decimal("-92233720368.54775807")}, {"n": 2, "amount": Decimal("0.5")}]
        connection.execute(without_money(TABLE).insert(), in_units(TABLE, rows))
        assert [dict(row._mapping) for row in connection.execute(sa.select(TABLE))] == rows
    engine.dispose()
