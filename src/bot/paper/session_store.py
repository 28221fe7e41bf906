"""State that a paper session saves after every event, and the port of the store that keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from bot.errors import BotError
from bot.models import DAY_MS, FundingPayment, Trade
from bot.trading.account import AccountState, UnwoundSpot

LATEST_SETTLEMENT_MS = 7 * DAY_MS
"""Longest delay after which a settlement that an exchange tells late is still booked."""


class SessionError(BotError):
    """A paper session that cannot go on as asked."""

    code = "paper_session"


class SessionTakenError(BotError):
    """A session that another process has taken further."""

    code = "paper_session_taken"


class SessionStatus(StrEnum):
    """Status of a session. `OPEN` ones go on by themselves after a restart."""

    OPEN = "open"
    EMERGENCY = "emergency"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class SavedSession:
    """A session as it was last written down.

    `recent` are its trades that ended in the `LATEST_SETTLEMENT_MS` before its newest event; `booked`
    names the settlements booked on them and on its open hedges, as symbol and time in ms UTC.
    """

    name: str
    config: Mapping[str, Any]
    started_ms: int
    status: SessionStatus
    account: AccountState
    booked: frozenset[tuple[str, int]]
    recent: tuple[Trade, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionUpdate:
    """Changes of one event: the account after it, and what it added to the books.

    `previous_ms` is the time of the event before: who writes this down checks that it is the newest held.
    `revised` are trades written down before, as settlements known late have made them.
    """

    previous_ms: int
    account: AccountState
    equity: Decimal
    trades: tuple[Trade, ...]
    payments: tuple[FundingPayment, ...]
    unwound: tuple[UnwoundSpot, ...] = ()
    revised: tuple[Trade, ...] = ()
    status: SessionStatus = SessionStatus.OPEN


class SessionStore(Protocol):
    """Keeps sessions across restarts; each call is one transaction."""

    def find(self, name: str) -> SavedSession | None:
        """Return the session, None if there is none of that name."""

    def create(self, session: SavedSession) -> None:
        """Write a new session down; raises SessionTakenError if the name is taken."""

    def save(self, name: str, progress: SessionUpdate) -> None:
        """Write an event down; raises SessionTakenError if another process has got further."""

    def reopen(self, name: str) -> None:
        """Let a stopped session trade again."""
