"""Paper sessions: what patience remembers of open hedges."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it; hedges so far wait for nothing."""
    with op.batch_alter_table("paper_session") as table:
        table.add_column(sa.Column("waiting", sa.Text(), nullable=False, server_default="{}"))


def downgrade() -> None:
    """Forget it."""
    # Not in a batch: in SQLite that replaces the table, and all rows that refer to its sessions go with it.
    op.drop_column("paper_session", "waiting")
