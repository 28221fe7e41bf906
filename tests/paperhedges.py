"""Paper sessions of hedges for tests: on recorded markets, held to the document of the replay."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from hedge_files import hedge_data
from papertrading import NAME, MortalStore, trade_on_paper

from bot.clock import SimulatedClock
from bot.config.run_config import RunConfig
from bot.hedges.engine import run_hedges
from bot.hedges.positions import HedgeTrade
from bot.hedges.result import HedgeRun
from bot.market.hedge_data import HedgeData
from bot.models import FundingPayment
from bot.notation import quoted
from bot.paper.hedges.document import session_result
from bot.paper.hedges.records import ReplayedRecords
from bot.paper.hedges.series import series_name
from bot.paper.hedges.session import HedgeAccounts
from bot.paper.hedges.session_store import HedgesUpdate, SavedHedges
from bot.paper.hedges.state import HedgesState, state_of_text, state_text
from bot.paper.recorded_feed import RecordedFeed
from bot.paper.session_store import SessionStatus, SessionTakenError


@dataclass(slots=True)
class HedgeMemory:
    """Keeps one session of hedges in memory, under the same rules as a database; states as text."""

    saved: SavedHedges | None = None
    held_trades: list[HedgeTrade] = field(default_factory=list)
    held_payments: list[FundingPayment] = field(default_factory=list)
    held_equity: dict[int, Decimal] = field(default_factory=dict)
    states: list[HedgesState] = field(default_factory=list)

    def find(self, name: str) -> SavedHedges | None:
        saved = self.saved
        return None if saved is None else replace(saved, state=state_of_text(state_text(saved.state)))

    def create(self, session: SavedHedges) -> None:
        assert self.saved is None
        self.saved = session

    def save(self, name: str, progress: HedgesUpdate) -> None:
        saved = self.saved
        assert saved is not None
        if (saved.event_ms, saved.status) != (progress.previous_ms, SessionStatus.OPEN):
            raise SessionTakenError(f"session {quoted(name)} has been taken further")
        self.held_trades += progress.trades
        self.held_payments += progress.payments
        self.held_equity[progress.event_ms] = progress.equity
        self.states.append(progress.state)
        self.saved = replace(saved, state=progress.state, status=progress.status)

    def reopen(self, name: str) -> None:
        assert self.saved is not None
        self.saved = replace(self.saved, status=SessionStatus.OPEN)

    def trades(self, name: str) -> list[HedgeTrade]:
        return self.held_trades

    def payments(self, name: str) -> list[FundingPayment]:
        return self.held_payments

    def equity(self, name: str) -> list[tuple[int, Decimal]]:
        return sorted(self.held_equity.items())


def named_series(data: HedgeData) -> dict[str, Any]:
    """Return the pairs of both exchanges under the names that a feed tells them by."""
    return {series_name(key): pair for key, pair in data.pairs.items()}


def without_marks_of_contracts(files: Mapping[str, str]) -> dict[str, str]:
    """Return the files without mark candles of markets with a recorded life, and of stems that it names.

    A replay knows whether mark candles of a contract will ever be held, a session whether there are any yet.
    """
    lives = {
        name.removesuffix("-life.json"): text for name, text in files.items() if name.endswith("-life.json")
    }
    stems = {
        f"{stem.partition('/')[0]}/{epoch['stem']}"
        for stem, text in lives.items()
        for epoch in json.loads(text)
        if "stem" in epoch
    }
    unknown = {f"{stem}-mark" for stem in (*lives, *stems)}
    return {name: text for name, text in files.items() if not name.startswith(tuple(unknown))}


def replayed_hedges(
    files: Mapping[str, str], values: Mapping[str, Any]
) -> tuple[RunConfig, HedgeData, HedgeRun]:
    """Return the run of `values` over files, and what it ran on."""
    config, data = RunConfig.parse(values), hedge_data(files, values)
    return config, data, run_hedges(config, data)


def assert_paper_agrees(
    files: Mapping[str, str],
    values: Mapping[str, Any],
    store: Any,
    *,
    crash_every: int = 0,
    before: bool = True,
) -> HedgeRun:
    """Trade hedges live and replay them, and compare all that was booked, to the last digit."""
    config, data, result = replayed_hedges(files, values)
    clock = SimulatedClock(config.start)
    times = result.curve.calendar.moments
    keeper = MortalStore(store, crash_every, before) if crash_every else store
    accounts = HedgeAccounts(ReplayedRecords(data, clock))
    series = named_series(data)
    feed = lambda: RecordedFeed(series, clock)  # noqa: E731 - each process gets a feed of its own
    status = trade_on_paper(config, feed, clock, keeper, until_ms=times[-1], accounts=accounts)
    assert status is SessionStatus.ENDED
    assert store.payments(NAME) == list(result.payments)
    document, expected = (
        session_result(config, store.find(NAME), store.trades(NAME), store.equity(NAME)),
        result.document(),
    )
    assert document["trades"] == expected["trades"]
    assert document["equity"] == expected["equity"]
    assert document["metrics"] == expected["metrics"]
    return result
