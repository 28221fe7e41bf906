"""Tables of paper sessions, beside those of market data in the same metadata."""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from bot.market_store.tables import metadata
from bot.numbers.money import dec, plain


class Exact(sa.TypeDecorator[Decimal]):
    """An exact decimal as canonical text: unrounded fills need more digits than any number column has.

    Such columns are read back whole; nothing sorts or sums them in SQL.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: sa.Dialect) -> str | None:
        """Return the text to store."""
        return None if value is None else plain(value)

    def process_result_value(self, value: Any, _dialect: sa.Dialect) -> Decimal | None:
        """Return the stored number."""
        return None if value is None else dec(value)


paper_session = sa.Table(
    "paper_session",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("config", sa.Text, nullable=False),
    sa.Column("started_ms", sa.BigInteger, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("event_ms", sa.BigInteger, nullable=False),
    sa.Column("cash", Exact, nullable=False),
    sa.Column("margin_locked", Exact, nullable=False),
    sa.Column("skipped_entries", sa.Integer, nullable=False),
    sa.Column("orders", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unfinished", sa.Text, nullable=False, server_default="[]"),
    sa.Column("waiting", sa.Text, nullable=False, server_default="{}"),
    sa.Column("state", sa.Text),
)
"""An account and the time of the newest event in its books, -1 before the first.

`config` is JSON text; so are the hedges that are `unfinished`, and what patience remembers while it is
`waiting`, with exact numbers as text. `state` is the whole account of a session of hedges, as JSON text too,
and empty in a session of pairs; there `cash` is that of all wallets.
"""


def _of_session() -> sa.Column[int]:
    key = sa.ForeignKey(paper_session.c.id, ondelete="CASCADE")
    return sa.Column("session_id", key, primary_key=True)


def _legs() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger, nullable=False),
        sa.Column("quantity", Exact, nullable=False),
        sa.Column("spot_entry", Exact, nullable=False),
        sa.Column("perp_entry", Exact, nullable=False),
    )


paper_position = sa.Table(
    "paper_position",
    metadata,
    _of_session(),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    *_legs(),
    sa.Column("spot_cost", Exact, nullable=False),
    sa.Column("margin", Exact, nullable=False),
    sa.Column("entry_fees", Exact, nullable=False),
    sa.Column("funding", Exact, nullable=False),
    sa.Column("payments", sa.Integer, nullable=False),
)
"""The open hedges of a session, `place` in order of opening."""

paper_trade = sa.Table(
    "paper_trade",
    metadata,
    _of_session(),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    *_legs(),
    sa.Column("closed_at_ms", sa.BigInteger, nullable=False),
    sa.Column("spot_exit", Exact, nullable=False),
    sa.Column("perp_exit", Exact),
    sa.Column("funding", Exact, nullable=False),
    sa.Column("fees", Exact, nullable=False),
    sa.Column("price_pnl", Exact, nullable=False),
    sa.Column("net_pnl", Exact, nullable=False),
    sa.Column("funding_payments", sa.Integer, nullable=False),
    sa.Column("reason", sa.String(16), nullable=False),
)
"""The trades of a session, `number` from 1 in the order in which they ended."""

paper_unwound = sa.Table(
    "paper_unwound",
    metadata,
    _of_session(),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("symbol", sa.String(64), nullable=False),
    sa.Column("closed_at_ms", sa.BigInteger, nullable=False),
    sa.Column("quantity", Exact, nullable=False),
    sa.Column("entry", Exact, nullable=False),
    sa.Column("exit", Exact, nullable=False),
    sa.Column("fees", Exact, nullable=False),
    sa.Column("price_pnl", Exact, nullable=False),
)
"""Spot of a session that found no short and was sold again, `number` from 1."""

paper_payment = sa.Table(
    "paper_payment",
    metadata,
    _of_session(),
    sa.Column("symbol", sa.String(64), primary_key=True),
    sa.Column("t_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("rate", Exact, nullable=False),
    sa.Column("interval_hours", sa.Integer, nullable=False),
    sa.Column("mark_price", Exact, nullable=False),
    sa.Column("quantity", Exact, nullable=False),
    sa.Column("amount", Exact, nullable=False),
)
"""Every settlement booked; its key keeps one from being booked twice."""

paper_equity = sa.Table(
    "paper_equity",
    metadata,
    _of_session(),
    sa.Column("t_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("equity", Exact, nullable=False),
)
"""Equity after every event, quote currency."""

paper_hedge_trade = sa.Table(
    "paper_hedge_trade",
    metadata,
    _of_session(),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("document", sa.Text, nullable=False),
)
"""The trades of a session of hedges, `number` from 1 in the order in which they ended; JSON text."""

paper_hedge_payment = sa.Table(
    "paper_hedge_payment",
    metadata,
    _of_session(),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("symbol", sa.String(128), nullable=False),
    sa.Column("t_ms", sa.BigInteger, nullable=False),
    sa.Column("rate", Exact, nullable=False),
    sa.Column("interval_hours", sa.Integer, nullable=False),
    sa.Column("mark_price", Exact, nullable=False),
    sa.Column("quantity", Exact, nullable=False),
    sa.Column("amount", Exact, nullable=False),
)
"""Every settlement booked on a leg of a hedge, `number` from 1 in the order of booking."""
