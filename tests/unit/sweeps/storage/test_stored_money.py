"""Rows as they are stored: money as whole units of 1e-8."""

from decimal import Decimal

import sqlalchemy as sa

from bot.market_store.bulk_insert import insert_columns
from sweeps.storage.columns import Money

TABLE = sa.Table(
    "t", sa.MetaData(), sa.Column("n", sa.Integer, primary_key=True), sa.Column("amount", Money())
)


def test_columns_are_read_back_as_the_amounts_they_were_and_rows_that_are_there_stay() -> None:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        TABLE.create(connection)
        rows = [{"n": 1, "amount": Decimal("-92233720368.54775807")}, {"n": 2, "amount": Decimal("0.5")}]
        insert_columns(connection, TABLE, {"n": [1, 2], "amount": [-(2**63) + 1, 50_000_000]})
        insert_columns(connection, TABLE, {"n": [2], "amount": [300_000_000]})
        assert [dict(row._mapping) for row in connection.execute(sa.select(TABLE))] == rows
    engine.dispose()
