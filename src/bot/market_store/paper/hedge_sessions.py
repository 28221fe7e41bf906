"""Paper sessions of hedges in SQL: one transaction an event, whose time keeps it from being booked twice."""

import json
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from bot.hedges.positions import HedgeTrade
from bot.hedges.result import hedge_trade_document, hedge_trade_of
from bot.market_store.database import write_transaction
from bot.market_store.paper.session_rows import (
    add_numbered,
    create_session,
    equity_of,
    move_on,
    put_equity,
    reopen_session,
    session_rows,
)
from bot.market_store.paper.tables import paper_hedge_payment, paper_hedge_trade, paper_session
from bot.models import FundingPayment
from bot.numbers.money import ZERO
from bot.paper.hedges.session_store import HedgesUpdate, SavedHedges
from bot.paper.hedges.state import HedgesState, state_of_text, state_text
from bot.paper.session_store import SessionStatus


class HedgeSessionStore:
    """Keeps sessions of hedges in a database whose tables exist."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def find(self, name: str) -> SavedHedges | None:
        """Return the session, None if there is none of that name; the state of one of pairs is empty."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(paper_session).filter_by(name=name)).one_or_none()
        if row is None:
            return None
        state = HedgesState() if row.state is None else state_of_text(row.state)
        return SavedHedges(row.name, json.loads(row.config), row.started_ms, SessionStatus(row.status), state)

    def create(self, session: SavedHedges) -> None:
        """Write a new session down; raises SessionTakenError if the name is taken."""
        values = {
            "name": session.name,
            "config": json.dumps(session.config, sort_keys=True),
            "started_ms": session.started_ms,
            **_account(session.state, session.status),
        }
        create_session(self._engine, values)

    def save(self, name: str, progress: HedgesUpdate) -> None:
        """Write an event down; raises SessionTakenError if another process has got further."""
        trades = [{"document": json.dumps(hedge_trade_document(trade))} for trade in progress.trades]
        payments = [payment._asdict() for payment in progress.payments]
        with write_transaction(self._engine, durable=True) as connection:
            account = _account(progress.state, progress.status)
            session_id = move_on(connection, name, progress.previous_ms, account)
            add_numbered(connection, paper_hedge_trade, session_id, trades)
            add_numbered(connection, paper_hedge_payment, session_id, payments)
            put_equity(connection, session_id, progress.event_ms, progress.equity)

    def reopen(self, name: str) -> None:
        """Let a stopped session trade again."""
        reopen_session(self._engine, name)

    def trades(self, name: str) -> list[HedgeTrade]:
        """Return the trades of a session in the order in which they ended."""
        rows = session_rows(self._engine, name, paper_hedge_trade, paper_hedge_trade.c.number)
        return [hedge_trade_of(json.loads(row["document"])) for row in rows]

    def payments(self, name: str) -> list[FundingPayment]:
        """Return the settlements booked, in the order of booking."""
        rows = session_rows(self._engine, name, paper_hedge_payment, paper_hedge_payment.c.number)
        return [FundingPayment(**{key: row[key] for key in FundingPayment._fields}) for row in rows]

    def equity(self, name: str) -> list[tuple[int, Decimal]]:
        """Return the account's equity after every event, quote currency."""
        return equity_of(self._engine, name)


def _account(state: HedgesState, status: SessionStatus) -> dict[str, Any]:
    return {
        "event_ms": state.t_ms,
        "cash": sum(state.cash.values(), ZERO),
        "margin_locked": ZERO,
        "skipped_entries": 0 if state.figures is None else state.figures.skipped_entries,
        "state": state_text(state),
        "status": status.value,
    }
