"""Trading rules: what one contract of an inverse perp is worth."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it; none is known so far."""
    with op.batch_alter_table("instrument") as table:
        table.add_column(sa.Column("contract_size", sa.String(length=64)))


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("instrument") as table:
        table.drop_column("contract_size")
