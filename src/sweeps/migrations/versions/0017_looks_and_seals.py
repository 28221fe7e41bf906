"""Looks at days of history, seals of them, and looks at sealed holdouts."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them; looks of the sweeps so far follow from the sweeps while these are there."""
    op.create_table(
        "seal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("exchange", sa.String(length=64), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("tainted", sa.Boolean(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_seal"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_seal_exchange", "seal", ["exchange"])
    op.create_table(
        "look",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("exchange", sa.String(length=64), nullable=False),
        sa.Column("symbols", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Integer(), nullable=False),
        sa.Column("last_day", sa.Integer(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("independent", sa.Float(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_look"),
        sa.UniqueConstraint("name", name="uq_look_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "holdout_look",
        sa.Column("seal_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sweep_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["seal_id"], ["seal.id"], name="fk_holdout_look_seal_id_seal"),
        sa.PrimaryKeyConstraint("seal_id", "place", name="pk_holdout_look"),
        sa.UniqueConstraint("seal_id", "digest", name="uq_holdout_look_seal_id_digest"),
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("holdout_look")
    op.drop_table("look")
    op.drop_index("ix_seal_exchange", table_name="seal")
    op.drop_table("seal")
