"""Reports on the selection of sweeps, and the sums that they are made from."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them; those of the sweeps so far are made when somebody asks."""
    op.create_table(
        "selection_sums",
        sa.Column("sweep_id", sa.Integer(), nullable=False),
        sa.Column("panel", sa.String(length=64), nullable=False),
        sa.Column("first", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sweep_id"], ["sweep.id"], name="fk_selection_sums_sweep_id_sweep", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sweep_id", "panel", "first", name="pk_selection_sums"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "selection_report",
        sa.Column("sweep_id", sa.Integer(), nullable=False),
        sa.Column("settings_digest", sa.String(length=64), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Integer()),
        sa.Column("report", sa.LargeBinary()),
        sa.ForeignKeyConstraint(
            ["sweep_id"], ["sweep.id"], name="fk_selection_report_sweep_id_sweep", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sweep_id", "settings_digest", name="pk_selection_report"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Forget them: they follow from the sweeps."""
    op.drop_table("selection_report")
    op.drop_table("selection_sums")
