"""One paper account of hedges: the event loop of their replay over what has been received. It never waits.

Every event begins from the state that was written down after the one before, so that a restart is nothing
special: a new process reads the same state.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from bot.config.run_config import RunConfig
from bot.errors import SessionError
from bot.hedges.arithmetic import exact_products
from bot.hedges.engine import hedge_trader
from bot.hedges.positions import OpenHedge, OpenLeg
from bot.hedges.trader import HedgeTrader
from bot.hedges.window import HedgeWindow
from bot.market.hedge_coverage import check_hedge_records
from bot.market.hedge_data import HedgeData
from bot.market.rows import SeriesKind
from bot.models import DAY_MS, CloseReason
from bot.notation import plain
from bot.paper.account_types import HistoryNeeded
from bot.paper.feed import FeedRows, Listing
from bot.paper.hedges.records import RecordSource
from bot.paper.hedges.series import pair_key, series_of
from bot.paper.hedges.session_store import HedgesUpdate, SavedHedges
from bot.paper.hedges.state import HedgesState, restore, state_of
from bot.paper.history_needed import candles_needed, funding_needed_ms
from bot.paper.received_market import ReceivedMarket
from bot.paper.session import STATUS_AFTER, session_document
from bot.paper.session_store import LATEST_SETTLEMENT_MS, SessionStatus
from bot.signals.volume import CANDLES_PER_DAY


class HedgeAccounts:
    """Accounts of hedges of two legs; `records` says what is recorded beside their series."""

    def __init__(self, records: RecordSource) -> None:
        self._records = records

    def new_session(self, name: str, config: RunConfig, started_ms: int) -> SavedHedges:
        """Return a session that has seen nothing yet."""
        return SavedHedges(name, session_document(config), started_ms, SessionStatus.OPEN, HedgesState())

    def needed(self, config: RunConfig) -> HistoryNeeded:
        """Return the history that a session needs before its first decision: contracts have to be of age."""
        return _needed(config)

    def account(
        self, config: RunConfig, saved: SavedHedges, listings: Mapping[str, Listing]
    ) -> "HedgeSession":
        """Return the account of a session as it was written down."""
        return HedgeSession(config, saved, listings, self._records)


class HedgeSession:
    """Takes in rows, and turns the settlements among them into updates.

    An event that comes more than `max_price_age_hours` late is booked, but nothing is decided on it.
    """

    def __init__(
        self, config: RunConfig, saved: SavedHedges, listings: Mapping[str, Listing], records: RecordSource
    ) -> None:
        rules = {name: listed.instrument for name, listed in listings.items()}
        kept = _needed(config).candles
        self._config = config
        self._started_ms = saved.started_ms
        self._state = saved.state
        self._max_age_ms = int(config.max_price_age_ms)
        self._listings = listings
        self._spots = {
            pair_key(name) for name, listed in listings.items() if SeriesKind.SPOT in listed.timeframes_ms
        }
        self._book = ReceivedMarket(listings, rules, config.max_price_age_ms, kept)
        self._records = records
        self._late_candles: dict[tuple[str, SeriesKind], int] = {}

    @property
    def state(self) -> HedgesState:
        """The account after the newest event."""
        return self._state

    def is_late(self, moment_ms: int, now_ms: int) -> bool:
        """Return whether the prices of a moment are too old to trade on now."""
        return now_ms - moment_ms > self._max_age_ms

    def warm_up(self, history: Iterable[FeedRows]) -> None:
        """Take in history, once, before anything else.

        Raises: InsufficientDataError naming what the parameters ask for and nobody has recorded.
        """
        self._book.add(history)
        window, now_ms = self._window(), max(self._started_ms, self._state.t_ms)
        at_present = self._config.model_copy(update={"start": now_ms, "end": now_ms})
        check_hedge_records(window.hedges, window.data, at_present)

    def receive(self, rows: Iterable[FeedRows]) -> None:
        """Take in rows that have become known."""
        received = tuple(rows)
        self._book.add(received)
        for part in received:
            if part.kind is SeriesKind.FUNDING or not len(part.rows):
                continue
            closed_ms = int(part.rows.times[0]) + self._listings[part.symbol].timeframes_ms[part.kind]
            if closed_ms <= self._state.t_ms:
                key = part.symbol, part.kind
                self._late_candles[key] = min(closed_ms, self._late_candles.get(key, closed_ms))

    def advance(self, until_ms: int, now_ms: int, *, decide: bool = True) -> Iterator[HedgesUpdate]:
        """Do all events after the newest, up to `until_ms`, and yield each one's changes to be saved.

        Without `decide` nothing is entered or exited: only what happens by itself is booked.
        """
        window = self._window()
        for t_ms in window.settled_between(max(self._state.t_ms + 1, self._started_ms), until_ms):
            decides, at_event = decide and not self.is_late(t_ms, now_ms), window.at(t_ms)
            with exact_products():
                trader = self._trader(at_event)
                update = self._update(trader, at_event, trader.on_event(t_ms, decides=decides))
            yield update
        self._book.forget(self._state.t_ms)

    def close(self, reason: CloseReason, at_ms: int, now_ms: int) -> HedgesUpdate:  # noqa: ARG002
        """Close everything at the prices of `at_ms`, what settles then included."""
        moment_ms = max(at_ms, self._state.t_ms)
        at_end = self._window().at(moment_ms)
        with exact_products():
            trader = self._trader(at_end)
            equity = trader.on_last_event(moment_ms, reason)
            return self._update(trader, at_end, equity, STATUS_AFTER[reason])

    def _window(self) -> HedgeWindow:
        """Return the hedges over what is known by now."""
        known = self._records.known()
        pairs = {
            (key := pair_key(name)): replace(pair, recorded=known.pairs.get(key, pair.recorded))
            for name, pair in self._book.data().items()
        }
        data = HedgeData(str(self._config.exchange), self._state.t_ms, pairs, known.exchanges)
        window = HedgeWindow.received(self._config, data, self._spots)
        for name, units in window.units.items():
            if self._state.units.get(name, units) != units:
                raise SessionError(
                    f"{name} is counted in units of {plain(units)} coins by its recorded life, the session "
                    f"in units of {plain(self._state.units[name])}; --session starts another"
                )
        return window

    def _trader(self, at_event: HedgeWindow) -> HedgeTrader:
        """Return the trader of an event with the state of the one before, and what came late since."""
        trader = hedge_trader(self._config, at_event, HedgeTrader)
        restore(trader, self._state)
        for hedge in trader.account.hedges:
            for leg in hedge.open_legs:
                self._test_late(hedge, leg)
                self._settle_late(trader, hedge, leg)
        self._late_candles.clear()
        return trader

    def _test_late(self, hedge: OpenHedge, leg: OpenLeg) -> None:
        """Let a leg be tested against the mark candles that came after their event as well."""
        name = series_of(leg.market)
        kind = SeriesKind.SPOT
        if leg.market.kind.is_perp:
            has_marks = SeriesKind.MARK in self._listings[name].timeframes_ms
            kind = SeriesKind.MARK if has_marks else SeriesKind.PERP
        first_ms = self._late_candles.get((name, kind))
        if first_ms is not None:
            leg.tested_ms = min(leg.tested_ms, max(hedge.opened_ms, first_ms - 1))

    def _settle_late(self, trader: HedgeTrader, hedge: OpenHedge, leg: OpenLeg) -> None:
        """Book on an open leg the settlements that were told only after their event."""
        if not leg.market.kind.is_perp:
            return
        until_ms, seen = self._state.t_ms, self._state.settled.get(series_of(leg.market), ())
        first_ms = max(hedge.opened_ms, until_ms - LATEST_SETTLEMENT_MS)
        for record in leg.contract.records:
            if first_ms < record.t_ms <= until_ms and record.t_ms not in seen:
                trader.book_funding(hedge, leg, record, record.t_ms)

    def _update(
        self,
        trader: HedgeTrader,
        at_event: HedgeWindow,
        equity: Decimal,
        status: SessionStatus = SessionStatus.OPEN,
    ) -> HedgesUpdate:
        before, [t_ms] = self._state, at_event.calendar.moments
        self._state = state_of(trader, at_event, before, t_ms)
        account = trader.account
        return HedgesUpdate(
            before.t_ms, self._state, equity, tuple(account.trades), tuple(account.payments), status
        )


def _needed(config: RunConfig) -> HistoryNeeded:
    days = int(config.min_contract_age_days) + 2
    funding_ms = max(funding_needed_ms(config), days * DAY_MS)
    return HistoryNeeded(funding_ms, max(candles_needed(config), days * CANDLES_PER_DAY))
