"""Candidates of judged sweeps, with the figures that lists of sweeps show."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them; sweeps that were judged before have none until they are judged again."""
    op.create_table(
        "sweep_candidate",
        sa.Column("sweep_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("annualized_return", sa.Float(), nullable=True),
        sa.Column("net_pnl_over_hold", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sweep_id"], ["sweep.id"], name="fk_sweep_candidate_sweep_id_sweep", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sweep_id", name="pk_sweep_candidate"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("sweep_candidate")
