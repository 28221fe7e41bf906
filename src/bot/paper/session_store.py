"""State that a paper session of pairs saves after every event."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from bot.errors import BotError
from bot.models import DAY_MS, FundingPayment, Leg, Trade
from bot.numbers.money import plain
from bot.trading.account import AccountState, UnwoundSpot

LATEST_SETTLEMENT_MS = 7 * DAY_MS
"""Longest delay after which a settlement that an exchange tells late is still booked."""


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

    @property
    def event_ms(self) -> int:
        """Time of its newest event, ms UTC; -1 before the first."""
        return self.account.t_ms


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

    @property
    def event_ms(self) -> int:
        """Time of the event, ms UTC."""
        return self.account.t_ms

    @property
    def open_names(self) -> tuple[str, ...]:
        """Pairs that are open after it, in order of opening."""
        return tuple(hedge.position.symbol for hedge in self.account.hedges)

    @property
    def under_way(self) -> tuple[str, ...]:
        """Hedges of which legs are open that belong to no whole one."""
        return tuple(
            f"unfinished {pending.hedge.symbol}: spot {plain(pending.hedge.held(Leg.SPOT))}, "
            f"perp {plain(pending.hedge.held(Leg.PERP))}"
            for pending in self.account.unfinished
        )
