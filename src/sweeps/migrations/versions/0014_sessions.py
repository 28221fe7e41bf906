"""Sessions of the dashboard, each of one token, so that they can be ended."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create their table; who was signed in signs in again."""
    op.create_table(
        "api_session",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=True),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["token_digest"],
            ["api_token.digest"],
            name="fk_api_session_token_digest_api_token",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name="pk_api_session"),
    )


def downgrade() -> None:
    """End them."""
    op.drop_table("api_session")
