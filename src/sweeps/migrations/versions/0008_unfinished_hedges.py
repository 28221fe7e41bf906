"""Paper sessions: hedges whose legs are not equal yet, spot that was sold again, the number of orders."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them; sessions so far have none."""
    with op.batch_alter_table("paper_session") as table:
        table.add_column(sa.Column("orders", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("unfinished", sa.Text(), nullable=False, server_default="[]"))
    op.create_table(
        "paper_unwound",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("symbol", sa.String(length=64), nullable=False),
        sa.Column("closed_at_ms", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("quantity", "entry", "exit", "fees", "price_pnl")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["paper_session.id"],
            name="fk_paper_unwound_session_id_paper_session",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", "number", name="pk_paper_unwound"),
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("paper_unwound")
    # Not in a batch: in SQLite that replaces the table, and all rows that refer to its sessions go with it.
    op.drop_column("paper_session", "unfinished")
    op.drop_column("paper_session", "orders")
