"""Ports between an orchestrator and the accounts that it runs: of pairs, and of hedges of two legs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol, TypeVar

from bot.config.run_config import RunConfig
from bot.models import CloseReason
from bot.paper.feed import FeedRows, Listing
from bot.paper.session_store import SessionStatus


class SavedAccount(Protocol):
    """A session as it was last written down."""

    @property
    def name(self) -> str:
        """Name of the session."""

    @property
    def config(self) -> Mapping[str, Any]:
        """Parameters, as JSON values."""

    @property
    def started_ms(self) -> int:
        """Time of its start, ms UTC."""

    @property
    def status(self) -> SessionStatus:
        """Status that it was left in."""

    @property
    def event_ms(self) -> int:
        """Time of its newest event, ms UTC; -1 before the first."""


class EndedTrade(Protocol):
    """A closed trade as progress tells it."""

    @property
    def symbol(self) -> str:
        """Pair or hedge."""

    @property
    def reason(self) -> CloseReason:
        """Reason of its end."""

    @property
    def net_pnl(self) -> Decimal:
        """Result, quote currency."""


class Booked(Protocol):
    """A settlement as progress tells it."""

    @property
    def amount(self) -> Decimal:
        """Cash received, negative if paid, quote currency."""


class AccountUpdate(Protocol):
    """Changes of one event."""

    @property
    def event_ms(self) -> int:
        """Time of the event, ms UTC."""

    @property
    def equity(self) -> Decimal:
        """Equity after it, quote currency."""

    @property
    def trades(self) -> Sequence[EndedTrade]:
        """Trades that ended."""

    @property
    def payments(self) -> Sequence[Booked]:
        """Settlements booked."""

    @property
    def status(self) -> SessionStatus:
        """Status of the session after it."""

    @property
    def open_names(self) -> Sequence[str]:
        """Pairs or hedges that are open after it, in order of opening."""

    @property
    def under_way(self) -> Sequence[str]:
        """Matters that are neither open nor closed after it, in words."""


S = TypeVar("S", bound=SavedAccount)
U = TypeVar("U", bound=AccountUpdate)
U_contra = TypeVar("U_contra", bound=AccountUpdate, contravariant=True)
U_co = TypeVar("U_co", bound=AccountUpdate, covariant=True)


class AccountStore(Protocol[S, U_contra]):
    """Keeps sessions across restarts; each call is one transaction."""

    def find(self, name: str) -> S | None:
        """Return the session, None if there is none of that name."""

    def create(self, session: S) -> None:
        """Write a new session down; raises SessionTakenError if the name is taken."""

    def save(self, name: str, progress: U_contra) -> None:
        """Write an event down; raises SessionTakenError if another process has got further."""

    def reopen(self, name: str) -> None:
        """Let a stopped session trade again."""


class LiveAccount(Protocol[U_co]):
    """An account that takes in rows, and turns the settlements among them into updates. It never waits."""

    def warm_up(self, history: Iterable[FeedRows]) -> None:
        """Take in history, once, before anything else."""

    def receive(self, rows: Iterable[FeedRows]) -> None:
        """Take in rows that have become known."""

    def is_late(self, moment_ms: int, now_ms: int) -> bool:
        """Return whether the prices of a moment are too old to trade on now."""

    def advance(self, until_ms: int, now_ms: int, *, decide: bool = True) -> Iterator[U_co]:
        """Do all events after the newest, up to `until_ms`, and yield each one's changes to be saved.

        Without `decide` nothing is entered or exited: only what happens by itself is booked.
        """

    def close(self, reason: CloseReason, at_ms: int, now_ms: int) -> U_co:
        """Close everything at the prices of `at_ms`, what settles then included."""


class HistoryNeeded(NamedTuple):
    """History that decisions may reach back over: settlements of so many ms, candles of each series."""

    funding_ms: int
    candles: int


class AccountType(Protocol[S, U_co]):
    """Type of accounts: how a session begins, what it needs to know, and what trades in it."""

    def new_session(self, name: str, config: RunConfig, started_ms: int) -> S:
        """Return a session that has seen nothing yet."""

    def needed(self, config: RunConfig) -> HistoryNeeded:
        """Return the history that a session needs before its first decision."""

    def account(self, config: RunConfig, saved: S, listings: Mapping[str, Listing]) -> LiveAccount[U_co]:
        """Return the account of a session as it was written down."""
