"""First schema: market data, sweeps, trials, heartbeats."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    _create_market_series()
    _create_market_segment()
    _create_instrument()
    _create_sweep()
    _create_chunk()
    _create_trial()
    _create_trial_curve()
    _create_heartbeat()


def downgrade() -> None:
    """Drop every table."""
    for table in (
        "heartbeat",
        "trial_curve",
        "trial",
        "chunk",
        "sweep",
        "instrument",
        "market_segment",
        "market_series",
    ):
        op.drop_table(table)


def _create_market_series() -> None:
    op.create_table(
        "market_series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("exchange", sa.String(length=64), nullable=False),
        sa.Column("symbol", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("timeframe_ms", sa.BigInteger(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_market_series"),
        sa.UniqueConstraint(
            "exchange",
            "symbol",
            "kind",
            "timeframe_ms",
            name="uq_market_series_exchange_symbol_kind_timeframe_ms",
        ),
    )


def _create_market_segment() -> None:
    op.create_table(
        "market_segment",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_id"],
            ["market_series.id"],
            name="fk_market_segment_series_id_market_series",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("series_id", "month", name="pk_market_segment"),
    )


def _create_instrument() -> None:
    op.create_table(
        "instrument",
        sa.Column("exchange", sa.String(length=64), nullable=False),
        sa.Column("symbol", sa.String(length=64), nullable=False),
        sa.Column("qty_step", sa.String(length=64), nullable=False),
        sa.Column("min_qty", sa.String(length=64), nullable=False),
        sa.Column("min_notional", sa.String(length=64), nullable=False),
        sa.Column("mmr", sa.String(length=64), nullable=False),
        sa.Column("spot_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("exchange", "symbol", name="pk_instrument"),
    )


def _create_sweep() -> None:
    op.create_table(
        "sweep",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("spec_digest", sa.String(length=64), nullable=False),
        sa.Column("engine_version", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("trials_total", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=True),
        sa.Column("finished_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sweep"),
        sa.UniqueConstraint("idempotency_key", name="uq_sweep_idempotency_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sweep_state", "sweep", ["state"], unique=False)


def _create_chunk() -> None:
    op.create_table(
        "chunk",
        sa.Column("sweep_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lo", sa.Integer(), nullable=False),
        sa.Column("hi", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("token", sa.Integer(), server_default="0", nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=True),
        sa.Column("lease_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("published_ms", sa.BigInteger(), nullable=True),
        sa.Column("finished_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("trials_done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("trials_failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("best_number", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sweep_id"], ["sweep.id"], name="fk_chunk_sweep_id_sweep", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sweep_id", "id", name="pk_chunk"),
    )
    op.create_index("ix_chunk_state_attempts", "chunk", ["state", "attempts"], unique=False)
    op.create_index("ix_chunk_state_published_ms", "chunk", ["state", "published_ms"], unique=False)
    op.create_index("ix_chunk_sweep_id_state", "chunk", ["sweep_id", "state", "id"], unique=False)


def _create_trial() -> None:
    op.create_table(
        "trial",
        sa.Column("sweep_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cell", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error_code", sa.String(length=32), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("run_key", sa.String(length=64), nullable=True),
        sa.Column("net_pnl", sa.BigInteger(), nullable=True),
        sa.Column("total_funding", sa.BigInteger(), nullable=True),
        sa.Column("price_pnl", sa.BigInteger(), nullable=True),
        sa.Column("total_fees", sa.BigInteger(), nullable=True),
        sa.Column("max_drawdown", sa.BigInteger(), nullable=True),
        sa.Column("final_equity", sa.BigInteger(), nullable=True),
        sa.Column("total_trades", sa.Integer(), nullable=True),
        sa.Column("winning_trades", sa.Integer(), nullable=True),
        sa.Column("liquidations", sa.Integer(), nullable=True),
        sa.Column("margin_exits", sa.Integer(), nullable=True),
        sa.Column("skipped_entries", sa.Integer(), nullable=True),
        sa.Column("funding_payments", sa.Integer(), nullable=True),
        sa.Column("win_rate", sa.Float(), nullable=True),
        sa.Column("max_drawdown_pct", sa.Float(), nullable=True),
        sa.Column("total_return", sa.Float(), nullable=True),
        sa.Column("annualized_return", sa.Float(), nullable=True),
        sa.Column("volatility", sa.Float(), nullable=True),
        sa.Column("sharpe", sa.Float(), nullable=True),
        sa.Column("sortino", sa.Float(), nullable=True),
        sa.Column("calmar", sa.Float(), nullable=True),
        sa.Column("profit_factor", sa.Float(), nullable=True),
        sa.Column("time_in_market", sa.Float(), nullable=True),
        sa.Column("avg_holding_hours", sa.Float(), nullable=True),
        sa.Column("longest_drawdown_days", sa.Float(), nullable=True),
        sa.Column("best_month_share", sa.Float(), nullable=True),
        sa.Column("best_trade_share", sa.Float(), nullable=True),
        sa.Column("breakeven_settlements", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sweep_id"], ["sweep.id"], name="fk_trial_sweep_id_sweep", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sweep_id", "number", name="pk_trial"),
        sqlite_with_rowid=False,
    )


def _create_trial_curve() -> None:
    op.create_table(
        "trial_curve",
        sa.Column("sweep_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("equity", sa.LargeBinary(), nullable=False),
        sa.Column("trades", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sweep_id", "number"],
            ["trial.sweep_id", "trial.number"],
            name="fk_trial_curve_sweep_id_number_trial",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sweep_id", "number", name="pk_trial_curve"),
    )


def _create_heartbeat() -> None:
    op.create_table(
        "heartbeat",
        sa.Column("component", sa.String(length=16), nullable=False),
        sa.Column("instance", sa.String(length=200), nullable=False),
        sa.Column("beat_ms", sa.BigInteger(), nullable=False),
        sa.Column("slots", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("component", "instance", name="pk_heartbeat"),
    )
