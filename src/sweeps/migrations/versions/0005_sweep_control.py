"""Sweeps with tags, notes and pinned data; trials taken over from other sweeps; measured rates."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and tables; the cells of trials follow from their numbers and go."""
    op.add_column("sweep", sa.Column("data_pin", sa.String(length=64), nullable=True))
    op.add_column("sweep", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("sweep", sa.Column("note", sa.Text(), nullable=False, server_default=""))
    op.add_column("chunk", sa.Column("trials_reused", sa.Integer(), nullable=False, server_default="0"))
    op.drop_column("trial", "cell")
    op.add_column("trial", sa.Column("run_hash", sa.BigInteger(), nullable=True))
    op.add_column("trial", sa.Column("reused_sweep", sa.Integer(), nullable=True))
    op.add_column("trial", sa.Column("reused_number", sa.Integer(), nullable=True))
    op.create_index("ix_trial_run_hash", "trial", ["run_hash"])
    _create_tables()


def _create_tables() -> None:
    op.create_table(
        "sweep_tag",
        sa.Column("sweep_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["sweep_id"], ["sweep.id"], name="fk_sweep_tag_sweep_id_sweep", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sweep_id", "tag", name="pk_sweep_tag"),
    )
    op.create_index("ix_sweep_tag_tag", "sweep_tag", ["tag"])
    op.create_table(
        "replay_rate",
        sa.Column("strategy", sa.String(length=64), nullable=False),
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("work", sa.BigInteger(), nullable=False),
        sa.Column("busy_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("strategy", "host", name="pk_replay_rate"),
    )


def downgrade() -> None:
    """Drop them; trials of grids without constraints get their cells back, those of others their numbers."""
    op.drop_table("replay_rate")
    op.drop_table("sweep_tag")
    op.drop_index("ix_trial_run_hash", table_name="trial")
    for name in ("reused_number", "reused_sweep", "run_hash"):
        op.drop_column("trial", name)
    op.add_column("trial", sa.Column("cell", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE trial SET cell = number")
    op.drop_column("chunk", "trials_reused")
    for name in ("note", "reason", "data_pin"):
        op.drop_column("sweep", name)
