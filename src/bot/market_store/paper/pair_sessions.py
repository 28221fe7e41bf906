"""Paper sessions in SQL: one transaction an event, whose time keeps it from being booked twice."""

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.accounting.cash_flows import FLOWS
from bot.market_store.database import write_transaction
from bot.market_store.paper.session_rows import (
    add_numbered,
    add_rows,
    create_session,
    equity_of,
    move_on,
    put_equity,
    reopen_session,
    session_rows,
)
from bot.market_store.paper.tables import (
    paper_payment,
    paper_position,
    paper_session,
    paper_trade,
    paper_unwound,
)
from bot.models import CloseReason, FundingPayment, Position, Trade
from bot.paper.session_store import (
    LATEST_SETTLEMENT_MS,
    SavedSession,
    SessionStatus,
    SessionUpdate,
)
from bot.trading.account import AccountState, OpenHedge, PendingHedge, RoundTrips, UnwoundSpot, Waiting

_CARRIED = (*FLOWS, "payments")
_UNFINISHED = TypeAdapter(tuple[PendingHedge, ...])
_WAITING = TypeAdapter(dict[str, Waiting])


class PaperStore:
    """Keeps sessions in a database whose tables exist."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def find(self, name: str) -> SavedSession | None:
        """Return the session, None if there is none of that name."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(paper_session).filter_by(name=name)).one_or_none()
            if row is None:
                return None
            hedges = _hedges(connection, row.id)
            recent = _recent_trades(connection, row.id, row.event_ms - LATEST_SETTLEMENT_MS)
            unfinished = _UNFINISHED.validate_json(row.unfinished)
            account = AccountState(
                row.event_ms,
                row.cash,
                row.margin_locked,
                hedges,
                row.skipped_entries,
                unfinished,
                row.orders,
                _round_trips(connection, row.id),
                _WAITING.validate_json(row.waiting),
            )
            return SavedSession(
                name=row.name,
                config=json.loads(row.config),
                started_ms=row.started_ms,
                status=SessionStatus(row.status),
                account=account,
                booked=_booked(connection, row.id, hedges, recent),
                recent=recent,
            )

    def create(self, session: SavedSession) -> None:
        """Write a new session down; raises SessionTakenError if the name is taken."""
        values = {
            "name": session.name,
            "config": json.dumps(session.config, sort_keys=True),
            "started_ms": session.started_ms,
            **_account(session.account, session.status),
        }
        create_session(self._engine, values)

    def save(self, name: str, progress: SessionUpdate) -> None:
        """Write an event down; raises SessionTakenError if another process has got further."""
        with write_transaction(self._engine, durable=True) as connection:
            account = _account(progress.account, progress.status)
            session_id = move_on(connection, name, progress.previous_ms, account)
            _put_hedges(connection, session_id, progress.account.hedges)
            trades = [_trade_row(trade) for trade in progress.trades]
            _revise(connection, session_id, progress.revised)
            add_numbered(connection, paper_trade, session_id, trades)
            add_numbered(connection, paper_unwound, session_id, [asdict(spot) for spot in progress.unwound])
            add_rows(
                connection, paper_payment, session_id, [payment._asdict() for payment in progress.payments]
            )
            put_equity(connection, session_id, progress.account.t_ms, progress.equity)

    def reopen(self, name: str) -> None:
        """Let a stopped session trade again."""
        reopen_session(self._engine, name)

    def trades(self, name: str) -> list[Trade]:
        """Return the trades of a session in the order in which they ended."""
        return [_trade(row) for row in self._rows(name, paper_trade, paper_trade.c.number)]

    def unwound(self, name: str) -> list[UnwoundSpot]:
        """Return the spot of a session that found no short and was sold again, oldest first."""
        rows = self._rows(name, paper_unwound, paper_unwound.c.number)
        return [UnwoundSpot(**{field.name: row[field.name] for field in fields(UnwoundSpot)}) for row in rows]

    def payments(self, name: str) -> list[FundingPayment]:
        """Return the settlements booked, by time, then by symbol."""
        rows = self._rows(name, paper_payment, paper_payment.c.t_ms, paper_payment.c.symbol)
        return [FundingPayment(**{key: row[key] for key in FundingPayment._fields}) for row in rows]

    def equity(self, name: str) -> list[tuple[int, Decimal]]:
        """Return the account's equity after every event, quote currency."""
        return equity_of(self._engine, name)

    def _rows(self, name: str, table: sa.Table, *order: sa.Column[Any]) -> Sequence[sa.RowMapping]:
        return session_rows(self._engine, name, table, *order)


def _account(account: AccountState, status: SessionStatus) -> dict[str, Any]:
    return {
        "event_ms": account.t_ms,
        "cash": account.cash,
        "margin_locked": account.margin_locked,
        "skipped_entries": account.skipped_entries,
        "orders": account.orders,
        "unfinished": _UNFINISHED.dump_json(account.unfinished).decode(),
        "waiting": _WAITING.dump_json(dict(account.waiting)).decode(),
        "status": status.value,
    }


def _put_hedges(connection: sa.Connection, session_id: int, hedges: tuple[OpenHedge, ...]) -> None:
    connection.execute(paper_position.delete().where(paper_position.c.session_id == session_id))
    rows = [
        {"place": place, **hedge.position._asdict(), **{name: getattr(hedge, name) for name in _CARRIED}}
        for place, hedge in enumerate(hedges)
    ]
    add_rows(connection, paper_position, session_id, rows)


def _revise(connection: sa.Connection, session_id: int, trades: tuple[Trade, ...]) -> None:
    for trade in trades:
        written = (paper_trade.c.session_id == session_id) & (paper_trade.c.symbol == trade.symbol)
        same = written & (paper_trade.c.opened_at_ms == trade.opened_at_ms)
        connection.execute(paper_trade.update().where(same).values(_trade_row(trade)))


def _trade_row(trade: Trade) -> dict[str, Any]:
    return {**trade._asdict(), "reason": trade.reason.value}


def _trade(row: sa.RowMapping) -> Trade:
    names = [name for name in Trade._fields if name != "reason"]
    return Trade(**{key: row[key] for key in names}, reason=CloseReason(row["reason"]))


def _recent_trades(connection: sa.Connection, session_id: int, since_ms: int) -> tuple[Trade, ...]:
    recent = (paper_trade.c.session_id == session_id) & (paper_trade.c.closed_at_ms >= since_ms)
    query = sa.select(paper_trade).where(recent).order_by(paper_trade.c.number)
    return tuple(_trade(row) for row in connection.execute(query).mappings())


def _round_trips(connection: sa.Connection, session_id: int) -> dict[str, RoundTrips]:
    """Return how often each pair was closed, and when for the last time."""
    closed = paper_trade.c.closed_at_ms
    query = sa.select(paper_trade.c.symbol, sa.func.count(), sa.func.max(closed))
    query = query.where(paper_trade.c.session_id == session_id).group_by(paper_trade.c.symbol)
    return {symbol: RoundTrips(count, newest) for symbol, count, newest in connection.execute(query)}


def _hedges(connection: sa.Connection, session_id: int) -> tuple[OpenHedge, ...]:
    query = sa.select(paper_position).filter_by(session_id=session_id).order_by(paper_position.c.place)
    return tuple(
        OpenHedge(
            Position(*(getattr(row, name) for name in Position._fields)),
            **{name: getattr(row, name) for name in _CARRIED},
        )
        for row in connection.execute(query)
    )


def _booked(
    connection: sa.Connection, session_id: int, hedges: tuple[OpenHedge, ...], recent: tuple[Trade, ...]
) -> frozenset[tuple[str, int]]:
    keys = sa.select(paper_payment.c.symbol, paper_payment.c.t_ms).filter_by(session_id=session_id)
    opened = {(hedge.position.symbol, hedge.position.opened_at_ms) for hedge in hedges}
    opened |= {(trade.symbol, trade.opened_at_ms) for trade in recent}
    found: set[tuple[str, int]] = set()
    for held, opened_ms in opened:
        since_opening = keys.where(paper_payment.c.symbol == held, paper_payment.c.t_ms > opened_ms)
        found.update((symbol, t_ms) for symbol, t_ms in connection.execute(since_opening))
    return frozenset(found)
