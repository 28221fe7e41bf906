"""Session of hedges as it is written down, and the changes of one event."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.hedges.positions import HedgeTrade
from bot.models import FundingPayment
from bot.paper.hedges.state import HedgesState
from bot.paper.session_store import SessionStatus


@dataclass(frozen=True, slots=True)
class SavedHedges:
    """A session of hedges as it was last written down."""

    name: str
    config: Mapping[str, Any]
    started_ms: int
    status: SessionStatus
    state: HedgesState

    @property
    def event_ms(self) -> int:
        """Time of its newest event, ms UTC; -1 before the first."""
        return self.state.t_ms


@dataclass(frozen=True, slots=True)
class HedgesUpdate:
    """Changes of one event: the state after it, and what it added to the books.

    `previous_ms` is the time of the event before: who writes this down checks that it is the newest held.
    """

    previous_ms: int
    state: HedgesState
    equity: Decimal
    trades: tuple[HedgeTrade, ...]
    payments: tuple[FundingPayment, ...]
    status: SessionStatus = SessionStatus.OPEN

    @property
    def event_ms(self) -> int:
        """Time of the event, ms UTC."""
        return self.state.t_ms

    @property
    def open_names(self) -> tuple[str, ...]:
        """Hedges that are open after it, in order of opening."""
        return self.state.open_names

    @property
    def under_way(self) -> tuple[str, ...]:
        """Entries, closings, second legs and transfers that are waited for, in words."""
        return tuple(self.state.under_way())
