"""Market data that may be corrected: how intervals are known, and what was deleted or replaced."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it; of settlements stored so far it is not known whether their interval was stated."""
    op.add_column("market_segment", sa.Column("origins", sa.LargeBinary(), nullable=True))
    op.add_column("market_import", sa.Column("replaced", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("sweep", sa.Column("data_change", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "market_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("exchange", sa.String(length=64), nullable=False),
        sa.Column("symbol", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("timeframe_ms", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.String(length=16), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_market_change"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_market_change_exchange_symbol", "market_change", ["exchange", "symbol"])


def downgrade() -> None:
    """Forget it."""
    op.drop_index("ix_market_change_exchange_symbol", table_name="market_change")
    op.drop_table("market_change")
    op.drop_column("sweep", "data_change")
    op.drop_column("market_import", "replaced")
    op.drop_column("market_segment", "origins")
