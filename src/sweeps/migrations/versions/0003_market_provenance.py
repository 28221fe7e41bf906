"""Market data: where rows came from, and published fees."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the two tables."""
    op.create_table(
        "market_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=255), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        sa.PrimaryKeyConstraint("id", name="pk_market_import"),
        sa.ForeignKeyConstraint(
            ["series_id"],
            ["market_series.id"],
            name="fk_market_import_series_id_market_series",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_market_import_series_id", "market_import", ["series_id"])
    op.create_table(
        "fee_rate",
        sa.Column("exchange", sa.String(length=64), nullable=False),
        sa.Column("symbol", sa.String(length=64), nullable=False),
        sa.Column("spot_taker", sa.String(length=64), nullable=True),
        sa.Column("perp_taker", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("exchange", "symbol", name="pk_fee_rate"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("fee_rate")
    op.drop_index("ix_market_import_series_id", table_name="market_import")
    op.drop_table("market_import")


_COUNTS = (
    "rows_read",
    "rows_new",
    "refused",
    "snapped",
    "max_jitter_ms",
    "duplicates",
    "out_of_order",
)
