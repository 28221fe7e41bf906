"""Metrics of gaps in the record and of contracts that ended."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for the counts and the amount; rows so far have none, which is not zero."""
    op.add_column("trial", sa.Column("delistings", sa.Integer(), nullable=True))
    op.add_column("trial", sa.Column("missed_settlements", sa.Integer(), nullable=True))
    op.add_column("trial", sa.Column("pnl_after_market_end", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Forget them, and the blocks that hold them."""
    names = ("delistings", "missed_settlements", "pnl_after_market_end")
    block = sa.table("trial_block", sa.column("name", sa.String()))
    op.execute(sa.delete(block).where(block.c.name.in_(names)))
    for name in names:
        op.drop_column("trial", name)
