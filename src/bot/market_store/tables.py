"""The product's one set of tables, and those of market data."""

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

market_series = sa.Table(
    "market_series",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("exchange", sa.String(64), nullable=False),
    sa.Column("symbol", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("timeframe_ms", sa.BigInteger, nullable=False),
    sa.Column("synthetic", sa.Boolean, nullable=False),
    sa.UniqueConstraint("exchange", "symbol", "kind", "timeframe_ms"),
)
"""One recorded series of a perp symbol; funding has timeframe 0."""

market_segment = sa.Table(
    "market_segment",
    metadata,
    sa.Column("series_id", sa.ForeignKey(market_series.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("month", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("first_ms", sa.BigInteger, nullable=False),
    sa.Column("last_ms", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("origins", sa.LargeBinary),
)
"""One calendar month (yyyymm, UTC) of a series: the encoded rows, compressed, and their digest.

`origins` says of each settlement how its interval is known; None for candles, and for settlements stored
before that was written down.
"""

market_record = sa.Table(
    "market_record",
    metadata,
    sa.Column("exchange", sa.String(64), primary_key=True),
    sa.Column("symbol", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("synthetic", sa.Boolean, nullable=False),
    sa.Column("source", sa.String(255), nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("first_ms", sa.BigInteger, nullable=False),
    sa.Column("last_ms", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""All rows of one recorded kind beside candles and funding, and their newest source.

`symbol` is the perp symbol, empty for what an exchange publishes of all its markets. `payload` is the rows
as JSON, compressed, and `digest` that of the JSON.
"""

market_import = sa.Table(
    "market_import",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("series_id", sa.ForeignKey(market_series.c.id, ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("source", sa.String(255), nullable=False),
    sa.Column("rows_read", sa.Integer, nullable=False),
    sa.Column("rows_new", sa.Integer, nullable=False),
    sa.Column("refused", sa.Integer, nullable=False),
    sa.Column("snapped", sa.Integer, nullable=False),
    sa.Column("max_jitter_ms", sa.Integer, nullable=False),
    sa.Column("duplicates", sa.Integer, nullable=False),
    sa.Column("out_of_order", sa.Integer, nullable=False),
    sa.Column("replaced", sa.Integer, nullable=False, server_default="0"),
)
"""Provenance of the rows of a series, with the corrections made: one row a source that gave any."""

market_change = sa.Table(
    "market_change",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("exchange", sa.String(64), nullable=False),
    sa.Column("symbol", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("timeframe_ms", sa.BigInteger, nullable=False),
    sa.Column("change", sa.String(16), nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("first_ms", sa.BigInteger, nullable=False),
    sa.Column("last_ms", sa.BigInteger, nullable=False),
    sa.Column("changed_ms", sa.BigInteger, nullable=False),
    sa.Index("ix_market_change_exchange_symbol", "exchange", "symbol"),
    sqlite_autoincrement=True,
)
"""Stored rows that were deleted, replaced, or given another interval: how many, and the outermost times."""

market_summary = sa.Table(
    "market_summary",
    metadata,
    sa.Column("exchange", sa.String(64), primary_key=True),
    sa.Column("symbol", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(16), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("document", sa.Text, nullable=False),
)
"""Cached summary of the rows of a symbol, as JSON, and a digest of those rows."""

seal = sa.Table(
    "seal",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("exchange", sa.String(64), nullable=False, index=True),
    sa.Column("from_ms", sa.BigInteger, nullable=False),
    sa.Column("tainted", sa.Boolean, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("opened_ms", sa.BigInteger),
    sqlite_autoincrement=True,
)
"""A day, as its midnight UTC, from which on the history of an exchange is not read until it is opened.

A `tainted` one was set although something had read beyond it.
"""

fee_rate = sa.Table(
    "fee_rate",
    metadata,
    sa.Column("exchange", sa.String(64), primary_key=True),
    sa.Column("symbol", sa.String(64), primary_key=True),
    sa.Column("spot_taker", sa.String(64), nullable=True),
    sa.Column("perp_taker", sa.String(64), nullable=True),
)
"""Published taker fees of a pair's two legs, for people to put into configs; no run reads them."""

instrument = sa.Table(
    "instrument",
    metadata,
    sa.Column("exchange", sa.String(64), primary_key=True),
    sa.Column("symbol", sa.String(64), primary_key=True),
    sa.Column("qty_step", sa.String(64), nullable=False),
    sa.Column("min_qty", sa.String(64), nullable=False),
    sa.Column("min_notional", sa.String(64), nullable=False),
    sa.Column("mmr", sa.String(64), nullable=False),
    sa.Column("spot_active", sa.Boolean, nullable=False),
    sa.Column("contract_size", sa.String(64), nullable=True),
)
"""Trading rules where an exchange's own are known; exact decimals as text, never sorted."""
