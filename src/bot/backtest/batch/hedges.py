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
from bot.data.columns import DecimalColumn
from bot.desk import position_sizer
from bot.errors import ExecutionError
from bot.execution.fill_model import FillModel
from bot.market_data.ticker_service import TickerService
from bot.models import CloseReason, FundingRate, Leg, MarketEvent, Position, Side, Ticker, Trade
from bot.money import ONE, WIDE, ZERO
from bot.pnl import formulas
from bot.pnl.fees import FeeCalculator
from bot.pnl.marks import hedge_values
from bot.pnl.round_trip import Exit, round_trip
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
        self.marks_paid = [_paid(event.settlements[0].funding) for event in window.events]
        self.spots = DecimalColumn.from_decimals([ticker.spot or ZERO for ticker in self.tickers])
        self.perps = DecimalColumn.from_decimals([ticker.perp or ZERO for ticker in self.tickers])

    @property
    def events(self) -> tuple[MarketEvent, ...]:
        """The events of the window."""
        return self.window.events


@dataclass(slots=True, eq=False)
class OpenedHedge:
    """A hedge opened at event `entry`, followed as far as any trial needs it.

    `liquidated_at` and `margin_exit_at` are the events at which its margin would end it, NEVER if none.
    `worth[k]` is what it adds to the cash before it after event `entry + k`, in units of 1e-8; `funding[k]`
    is the funding booked by then.
    """

    number: int
    entry: int
    position: Position
    liquidated_at: int
    margin_exit_at: int
    worth: npt.NDArray[np.int64]
    funding: npt.NDArray[np.int64]


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
                    worth=hedge.worth[: end - hedge.entry],
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
        if position is None:
            return None
        hedge = OpenedHedge(
            number=len(self._hedges),
            entry=entry,
            position=position,
            liquidated_at=self._liquidation(entry, position),
            margin_exit_at=self._margin_exit(entry, position),
            worth=np.empty(0, dtype=np.int64),
            funding=np.zeros(1, dtype=np.int64),
        )
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
        """Book the funding and work out the worth of a hedge up to event `last`."""
        known = hedge.entry + len(hedge.worth)
        if last < known:
            return
        pair, position = self._pair, hedge.position
        quantity = position.quantity
        settled = pair.marks_paid[max(known, hedge.entry + 1) : last + 1]
        payments = (formulas.funding_payment(quantity, mark, rate) for mark, rate in settled)
        paid = [int(amount * UNITS_PER_QUOTE) for amount in payments]
        hedge.funding = np.concatenate([hedge.funding, hedge.funding[-1] + np.cumsum(paid, dtype=np.int64)])
        span = slice(known, last + 1)
        values = hedge_values(quantity, position.perp_entry, pair.spots.part(span), pair.perps.part(span))
        spent = money_units(position.spot_cost + position.entry_fees)
        hedge.worth = np.concatenate([hedge.worth, values + hedge.funding[known - hedge.entry :] - spent])

    def _close(self, hedge: OpenedHedge, end: int, reason: CloseReason) -> Trade:
        liquidated = reason is CloseReason.LIQUIDATION
        settled = end - hedge.entry - liquidated
        self._follow(hedge, hedge.entry + settled)
        position = hedge.position
        ticker = self._fatal_ticker(position, end) if liquidated else self._pair.tickers[end]
        spot, fees = self._sold(Leg.SPOT, Side.SELL, position.quantity, ticker.spot)
        perp = None
        if not liquidated:
            perp, fee = self._sold(Leg.PERP, Side.BUY, position.quantity, ticker.perp)
            fees += fee
        return round_trip(
            position,
            from_units(int(hedge.funding[settled])),
            settled,
            Exit(ticker.t_ms, spot, perp, fees, reason),
        )

    def _sold(self, leg: Leg, side: Side, quantity: Decimal, last: Decimal | None) -> tuple[Decimal, Decimal]:
        """Return fill price and fee of closing one leg."""
        if last is None:
            raise ExecutionError(f"{self._pair.symbol} has no {leg} price to close at")
        price = self._fills.price(side, last)
        return price, self._fees.fee(leg, quantity, price)

    def _fatal_ticker(self, position: Position, end: int) -> Ticker:
        events, symbol = self._pair.events, self._pair.symbol
        candles = self._pair.window.mark_candles(symbol, events[end - 1].t_ms, events[end].t_ms)
        return self._risk.fatal_candle(position, candles, self._pair.instrument.mmr).ticker


def _paid(funding: FundingRate) -> tuple[Decimal, Decimal]:
    """Return mark price and rate of a settlement; no hedge is ever open before there is a mark price."""
    return (ZERO, ZERO) if funding.mark_price is None else (funding.mark_price, funding.rate)


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
