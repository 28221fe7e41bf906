"""Paper sessions: the state of accounts of hedges, their trades and settlements."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them; sessions so far are of pairs."""
    with op.batch_alter_table("paper_session") as table:
        table.add_column(sa.Column("state", sa.Text()))
    op.create_table(
        "paper_hedge_trade",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        _of_session("paper_hedge_trade"),
        sa.PrimaryKeyConstraint("session_id", "number", name="pk_paper_hedge_trade"),
    )
    op.create_table(
        "paper_hedge_payment",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("symbol", sa.String(length=128), nullable=False),
        sa.Column("t_ms", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.Column("interval_hours", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("mark_price", "quantity", "amount")),
        _of_session("paper_hedge_payment"),
        sa.PrimaryKeyConstraint("session_id", "number", name="pk_paper_hedge_payment"),
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("paper_hedge_payment")
    op.drop_table("paper_hedge_trade")
    # Not in a batch: in SQLite that replaces the table, and all rows that refer to its sessions go with it.
    op.drop_column("paper_session", "state")


def _of_session(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["session_id"],
        ["paper_session.id"],
        name=f"fk_{table}_session_id_paper_session",
        ondelete="CASCADE",
    )
