"""Addresses that are told when sweeps have ended, and the secret that signs."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them."""
    op.create_table(
        "sweep_notification",
        sa.Column("sweep_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("delivered_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sweep_id"], ["sweep.id"], name="fk_sweep_notification_sweep_id_sweep", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sweep_id", name="pk_sweep_notification"),
    )
    op.create_table(
        "webhook_secret",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_secret"),
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("webhook_secret")
    op.drop_table("sweep_notification")
