"""The hedges that trials of one account share: each entry opened once, each round trip closed once."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

import numpy as np
import numpy.typing as npt

from bot.analytics.metrics import UNITS_PER_QUOTE, from_units, money_units
from bot.backtest.batch.columns import Ranked
from bot.backtest.executor import BacktestExecutor
from bot.backtest.metrics import TradeTotals
from bot.backtest.window import ReplayWindow
from bot.config import RunConfig
from bot.desk import position_sizer
from bot.execution.fill_model import FillModel
from bot.market_data.ticker_service import TickerService
from bot.models import AccountState, CloseReason, MarketEvent, OpenHedge, Position, Ticker, Trade
from bot.money import ONE, WIDE, ZERO
from bot.pnl import formulas
from bot.pnl.fees import FeeCalculator
from bot.pnl.tracker import PnLTracker
from bot.position.manager import PositionManager
from bot.risk.manager import RiskManager

NEVER = 2**31 - 1
REASONS = (CloseReason.SIGNAL, CloseReason.MARGIN, CloseReason.LIQUIDATION, CloseReason.END)


class PairColumns:
    """The events of a window with one pair, and the prices that can end a hedge, by rank."""

    def __init__(self, window: ReplayWindow) -> None:
        [self.symbol] = window.instruments
        self.window = window
        self.instrument = window.instruments[self.symbol]
        self.tickers = [event.tickers[self.symbol] for event in window.events]
        self.highs = Ranked([event.mark_highs.get(self.symbol) for event in window.events])
        self.marks = Ranked([ticker.mark if ticker.fresh else None for ticker in self.tickers])

    @property
    def events(self) -> tuple[MarketEvent, ...]:
        """The events of the window."""
        return self.window.events


@dataclass(slots=True, eq=False)
class OpenedHedge:
    """A hedge opened at event `entry`, followed as far as any trial needs it.

    `liquidated_at` and `margin_exit_at` are the events at which its margin would end it, NEVER if none.
    `worth[k]` is what it adds to the cash before it after event `entry + k`, in units of 1e-8; `funding[k]`
    is booked by then.
    """

    number: int
    entry: int
    position: Position
    liquidated_at: int
    margin_exit_at: int
    worth: list[int]
    funding: list[Decimal]


@dataclass(frozen=True, slots=True, eq=False)
class ClosedTrip:
    """A round trip from event `entry` to event `end`; `net` is what it leaves in cash, in units of 1e-8.

    `last_collected` is the last settlement it collected, `last_seen` the last event not after its close.
    `worth` is what its hedge adds to the cash before it, after each event but the last.
    """

    entry: int
    end: int
    last_collected: int
    last_seen: int
    totals: TradeTotals
    net: int
    worth: npt.NDArray[np.int64]


class HedgeBook:
    """The hedges of one account over the only pair of a window. Call inside `bot.money.exact()`.

    Sizing on the initial capital makes a hedge depend on its entry alone, as long as cash covers a slot.
    """

    def __init__(self, config: RunConfig, pair: PairColumns) -> None:
        self.initial = money_units(config.initial_capital)
        self.slot = _slot_units(config)
        self.trips: list[ClosedTrip] = []
        self._hedges: list[OpenedHedge] = []
        self._pair = pair
        self._config = config
        self._sizer = position_sizer(config)
        self._fills = FillModel(config.slippage)
        self._fees = FeeCalculator(config.fees)
        self._risk = RiskManager(config.margin_exit_ratio)
        self._opened: dict[tuple[int, int | None], OpenedHedge | None] = {}
        self._closed: dict[tuple[int, int, int], int] = {}

    def opened(self, entry: int, cash: int | None = None) -> OpenedHedge | None:
        """Return the hedge opened at event `entry`, None if no order would be large enough.

        `cash` is what the account has, in units of 1e-8, where that does not cover a slot.
        """
        key = (entry, cash)
        if key not in self._opened:
            self._opened[key] = self._open(
                entry, self._config.initial_capital if cash is None else from_units(cash)
            )
        return self._opened[key]

    def closed(self, hedge_number: int, end: int, reason: int) -> int:
        """Return the index into `trips` of a hedge's round trip to event `end`, for REASONS[reason]."""
        key = (hedge_number, end, reason)
        if key not in self._closed:
            hedge = self._hedges[hedge_number]
            self._closed[key] = len(self.trips)
            trade = self._close(hedge, end, REASONS[reason])
            totals = TradeTotals.of([trade])
            self._follow(hedge, end - 1)
            liquidated = trade.reason is CloseReason.LIQUIDATION
            at_event = trade.closed_at_ms == self._pair.events[end].t_ms
            self.trips.append(
                ClosedTrip(
                    entry=hedge.entry,
                    end=end,
                    last_collected=end - liquidated,
                    last_seen=end if at_event else end - 1,
                    totals=totals,
                    net=totals.gains - totals.losses,
                    worth=np.array(hedge.worth[: end - hedge.entry], dtype=np.int64),
                )
            )
        return self._closed[key]

    def _open(self, entry: int, cash: Decimal) -> OpenedHedge | None:
        pair = self._pair
        base = self._config.initial_capital
        quantity = self._sizer.quantity(pair.tickers[entry], pair.instrument, base, ONE, cash, ZERO)
        if not quantity:
            return None
        tickers = TickerService()
        tickers.update(pair.events[entry].tickers)
        position = self._manager(tickers, PnLTracker(base)).open(pair.symbol, quantity)
        hedge = OpenedHedge(
            number=len(self._hedges),
            entry=entry,
            position=position,
            liquidated_at=self._liquidation(entry, position),
            margin_exit_at=self._margin_exit(entry, position),
            worth=[],
            funding=[ZERO],
        )
        hedge.worth.append(self._worth(hedge, entry))
        self._hedges.append(hedge)
        return hedge

    def _manager(self, tickers: TickerService, tracker: PnLTracker) -> PositionManager:
        executor = BacktestExecutor(tickers, self._fills, self._fees)
        return PositionManager(executor, tracker, self._config.perp_leverage)

    def _liquidation(self, entry: int, position: Position) -> int:
        mmr = self._pair.instrument.mmr
        return _first_reaching(
            self._pair.highs, entry, lambda high: self._risk.is_liquidated(position, high, mmr)
        )

    def _margin_exit(self, entry: int, position: Position) -> int:
        mmr = self._pair.instrument.mmr
        return _first_reaching(
            self._pair.marks, entry, lambda price: self._risk.must_exit(position, price, mmr)
        )

    def _follow(self, hedge: OpenedHedge, last: int) -> None:
        quantity, booked = hedge.position.quantity, hedge.funding
        for index in range(hedge.entry + len(hedge.worth), last + 1):
            [view] = self._pair.events[index].settlements
            mark = view.funding.mark_price
            paid = ZERO if mark is None else formulas.funding_payment(quantity, mark, view.funding.rate)
            booked.append(booked[-1] + paid)
            hedge.worth.append(self._worth(hedge, index))

    def _worth(self, hedge: OpenedHedge, index: int) -> int:
        position, ticker = hedge.position, self._pair.tickers[index]
        value = hedge.funding[index - hedge.entry] - position.spot_cost - position.entry_fees
        if ticker.spot is not None and ticker.perp is not None:
            value += formulas.hedge_value(position.quantity, ticker.spot, position.perp_entry, ticker.perp)
        return int(value * UNITS_PER_QUOTE)

    def _close(self, hedge: OpenedHedge, end: int, reason: CloseReason) -> Trade:
        liquidated = reason is CloseReason.LIQUIDATION
        settled = end - hedge.entry - liquidated
        self._follow(hedge, hedge.entry + settled)
        position = hedge.position
        tracker, tickers = PnLTracker(self._config.initial_capital), TickerService()
        held = OpenHedge(position, hedge.funding[settled], settled)
        tracker.restore(AccountState(position.opened_at_ms, tracker.cash, position.margin, (held,), 0))
        manager = self._manager(tickers, tracker)
        manager.restore([position])
        if not liquidated:
            tickers.update(self._pair.events[end].tickers)
            return manager.close(position, reason)
        tickers.update({self._pair.symbol: self._fatal_ticker(position, end)})
        return manager.liquidate(position)

    def _fatal_ticker(self, position: Position, end: int) -> Ticker:
        events, symbol = self._pair.events, self._pair.symbol
        candles = self._pair.window.mark_candles(symbol, events[end - 1].t_ms, events[end].t_ms)
        return self._risk.fatal_candle(position, candles, self._pair.instrument.mmr).ticker


def _slot_units(config: RunConfig) -> int:
    """Return the least cash, in units of 1e-8, that covers a slot."""
    capital = WIDE.multiply(config.initial_capital, config.allocation)
    slots = Decimal(config.max_simultaneous_positions)
    return int(WIDE.divide(WIDE.multiply(capital, UNITS_PER_QUOTE), slots).to_integral_value(ROUND_CEILING))


def _first_reaching(prices: Ranked, entry: int, ends: Callable[[Decimal], bool]) -> int:
    """Return the first event after `entry` whose price satisfies `ends`, which all higher prices do too."""
    reached = prices.ranks[entry + 1 :] >= bisect_left(prices.distinct, True, key=ends)
    first = int(reached.argmax()) if len(reached) else 0
    return entry + 1 + first if len(reached) and reached[first] else NEVER
