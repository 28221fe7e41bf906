"""Summaries of market data, the progress of jobs, and uploaded files that wait for a worker."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the two tables and the column."""
    op.create_table(
        "market_summary",
        sa.Column("exchange", sa.String(length=64), nullable=False),
        sa.Column("symbol", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("exchange", "symbol", "name", name="pk_market_summary"),
    )
    op.add_column("job", sa.Column("progress", sa.Text(), nullable=True))
    op.create_table(
        "job_upload",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "part", name="pk_job_upload"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="fk_job_upload_job_id_job", ondelete="CASCADE"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("job_upload")
    op.drop_column("job", "progress")
    op.drop_table("market_summary")
