"""Compiled sweeps: summary and feasible cells of each."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it; the dispatcher compiles the sweeps so far, one after another."""
    op.create_table(
        "compiled_sweep",
        sa.Column("sweep_id", sa.Integer(), nullable=False),
        sa.Column("text_digest", sa.String(length=64), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("feasible", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sweep_id"],
            ["sweep.id"],
            name="fk_compiled_sweep_sweep_id_sweep",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sweep_id", name="pk_compiled_sweep"),
    )


def downgrade() -> None:
    """Forget it: it follows from the sweeps."""
    op.drop_table("compiled_sweep")
