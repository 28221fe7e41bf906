"""The trading loop that a replay and paper trading share: one market event in, positions and equity out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from bot.account import AccountState
from bot.market_data.ticker_service import TickerService
from bot.models import (
    CloseReason,
    FundingRate,
    Instrument,
    MarkCandle,
    MarketEvent,
    Position,
    SettlementView,
    Trade,
)
from bot.pnl.tracker import PnLTracker
from bot.position.manager import PositionManager
from bot.position.sizing import PositionSizer
from bot.risk.manager import Guards, RiskManager
from bot.strategies.strategy import Entry, Strategy

_NONE: frozenset[str] = frozenset()


class MarkPath(Protocol):
    """Where the closed candles of a pair's mark series can be read again."""

    def mark_candles(self, symbol: str, after_ms: int, until_ms: int) -> Iterable[MarkCandle]:
        """Return the candles that closed in (after_ms, until_ms], oldest first."""


@dataclass(frozen=True, slots=True)
class Market:
    """What a trader can see: newest tickers, trading rules of each pair, closed mark candles."""

    tickers: TickerService
    instruments: Mapping[str, Instrument]
    mark_path: MarkPath


@dataclass(frozen=True, slots=True)
class CapitalPlan:
    """What an account starts with (quote currency), what entries are sized on, and its slots."""

    initial_capital: Decimal
    sizing_base: Literal["initial", "equity"]
    max_simultaneous_positions: int


class CarryTrader:
    """Runs the hedges of one account. Call inside `bot.money.exact()`."""

    def __init__(
        self,
        strategy: Strategy,
        market: Market,
        capital: CapitalPlan,
        tracker: PnLTracker,
        positions: PositionManager,
        risk: RiskManager,
        sizer: PositionSizer,
    ) -> None:
        self.tracker = tracker
        self.positions = positions
        self.skipped_entries = 0
        self._strategy = strategy
        self._market = market
        self._tickers = market.tickers
        self._risk = risk
        self._sizer = sizer
        self._instruments = market.instruments
        self._capital = capital
        self._slots = capital.max_simultaneous_positions
        self._previous_ms = -1
        self._guards: dict[str, tuple[Position, Guards]] = {}

    def warm_up(self, records: Iterable[FundingRate]) -> None:
        """Show settlements to a strategy that learns from them."""
        if self._strategy.remembers:
            for record in records:
                self._strategy.observe(record)

    def follow(self, events: Iterable[MarketEvent]) -> tuple[list[Decimal], int]:
        """Do all that happens at each event; return the worths after them, and how many left a hedge open.

        Without a hedge, and below the rates that its strategy enters at, nothing can happen.
        """
        positions, tracker, floor = self.positions, self.tracker, self._strategy.entry_floor
        held, unfinished = positions.held, positions.unfinished
        watchful = floor is None or self._strategy.remembers
        worths: list[Decimal] = []
        in_market = 0
        for event in events:
            if held or watchful or event.best_rate_8h >= floor or unfinished:  # type: ignore[operator]
                self.on_event(event)
            if held:
                in_market += 1
            worths.append(self.equity() if held or unfinished else tracker.cash)
        return worths, in_market

    def on_event(self, event: MarketEvent) -> None:
        """Do all that happens at `event`: liquidations, funding, exits, entries."""
        ended = self._collect(event)
        if self.positions.held:
            ended |= self._exit(event)
        if event.decidable and self._slots_taken() < self._slots:
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

        Returns the one of the `ended` round trips that it has changed, as it is now.
        """
        funding = view.funding
        if self._strategy.remembers:
            self._strategy.observe(funding)
        position = self.positions.held.get(funding.symbol)
        if position is not None and position.opened_at_ms < funding.t_ms:
            self._settle((view,))
            return None
        paid = next((trade for trade in ended if was_due(trade, funding)), None)
        if paid is None or funding.mark_price is None:
            return None
        return self.tracker.record_late_funding(paid, funding, funding.mark_price)

    def state(self) -> AccountState:
        """Return what has to be remembered to go on after the newest event."""
        positions = self.positions
        return self.tracker.state(
            self._previous_ms,
            positions.held.values(),
            self.skipped_entries,
            positions.unfinished.values(),
            positions.orders,
        )

    def restore(self, state: AccountState) -> None:
        """Go on from `state`, with fresh books so far."""
        self.tracker.restore(state)
        self.positions.restore(
            (hedge.position for hedge in state.hedges),
            (pending.hedge for pending in state.unfinished),
            state.orders,
        )
        self.skipped_entries = state.skipped_entries
        self._previous_ms = state.t_ms

    def equity(self) -> Decimal:
        """Return the account's worth at the newest prices, quote currency."""
        held, unfinished = self.positions.held, self.positions.unfinished
        equity = self.tracker.equity(held.values(), self._tickers) if held else self.tracker.cash
        if unfinished:
            equity += sum(self.tracker.worth(hedge, self._tickers) for hedge in unfinished.values())
        return equity

    def _collect(self, event: MarketEvent) -> frozenset[str]:
        held = self.positions.held
        liquidated = self._liquidate(event) if held else _NONE
        self._tickers.show(event.tickers)
        if self._strategy.remembers:
            self.warm_up(view.funding for view in event.settlements)
        unfinished = self.positions.unfinished
        if held or unfinished:
            self._settle(event.settlements)
        if unfinished:
            self.positions.mend()
        self._previous_ms = event.t_ms
        return liquidated

    def _liquidate(self, event: MarketEvent) -> frozenset[str]:
        ended = _NONE
        for position in tuple(self.positions.held.values()):
            high = event.mark_highs.get(position.symbol)
            if high is None or high < self._guards_of(position).liquidation:
                continue
            mmr = self._instruments[position.symbol].mmr
            if self._risk.is_liquidated(position, high, mmr):
                candle = self._fatal_candle(position, mmr, event.t_ms)
                self._tickers.update({position.symbol: candle.ticker})
                self.positions.liquidate(position)
                ended |= {position.symbol}
        return ended

    def _guards_of(self, position: Position) -> Guards:
        known = self._guards.get(position.symbol)
        if known is None or known[0] is not position:
            guards = self._risk.guards(position, self._instruments[position.symbol].mmr)
            known = self._guards[position.symbol] = position, guards
        return known[1]

    def _fatal_candle(self, position: Position, mmr: Decimal, until_ms: int) -> MarkCandle:
        candles = self._market.mark_path.mark_candles(position.symbol, self._previous_ms, until_ms)
        return self._risk.fatal_candle(position, candles, mmr)

    def _settle(self, views: Iterable[SettlementView]) -> None:
        held = self.positions.held
        for view in views:
            funding = view.funding
            symbol, mark = funding.symbol, funding.mark_price
            short = held[symbol].quantity if symbol in held else self.positions.short(symbol)
            if short and mark is not None:
                self.tracker.record_funding(short, funding, mark)

    def _exit(self, event: MarketEvent) -> frozenset[str]:
        ended = _NONE
        for position in tuple(self.positions.held.values()):
            reason = self._exit_reason(position, event)
            if reason is not None:
                self.positions.close(position, reason)
                ended |= {position.symbol}
        return ended

    def _exit_reason(self, position: Position, event: MarketEvent) -> CloseReason | None:
        symbol = position.symbol
        ticker = event.tickers[symbol]
        if not ticker.fresh:
            return None
        if self._is_forced_out(position, ticker.mark):
            return CloseReason.MARGIN
        for view in event.decidable:
            if view.funding.symbol == symbol:
                return CloseReason.SIGNAL if self._strategy.wants_exit(view) else None
        return None

    def _is_forced_out(self, position: Position, mark: Decimal | None) -> bool:
        if mark is None or mark < self._guards_of(position).margin_exit:
            return False
        return self._risk.must_exit(position, mark, self._instruments[position.symbol].mmr)

    def _enter(self, event: MarketEvent, ended: frozenset[str]) -> None:
        views = event.decidable
        if ended or self._slots_taken():
            taken = {*self.positions.held, *self.positions.unfinished, *ended}
            views = tuple(view for view in views if view.funding.symbol not in taken)
        for entry in self._strategy.entries(views):
            if self._slots_taken() >= self._slots:
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
        if not quantity or self.positions.open(view.funding.symbol, quantity) is None:
            self.skipped_entries += 1

    def _slots_taken(self) -> int:
        return len(self.positions.held) + len(self.positions.unfinished)

    def _sizing_base(self) -> Decimal:
        capital = self._capital
        return self.equity() if capital.sizing_base == "equity" else capital.initial_capital


def was_due(trade: Trade, funding: FundingRate) -> bool:
    """Return whether a round trip held its short when `funding` settled.

    Settlements come before closing, liquidations before settlements.
    """
    within = trade.opened_at_ms < funding.t_ms <= trade.closed_at_ms
    liquidated = trade.reason is CloseReason.LIQUIDATION
    return (
        trade.symbol == funding.symbol and within and not (liquidated and funding.t_ms == trade.closed_at_ms)
    )
