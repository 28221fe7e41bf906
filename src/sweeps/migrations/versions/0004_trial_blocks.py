"""Trials beside holding, and their metrics packed column by column."""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MONEY = (
    "hold_net_pnl",
    "available_funding",
    "missed_before_entry",
    "missed_between",
    "missed_after_exit",
    "extra_fees",
)
_FAILED = "state = 'failed'"
_ROWS = 1_000


def upgrade() -> None:
    """Add the columns and the tables, and pack the trials that are there."""
    for name in _MONEY:
        op.add_column("trial", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("trial", sa.Column("captured_share", sa.Float(), nullable=True))
    op.add_column("trial", sa.Column("extra_round_trips", sa.Integer(), nullable=True))
    op.create_index(
        "ix_trial_failed",
        "trial",
        ["sweep_id", "state", "number"],
        sqlite_where=sa.text(_FAILED),
        postgresql_where=sa.text(_FAILED),
    )
    op.create_table(
        "trial_block",
        sa.Column("sweep_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("first", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sweep_id"], ["sweep.id"], name="fk_trial_block_sweep_id_sweep", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sweep_id", "name", "first", name="pk_trial_block"),
        sqlite_with_rowid=False,
    )
    _pack_all(op.get_bind())


def downgrade() -> None:
    """Drop them."""
    op.drop_table("trial_block")
    op.drop_index("ix_trial_failed", table_name="trial")
    for name in (*_MONEY, "captured_share", "extra_round_trips"):
        op.drop_column("trial", name)


def _pack_all(connection: sa.Connection) -> None:
    rows = sa.Table("trial", sa.MetaData(), autoload_with=connection)
    metrics = [
        column
        for column in rows.columns
        if isinstance(column.type, sa.Integer | sa.Float) and column.name not in {"sweep_id", "cell"}
    ]
    sweep_ids = connection.execute(sa.select(rows.c.sweep_id).distinct()).scalars().all()
    for sweep_id in sweep_ids:
        _pack_sweep(connection, rows, metrics, sweep_id)


def _pack_sweep(connection: sa.Connection, rows: sa.Table, metrics: list[Any], sweep_id: int) -> None:
    blocks = sa.table("trial_block", *map(sa.column, ("sweep_id", "name", "first", "data")))
    after = -1
    while found := connection.execute(
        sa.select(*metrics)
        .where(rows.c.sweep_id == sweep_id, rows.c.state == "completed", rows.c.number > after)
        .order_by(rows.c.number)
        .limit(_ROWS)
    ).all():
        first, after = found[0].number, found[-1].number
        for column, values in zip(metrics, zip(*found, strict=True), strict=True):
            data = _packed(values, real=isinstance(column.type, sa.Float))
            connection.execute(
                blocks.insert(), {"sweep_id": sweep_id, "name": column.name, "first": first, "data": data}
            )


def _packed(values: Sequence[Any], *, real: bool) -> bytes:
    undefined = np.nan if real else np.iinfo(np.int64).min
    column = np.array(
        [undefined if value is None else value for value in values], dtype=np.float64 if real else np.int64
    )
    return zlib.compress(np.ascontiguousarray(column.view(np.uint8).reshape(-1, 8).T).tobytes(), 1)
