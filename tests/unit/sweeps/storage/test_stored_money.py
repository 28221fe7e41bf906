"""Rows as they are stored: money as whole units of 1e-8."""

from decimal import Decimal

import sqlalchemy as sa

from bot.market_store.database import insert_columns
from sweeps.storage.columns import Money
from sweeps.storage.stored_columns import stored_columns

TABLE = sa.Table(
    "t", sa.MetaData(), sa.Column("n", sa.Integer, primary_key=True), sa.Column("amount", Money())
)


def test_amounts_become_units_and_the_rest_stays() -> None:
    shared = Decimal("1.00000002")
    rows = [{"n": 1, "amount": shared}, {"n": 2, "amount": shared}, {"n": 3, "amount": None}]
    assert stored_columns(TABLE, rows) == {"n": (1, 2, 3), "amount": [100_000_002, 100_000_002, None]}
    assert rows[0]["amount"] is shared


def test_columns_are_read_back_as_the_amounts_they_were_and_rows_that_are_there_stay() -> None:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        TABLE.create(connection)
        rows = [{"n": 1, "amount": Decimal("-92233720368.54775807")}, {"n": 2, "amount": Decimal("0.5")}]
        insert_columns(connection, TABLE, stored_columns(TABLE, rows))
        insert_columns(connection, TABLE, stored_columns(TABLE, [{"n": 2, "amount": Decimal(3)}]))
        assert [dict(row._mapping) for row in connection.execute(sa.select(TABLE))] == rows
    engine.dispose()
