"""The trading loop that a replay and paper trading share: one market event in, positions and equity out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import ClassVar, NamedTuple

from bot.accounting.closing import was_due
from bot.accounting.event_order import EXITS, is_due
from bot.accounting.fees import FeeModel
from bot.accounting.sizing import CapitalPlan, PositionSizer, is_full
from bot.market.event_columns import EventColumns
from bot.market.tickers import TickerService
from bot.models import (
    CloseReason,
    ContractEnd,
    FundingRate,
    Instrument,
    MarketEvent,
    Position,
    SettlementView,
    Ticker,
    Trade,
)
from bot.strategies.strategy import Entry, Strategy
from bot.trading.account import AccountState
from bot.trading.equity_curve import EquityCurveBuilder
from bot.trading.fast_forward import FastForward, Watches
from bot.trading.margin_watch import MarkPath
from bot.trading.payments import HedgeSpan
from bot.trading.position_manager import PositionManager
from bot.trading.tracker import PnLTracker

_NONE: frozenset[str] = frozenset()
_LONG = 4
"""Number of settlements from which on columns are faster than one event after the other."""


class _Interruption(NamedTuple):
    """End of a hedge by its exchange at the prices of `ticker`: a liquidation, or the `end` of a contract."""

    position: Position
    ticker: Ticker
    end: ContractEnd | None


def _moment(interruption: _Interruption) -> tuple[int, bool]:
    """Return when it takes place; liquidations come before the ends of contracts."""
    return interruption.ticker.t_ms, interruption.end is not None


@dataclass(frozen=True, slots=True)
class Market:
    """Market as a trader sees it: newest tickers, trading rules of each pair, closed mark candles.

    `ends` are the contracts that end, by pair; live feeds know of none.
    """

    tickers: TickerService
    instruments: Mapping[str, Instrument]
    mark_path: MarkPath
    ends: Mapping[str, ContractEnd] = field(default_factory=dict)


class CarryTrader:
    """Runs the hedges of one account. Call inside `exact()`."""

    def __init__(
        self,
        strategy: Strategy,
        market: Market,
        capital: CapitalPlan,
        tracker: PnLTracker,
        positions: PositionManager,
        sizer: PositionSizer,
        watches: Watches,
        fees: FeeModel,
    ) -> None:
        self._fees = fees
        self.tracker = tracker
        self.positions = positions
        self.skipped_entries = 0
        self._strategy = strategy
        self._tickers = market.tickers
        self._watches = watches
        self._margin, self._contracts, self._patience = watches.margin, watches.contracts, watches.patience
        ruled = self._patience.rules
        unasked = {
            CloseReason.DISTANCE: ruled.liquidation_distance is None,
            CloseReason.BASIS: ruled.basis_exit is None,
            CloseReason.SEAM: not self._contracts.untraded,
        }
        self._exits = tuple(reason for reason in EXITS if not unasked.get(reason))
        self._sizer = sizer
        self._capital = capital
        self._slots = capital.max_simultaneous_positions
        self._previous_ms = -1

    def warm_up(self, records: Iterable[FundingRate]) -> None:
        """Show settlements to a strategy that learns from them."""
        if self._strategy.remembers:
            for record in records:
                self._strategy.observe(record)

    def follow(self, columns: EventColumns, curve: EquityCurveBuilder, first: int, last: int) -> None:
        """Process the events from `first` to before `last`, and append the equity after each to `curve`.

        Events at which no order can happen are fast-forwarded together.
        """
        at = first
        if self._strategy.remembers:
            self._follow_each(columns.events[first:last], curve)
            at = last
        fast_forward = FastForward(columns, self._strategy, self.positions, self._watches, self._slots)
        while at < last:
            stop = fast_forward.next_stop(at, last)
            if not self.positions.held:
                curve.add_flat(self.tracker.cash, stop - at, held=False)
                at = stop
            elif stop - at >= _LONG:
                self._hold_through(columns, at, stop, curve)
                at = stop
            self._follow_each(columns.events[at : min(stop + 1, last)], curve)
            at = stop + 1

    def on_event(self, event: MarketEvent) -> None:
        """Do all that happens at `event`: liquidations, delistings, funding, exits, entries."""
        ended = self._collect(event)
        if self.positions.held:
            ended |= self._exit(event)
        if event.decidable and not self._is_full():
            self._enter(event, ended)

    def on_last_event(self, event: MarketEvent, reason: CloseReason = CloseReason.END) -> None:
        """Do what still happens at the last moment of an account, and close everything at its prices."""
        self._collect(event)
        for position in tuple(self.positions.held.values()):
            self.positions.close(position, reason)
        if self.positions.unfinished:
            self.positions.mend()

    def settle_late(self, view: SettlementView, ended: Iterable[Trade]) -> Trade | None:
        """Book a settlement that became known only after its event; nothing is decided on it.

        Returns the one of the `ended` trades that it has changed, as it is now.
        """
        funding = view.funding
        if self._strategy.remembers:
            self._strategy.observe(funding)
        position = self.positions.held.get(funding.symbol)
        if position is not None and is_due(funding.t_ms, position.opened_at_ms):
            self._settle((view,))
            return None
        paid = next((trade for trade in ended if was_due(trade, funding)), None)
        if paid is None or funding.mark_price is None:
            return None
        return self.tracker.record_late_funding(paid, funding, funding.mark_price)

    def state(self) -> AccountState:
        """Return the state needed to go on after the newest event."""
        positions = self.positions
        books = self.tracker.state(
            self._previous_ms,
            positions.held.values(),
            self.skipped_entries,
            positions.unfinished.values(),
            positions.orders,
        )
        return replace(books, waiting=self._patience.state(positions.held))

    def restore(self, state: AccountState) -> None:
        """Go on from `state`, with fresh books so far."""
        self.tracker.restore(state)
        self.positions.restore(
            (hedge.position for hedge in state.hedges),
            (pending.hedge for pending in state.unfinished),
            state.orders,
        )
        self._patience.restore(state.waiting)
        self.skipped_entries = state.skipped_entries
        self._previous_ms = state.t_ms

    def succeed(self, other: "CarryTrader") -> None:
        """Go on with the account of another trader, its positions and its books."""
        self.restore(other.state())
        self.tracker.trades, self.tracker.paid = other.tracker.trades, other.tracker.paid
        self._fees.recall(self.tracker.trades, self.positions.held.values())

    def equity(self) -> Decimal:
        """Return the account's equity at the newest prices, quote currency."""
        held, unfinished = self.positions.held, self.positions.unfinished
        equity = self.tracker.equity(held.values(), self._tickers) if held else self.tracker.cash
        if unfinished:
            equity += sum(
                self.tracker.unfinished_value(hedge, self._tickers) for hedge in unfinished.values()
            )
        return equity

    def _collect(self, event: MarketEvent) -> frozenset[str]:
        held = self.positions.held
        taken = self._interrupt(event) if held else _NONE
        self._tickers.show(event.tickers)
        if self._strategy.remembers:
            self.warm_up(view.funding for view in event.settlements)
        unfinished = self.positions.unfinished
        if held or unfinished:
            self._settle(event.settlements)
        if unfinished:
            self.positions.mend()
            for position in held.values():
                self._patience.opened(position, event.tickers[position.symbol])
        self._previous_ms = event.t_ms
        return taken

    def _follow_each(self, events: Iterable[MarketEvent], curve: EquityCurveBuilder) -> None:
        held = self.positions.held
        for event in events:
            self.on_event(event)
            curve.add_flat(self.equity(), 1, held=bool(held))

    def _hold_through(self, columns: EventColumns, at: int, stop: int, curve: EquityCurveBuilder) -> None:
        """Hold the hedges through events at each of which they only settle."""
        held, before = self.positions.held, self.tracker.cash
        hedges = [
            HedgeSpan(held[symbol], columns.pair(symbol), at, stop)
            for symbol in columns.symbols
            if symbol in held
        ]
        curve.add_hedges(hedges, before, self.tracker.record_spans(hedges))
        self._patience.no_signals(held)
        newest = columns.events[stop - 1]
        self._tickers.show(newest.tickers)
        self._previous_ms = newest.t_ms

    def _interrupt(self, event: MarketEvent) -> frozenset[str]:
        """Let exchanges take what ended since the event before, and return the pairs concerned.

        What one hedge goes through in between does not depend on the others, but for fees that depend on what
        was traded before: each follows its own candles up to the end of its contract, where a liquidation
        comes first.
        """
        found, listed = self._interruptions(event), len(self.tracker.trades)
        if not found:
            return _NONE
        order = {interruption.position.symbol: place for place, interruption in enumerate(found)}
        if self._fees.varies:
            found.sort(key=_moment)
        for position, ticker, end in found:
            self._tickers.update({position.symbol: ticker})
            if end is None:
                self.positions.liquidate(position)
            else:
                self.positions.delist(position, self._contracts.settled(position, end))
        if self._fees.varies:
            trades = self.tracker.trades
            trades[listed:] = sorted(trades[listed:], key=lambda trade: order[trade.symbol])
        return frozenset(order)

    def _interruptions(self, event: MarketEvent) -> list[_Interruption]:
        """Return what ended hedges since the event before, in order of opening."""
        found = []
        for position in self.positions.held.values():
            end = self._contracts.due(position.symbol, self._previous_ms, event.t_ms)
            ticker = self._liquidated_at(position, event, event.t_ms if end is None else end.at_ms)
            if ticker is not None:
                found.append(_Interruption(position, ticker, None))
            elif end is not None:
                found.append(_Interruption(position, end.ticker, end))
        return found

    def _liquidated_at(self, position: Position, event: MarketEvent, until_ms: int) -> Ticker | None:
        """Return the prices at which a hedge was liquidated by `until_ms`, None if it was not."""
        high = event.mark_highs.get(position.symbol)
        if high is None or not self._margin.is_liquidated(position, high):
            return None
        candle = self._margin.fatal_candle(position, self._previous_ms, until_ms)
        return None if candle is None else candle.ticker

    def _settle(self, views: Iterable[SettlementView]) -> None:
        held = self.positions.held
        for view in views:
            funding = view.funding
            symbol, mark = funding.symbol, funding.mark_price
            quantity = held[symbol].quantity if symbol in held else self.positions.perp_held(symbol)
            if quantity and mark is not None:
                self.tracker.record_funding(quantity, funding, mark)

    def _exit(self, event: MarketEvent) -> set[str]:
        ended = set()
        for position in tuple(self.positions.held.values()):
            reason = self._exit_reason(position, event)
            if reason is not None:
                self.positions.close(position, reason)
                ended.add(position.symbol)
        return ended

    def _exit_reason(self, position: Position, event: MarketEvent) -> CloseReason | None:
        if not event.tickers[position.symbol].fresh:
            return None
        for reason in self._exits:
            if self._ends_by[reason](self, position, event):
                return reason
        return None

    def _is_forced_out(self, position: Position, event: MarketEvent) -> bool:
        return self._margin.is_forced_out(position, event.tickers[position.symbol].mark)

    def _is_near_liquidation(self, position: Position, event: MarketEvent) -> bool:
        mark = event.tickers[position.symbol].mark
        farther = None if mark is None else self._patience.rules.mark_at_distance(mark)
        return farther is not None and self._margin.is_liquidated(position, farther)

    def _is_dear(self, position: Position, event: MarketEvent) -> bool:
        """Return whether the basis has moved against a hedge too far."""
        return self._patience.basis_is_extended(position, event.tickers[position.symbol])

    def _is_left_over(self, position: Position, event: MarketEvent) -> bool:
        """Return whether a pair that is no longer traded settles."""
        symbol = position.symbol
        return symbol in self._contracts.untraded and any(
            view.funding.symbol == symbol for view in event.decidable
        )

    def _is_unwanted(self, position: Position, event: MarketEvent) -> bool:
        for view in event.decidable:
            if view.funding.symbol == position.symbol:
                wanted = self._strategy.wants_exit(view)
                return self._patience.follows(position, view, wanted=wanted)
        return False

    def _enter(self, event: MarketEvent, ended: frozenset[str]) -> None:
        views = event.decidable
        if ended or self.positions.held or self.positions.unfinished:
            taken = {*self.positions.held, *self.positions.unfinished, *ended}
            views = tuple([view for view in views if view.funding.symbol not in taken])
        views = self._watches.candidates(views)
        for entry in self._strategy.entries(views) if views else ():
            if self._is_full():
                break
            self._open(entry)

    def _open(self, entry: Entry) -> None:
        view = entry.view
        quantity = self._sizer.quantity(
            view.ticker,
            view.instrument,
            self._sizing_base(),
            entry.fraction,
            self.tracker.free_cash,
            self.positions.exposure,
        )
        position = self.positions.open(view.funding.symbol, quantity) if quantity else None
        if position is None:
            self.skipped_entries += 1
        else:
            self._patience.opened(position, view.ticker)

    def _is_full(self) -> bool:
        return is_full(len(self.positions.held) + len(self.positions.unfinished), self._slots)

    def _sizing_base(self) -> Decimal:
        capital = self._capital
        return self.equity() if capital.sizing_base == "equity" else capital.initial_capital

    # Functions, not methods bound to each trader: those would be cycles, which only the collector frees.
    _ends_by: ClassVar[Mapping[CloseReason, Callable[["CarryTrader", Position, MarketEvent], bool]]] = {
        CloseReason.MARGIN: _is_forced_out,
        CloseReason.DISTANCE: _is_near_liquidation,
        CloseReason.BASIS: _is_dear,
        CloseReason.SEAM: _is_left_over,
        CloseReason.SIGNAL: _is_unwanted,
    }
    """Questions whether a hedge ends for each of `EXITS`."""
