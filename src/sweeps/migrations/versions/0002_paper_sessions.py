"""Paper sessions: accounts, open hedges, trades, payments, equity."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of paper sessions."""
    _create_paper_session()
    _create_paper_position()
    _create_paper_trade()
    _create_paper_payment()
    _create_paper_equity()


def downgrade() -> None:
    """Drop them."""
    for table in ("paper_equity", "paper_payment", "paper_trade", "paper_position", "paper_session"):
        op.drop_table(table)


def _create_paper_session() -> None:
    op.create_table(
        "paper_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("event_ms", sa.BigInteger(), nullable=False),
        sa.Column("cash", sa.Text(), nullable=False),
        sa.Column("margin_locked", sa.Text(), nullable=False),
        sa.Column("skipped_entries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_paper_session"),
        sa.UniqueConstraint("name", name="uq_paper_session_name"),
    )


def _create_paper_position() -> None:
    op.create_table(
        "paper_position",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        *_legs(),
        sa.Column("spot_cost", sa.Text(), nullable=False),
        sa.Column("margin", sa.Text(), nullable=False),
        sa.Column("entry_fees", sa.Text(), nullable=False),
        sa.Column("funding", sa.Text(), nullable=False),
        sa.Column("payments", sa.Integer(), nullable=False),
        _of_session("paper_position"),
        sa.PrimaryKeyConstraint("session_id", "place", name="pk_paper_position"),
    )


def _create_paper_trade() -> None:
    op.create_table(
        "paper_trade",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        *_legs(),
        sa.Column("closed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("spot_exit", sa.Text(), nullable=False),
        sa.Column("perp_exit", sa.Text(), nullable=True),
        sa.Column("funding", sa.Text(), nullable=False),
        sa.Column("fees", sa.Text(), nullable=False),
        sa.Column("price_pnl", sa.Text(), nullable=False),
        sa.Column("net_pnl", sa.Text(), nullable=False),
        sa.Column("funding_payments", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        _of_session("paper_trade"),
        sa.PrimaryKeyConstraint("session_id", "number", name="pk_paper_trade"),
    )


def _create_paper_payment() -> None:
    op.create_table(
        "paper_payment",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.String(length=64), nullable=False),
        sa.Column("t_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.Column("interval_hours", sa.Integer(), nullable=False),
        sa.Column("mark_price", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("amount", sa.Text(), nullable=False),
        _of_session("paper_payment"),
        sa.PrimaryKeyConstraint("session_id", "symbol", "t_ms", name="pk_paper_payment"),
    )


def _create_paper_equity() -> None:
    op.create_table(
        "paper_equity",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("t_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("equity", sa.Text(), nullable=False),
        _of_session("paper_equity"),
        sa.PrimaryKeyConstraint("session_id", "t_ms", name="pk_paper_equity"),
    )


def _legs() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("symbol", sa.String(length=64), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("spot_entry", sa.Text(), nullable=False),
        sa.Column("perp_entry", sa.Text(), nullable=False),
    )


def _of_session(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["session_id"],
        ["paper_session.id"],
        name=f"fk_{table}_session_id_paper_session",
        ondelete="CASCADE",
    )
