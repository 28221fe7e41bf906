"""Read-only links to one sweep, known by the digests of their tokens only."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them."""
    op.create_table(
        "sweep_share",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sweep_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sweep_id"], ["sweep.id"], name="fk_sweep_share_sweep_id_sweep", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sweep_share"),
        sa.UniqueConstraint("digest", name="uq_sweep_share_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sweep_share_sweep_id", "sweep_share", ["sweep_id"])


def downgrade() -> None:
    """End them all: what they open, older versions could not close."""
    op.drop_table("sweep_share")
