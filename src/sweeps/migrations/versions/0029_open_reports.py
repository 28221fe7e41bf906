"""Indexes of reports that nobody makes and of notifications that nobody sends, whatever has been done."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_UNMADE = sa.text("report IS NULL")


def upgrade() -> None:
    """Index them by their job; the dispatcher asks several times a second for those without one."""
    op.create_index(
        "ix_selection_report_unmade",
        "selection_report",
        ["job_id", "sweep_id"],
        sqlite_where=_UNMADE,
        postgresql_where=_UNMADE,
    )
    op.create_index("ix_sweep_notification_job_id", "sweep_notification", ["job_id"])


def downgrade() -> None:
    """Drop the indexes."""
    op.drop_index("ix_sweep_notification_job_id", "sweep_notification")
    op.drop_index("ix_selection_report_unmade", "selection_report")
