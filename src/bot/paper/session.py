"""One paper account: the trading loop of a replay, fed with what has been received. It never waits."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bot.accounting.closing import was_due
from bot.clock import SimulatedClock
from bot.config.hedge_checks import refuse_hedges
from bot.config.run_config import RunConfig
from bot.errors import InvalidInputError
from bot.market.rows import SeriesKind
from bot.market.tickers import TickerService
from bot.models import CloseReason, FundingRate, MarketEvent, Trade
from bot.numbers.money import ZERO, exact
from bot.paper.account_types import HistoryNeeded
from bot.paper.feed import FeedRows, Listing
from bot.paper.history_needed import candles_needed, funding_needed_ms
from bot.paper.late_marks import LateMarks
from bot.paper.received_market import ReceivedMarket
from bot.paper.session_store import LATEST_SETTLEMENT_MS, SavedSession, SessionStatus, SessionUpdate
from bot.trading.account import AccountState
from bot.trading.factory import build_trader
from bot.trading.paper_executor import PaperExecutor
from bot.trading.trader import Market

_HINDSIGHT = frozenset({"start", "end", "end_dead_markets"})
STATUS_AFTER = {CloseReason.END: SessionStatus.ENDED, CloseReason.EMERGENCY: SessionStatus.EMERGENCY}
"""Status of a session that was closed for a reason."""


def new_session(name: str, config: RunConfig, started_ms: int) -> SavedSession:
    """Return a session that has seen nothing yet."""
    account = AccountState(-1, config.initial_capital, ZERO, (), 0)
    return SavedSession(name, session_document(config), started_ms, SessionStatus.OPEN, account, frozenset())


def session_document(config: RunConfig) -> dict[str, Any]:
    """Return the parameters of a session as JSON values: a run's without those that ask for hindsight.

    That is its window, and whether dead markets end: a live feed cannot tell a pause from an end.
    """
    return {name: value for name, value in config.document().items() if name not in _HINDSIGHT}


class PairAccounts:
    """Accounts that hold spot against linear perps of one exchange, at the defaults of hedges."""

    def new_session(self, name: str, config: RunConfig, started_ms: int) -> SavedSession:
        """Return a session that has seen nothing yet."""
        return new_session(name, config, started_ms)

    def needed(self, config: RunConfig) -> HistoryNeeded:
        """Return the history that a session needs before its first decision."""
        return HistoryNeeded(funding_needed_ms(config), candles_needed(config))

    def account(
        self, config: RunConfig, saved: SavedSession, listings: Mapping[str, Listing]
    ) -> "PaperSession":
        """Return the account of a session as it was written down."""
        return PaperSession(config, saved, listings)


class PaperSession:
    """Takes in rows, and turns the settlements among them into progress.

    An event that comes more than `max_price_age_hours` late is booked, but nothing is decided on it.
    """

    def __init__(self, config: RunConfig, saved: SavedSession, listings: Mapping[str, Listing]) -> None:
        refuse_hedges(config)
        if config.fee_model != "flat":
            raise InvalidInputError.of("fee_model", "recorded schedules are read by sessions of hedges alone")
        self._saved = saved
        self._max_age_ms = int(config.max_price_age_ms)
        own = config.instrument
        rules = {
            symbol: listed.instrument if own is None else own.applied_to(listed.instrument)
            for symbol, listed in listings.items()
        }
        self._book = ReceivedMarket(listings, rules, config.max_price_age_ms, candles_needed(config))
        self._now = SimulatedClock()
        tickers, costs = TickerService(), config.costs
        executor = PaperExecutor(tickers, costs.fills, costs.fees, self._now, self._max_age_ms)
        self._late_marks = LateMarks(self._book)
        self._trader = build_trader(config, executor, Market(tickers, rules, self._late_marks), costs)
        self._trader.restore(saved.account)
        self._symbols = tuple(listings)
        self._news = True
        self._seen: set[tuple[str, int]] = set()
        self._ended = list(saved.recent)
        self._revised: list[Trade] = []

    @property
    def account(self) -> AccountState:
        """The account after the newest event."""
        return self._trader.state()

    @property
    def previous_ms(self) -> int:
        """Time of the newest event, or the moment before the session's start."""
        return max(self.account.t_ms, self._saved.started_ms - 1)

    def is_late(self, moment_ms: int, now_ms: int) -> bool:
        """Return whether the prices of a moment are too old to trade on now."""
        return now_ms - moment_ms > self._max_age_ms

    def warm_up(self, history: Iterable[FeedRows]) -> None:
        """Take in history, once, before anything else."""
        self._book.add(history)
        past, lived = self._past()
        self._seen.update((record.symbol, record.t_ms) for record in lived)
        with exact():
            self._trader.warm_up([*past, *lived])

    def receive(self, rows: Iterable[FeedRows]) -> None:
        """Take in rows that have become known."""
        received = tuple(rows)
        self._book.add(received)
        for part in received:
            self._late_marks.note(part, self.account.t_ms)
        self._news |= any(part.kind is SeriesKind.FUNDING for part in received)

    def advance(self, until_ms: int, now_ms: int, *, decide: bool = True) -> Iterator[SessionUpdate]:
        """Do all events after the newest, up to `until_ms`, and yield each one's progress to be saved.

        Without `decide` nothing is entered or exited: only what happens by itself is booked.
        """
        self._now.advance_to(max(now_ms, self._now.now_ms()))
        if self._news:
            self._settle_late()
        times = self._book.settlement_times(self.previous_ms, until_ms)
        if not times:
            return
        for event in self._book.events(self.account.t_ms, times):
            decides = decide and not self.is_late(event.t_ms, now_ms)
            yield self._do(event if decides else _undecidable(event))
        self._book.forget(self.previous_ms)

    def close(self, reason: CloseReason, at_ms: int, now_ms: int) -> SessionUpdate:
        """Close everything at the prices of `at_ms`, what settles then included."""
        self._now.advance_to(max(now_ms, self._now.now_ms()))
        previous_ms = self.account.t_ms
        moment_ms = max(at_ms, previous_ms)
        [event] = self._book.events(previous_ms, [moment_ms])
        if moment_ms == previous_ms:
            event = replace(event, settlements=(), decidable=())
        with exact():
            event = self._late_marks.shown(event, self._trader.positions.held)
            self._trader.on_last_event(event, reason)
            return self._progress(previous_ms, STATUS_AFTER[reason])

    def _do(self, event: MarketEvent) -> SessionUpdate:
        previous_ms = self.account.t_ms
        with exact():
            self._trader.on_event(self._late_marks.shown(event, self._trader.positions.held))
            self._late_marks.forget()
            self._seen.update((view.funding.symbol, event.t_ms) for view in event.settlements)
            return self._progress(previous_ms, SessionStatus.OPEN)

    def _progress(self, previous_ms: int, status: SessionStatus) -> SessionUpdate:
        books = self._trader.tracker
        trades, payments, unwound = tuple(books.trades), tuple(books.payments), tuple(books.unwound)
        revised = tuple(self._revised)
        self._ended += trades
        for written in (books.trades, books.payments, books.unwound, self._revised):
            written.clear()
        equity = self._trader.equity()
        return SessionUpdate(previous_ms, self.account, equity, trades, payments, unwound, revised, status)

    def _past(self) -> tuple[list[FundingRate], list[FundingRate]]:
        """Return the settlements before the session, and those by its newest event, as they were seen."""
        since_ms, until_ms = self._saved.started_ms, self.account.t_ms + 1
        past = [record for symbol in self._symbols for record in self._book.records(symbol, 0, since_ms)]
        lived = [
            record for symbol in self._symbols for record in self._book.records(symbol, since_ms, until_ms)
        ]
        unbooked = self._unbooked()
        seen = [record for record in lived if (record.symbol, record.t_ms) not in unbooked]
        return past, sorted(seen, key=lambda record: record.t_ms)

    def _unbooked(self) -> set[tuple[str, int]]:
        """Return the settlements that hedges should have been paid for, and were not."""
        held = ((hedge.position.symbol, hedge.position.opened_at_ms) for hedge in self.account.hedges)
        due = {
            (symbol, record.t_ms)
            for symbol, opened_ms in held
            for record in self._book.records(symbol, opened_ms + 1, self.account.t_ms + 1)
        }
        due |= {
            (trade.symbol, record.t_ms)
            for trade in self._ended
            for record in self._book.records(trade.symbol, trade.opened_at_ms + 1, trade.closed_at_ms + 1)
            if was_due(trade, record)
        }
        return due - self._saved.booked

    def _settle_late(self) -> None:
        self._news = False
        newest_ms = self.account.t_ms
        since_ms = max(newest_ms - LATEST_SETTLEMENT_MS, self._saved.started_ms)
        self._seen = {key for key in self._seen if key[1] >= since_ms}
        self._ended = [trade for trade in self._ended if trade.closed_at_ms >= since_ms]
        for symbol in self._symbols:
            for record in self._book.records(symbol, since_ms, newest_ms + 1):
                if (symbol, record.t_ms) not in self._seen:
                    self._seen.add((symbol, record.t_ms))
                    self._book_late(record)

    def _book_late(self, record: FundingRate) -> None:
        with exact():
            revised = self._trader.settle_late(self._book.view(record), self._ended)
        if revised is not None:
            for trades in (self._ended, self._revised):
                trades[:] = [trade for trade in trades if not _is_same(trade, revised)] + [revised]


def _is_same(trade: Trade, other: Trade) -> bool:
    return (trade.symbol, trade.opened_at_ms) == (other.symbol, other.opened_at_ms)


def _undecidable(event: MarketEvent) -> MarketEvent:
    """Return the event as it looks when its prices have grown too old to trade on."""
    tickers = {symbol: replace(ticker, fresh=False) for symbol, ticker in event.tickers.items()}
    settlements = tuple(replace(view, ticker=tickers[view.funding.symbol]) for view in event.settlements)
    return replace(event, tickers=tickers, settlements=settlements, decidable=())
