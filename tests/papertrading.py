"""Paper sessions for tests: on recorded markets, with processes that die and are started again."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from builders import MarketRows, market_data, run_config

from bot.backtest import RunResult, run_backtest
from bot.clock import SimulatedClock
from bot.config.run_config import RunConfig
from bot.market.series import MarketData
from bot.models import FundingPayment, Trade
from bot.notation import quoted
from bot.paper.feed import MarketFeed
from bot.paper.orchestrator import PaperOrchestrator, SessionPlan
from bot.paper.recorded_feed import RecordedFeed
from bot.paper.session import PairAccounts
from bot.paper.session_store import (
    SavedSession,
    SessionStatus,
    SessionTakenError,
    SessionUpdate,
)

NAME = "test"
PAIRS = PairAccounts()


class CrashError(Exception):
    """The end of a process, at once and without a word."""


@dataclass(slots=True)
class MemoryStore:
    """Keeps one session in memory, under the same rules as a database."""

    saved: SavedSession | None = None
    held_trades: list[Trade] = field(default_factory=list)
    held_payments: list[FundingPayment] = field(default_factory=list)
    held_equity: dict[int, Decimal] = field(default_factory=dict)

    def find(self, name: str) -> SavedSession | None:
        return self.saved

    def create(self, session: SavedSession) -> None:
        assert self.saved is None
        self.saved = session

    def save(self, name: str, progress: SessionUpdate) -> None:
        saved = self.saved
        assert saved is not None
        if (saved.account.t_ms, saved.status) != (progress.previous_ms, SessionStatus.OPEN):
            raise SessionTakenError(f"session {quoted(name)} has been taken further")
        for revised in progress.revised:
            keys = [(trade.symbol, trade.opened_at_ms) for trade in self.held_trades]
            self.held_trades[keys.index((revised.symbol, revised.opened_at_ms))] = revised
        self.held_trades += progress.trades
        self.held_payments += progress.payments
        self.held_equity[progress.account.t_ms] = progress.equity
        keys = {(payment.symbol, payment.t_ms) for payment in self.held_payments}
        self.saved = replace(
            saved,
            account=progress.account,
            status=progress.status,
            booked=frozenset(keys),
            recent=tuple(self.held_trades),
        )

    def reopen(self, name: str) -> None:
        assert self.saved is not None
        self.saved = replace(self.saved, status=SessionStatus.OPEN)

    def trades(self, name: str) -> list[Trade]:
        return self.held_trades

    def payments(self, name: str) -> list[FundingPayment]:
        return sorted(self.held_payments, key=lambda payment: (payment.t_ms, payment.symbol))

    def equity(self, name: str) -> list[tuple[int, Decimal]]:
        return sorted(self.held_equity.items())


@dataclass(slots=True)
class MortalStore:
    """Dies at every `period`-th event, before or after it is written down."""

    kept: Any
    period: int
    before: bool
    count: int = 0

    def find(self, name: str) -> Any:
        return self.kept.find(name)

    def create(self, session: Any) -> None:
        self.kept.create(session)

    def reopen(self, name: str) -> None:
        self.kept.reopen(name)

    def save(self, name: str, progress: SessionUpdate) -> None:
        self.count += 1
        dies = self.count % self.period == 0 and progress.status is SessionStatus.OPEN
        if dies and self.before:
            raise CrashError
        self.kept.save(name, progress)
        if dies:
            raise CrashError


def trade_on_paper(
    config: RunConfig,
    feed: Callable[[], MarketFeed],
    clock: SimulatedClock,
    store: Any,
    until_ms: int | None = None,
    accounts: Any = PAIRS,
) -> SessionStatus:
    """Run a session to its end, as many processes as it takes; each gets a feed of its own."""
    while True:
        plan = SessionPlan(NAME, config, until_ms)
        try:
            return asyncio.run(PaperOrchestrator(plan, accounts, feed(), clock, store).run())
        except CrashError:
            continue


def replayed(market: MarketRows, values: Mapping[str, Any]) -> tuple[RunConfig, MarketData, RunResult]:
    """Return the run of `values` over a market, and what it ran on."""
    config = run_config(**values)
    data = market_data({symbol: market[symbol] for symbol in config.symbols}, config.end)
    return config, data, run_backtest(config, data)


def assert_paper_agrees(
    market: MarketRows, values: Mapping[str, Any], store: Any, *, crash_every: int = 0, before: bool = True
) -> RunResult:
    """Trade a market live and replay it, and compare every trade, payment and equity point.

    A session has no hindsight: `end_dead_markets` is none of its parameters.
    """
    config = run_config(**values)
    _, data, result = replayed(market, {**values, "end_dead_markets": False})
    clock = SimulatedClock(config.start)
    last_ms = result.equity[-1][0]
    keeper = MortalStore(store, crash_every, before) if crash_every else store
    status = trade_on_paper(
        config,
        lambda: RecordedFeed({pair.symbol: pair for pair in data.symbols}, clock),
        clock,
        keeper,
        until_ms=last_ms,
    )
    assert status is SessionStatus.ENDED
    assert store.trades(NAME) == list(result.trades)
    expected = sorted(result.payments, key=lambda payment: (payment.t_ms, payment.symbol))
    assert store.payments(NAME) == expected
    assert store.equity(NAME) == list(result.equity)
    assert store.find(NAME).account.skipped_entries == result.metrics.skipped_entries
    return result
