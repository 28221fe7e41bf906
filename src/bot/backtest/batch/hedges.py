"""The hedges that trials of one account share: each is opened once, by the classes that open any hedge."""

from dataclasses import dataclass, fields
from decimal import ROUND_CEILING, Decimal

import numpy as np
import numpy.typing as npt

from bot.analytics.metrics import UNITS_PER_QUOTE, from_units, money_units
from bot.backtest.batch.columns import Compared
from bot.backtest.executor import BacktestExecutor
from bot.backtest.history import PairSeries
from bot.backtest.window import ReplayWindow
from bot.config import RunConfig
from bot.desk import position_sizer
from bot.execution.fill_model import FillModel
from bot.market_data.ticker_service import TickerService
from bot.models import Position, Side
from bot.money import EXACT, MONEY_PLACES, ONE, WIDE, ZERO
from bot.pnl.exact_array import ExactArray
from bot.pnl.fees import FeeCalculator
from bot.pnl.tracker import PnLTracker
from bot.position.manager import PositionManager
from bot.risk.manager import RiskManager

Whole = npt.NDArray[np.int64]
NEVER = 2**31 - 1
NO_HEDGE = -1
_UNKNOWN = -2


class PairColumns:
    """The events of a window with one pair: its prices, and those that can end a hedge."""

    def __init__(self, window: ReplayWindow, series: PairSeries) -> None:
        [self.symbol] = window.instruments
        self.window = window
        self.events = window.events
        self.times_ms = window.calendar.times_ms
        self.instrument = window.instruments[self.symbol]
        self.highs = Compared(series.high, series.has_high)
        self.marks = Compared(series.mark, series.fresh)
        self.spots = ExactArray.of(series.spot)
        self.perps = ExactArray.of(series.perp)
        self.paid_marks = ExactArray.of(series.paid_mark)
        self.paid_rates = ExactArray.of(series.rate)


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """Some hedges as they were opened, column by column; `entries` are events."""

    entries: Whole
    quantity: ExactArray
    perp_entry: ExactArray
    spot_cost: ExactArray
    entry_fees: ExactArray

    def __getitem__(self, index: Whole) -> "Opened":
        """Return the hedges at `index`."""
        return Opened(*(getattr(self, field.name)[index] for field in fields(self)))


class HedgeBook:
    """The hedges of one account over the only pair of a window, by number. Call inside `bot.money.exact()`.

    Sizing on the initial capital makes a hedge depend on its entry alone, as long as cash covers a slot.
    Hedge n is liquidated at event `liquidated_at[n]` and closed for its margin at `margin_exit_at[n]`, NEVER
    where prices spare it.
    """

    def __init__(self, config: RunConfig, pair: PairColumns) -> None:
        self.pair = pair
        self.initial = money_units(config.initial_capital)
        self.slot = _slot_units(config)
        self.fills = FillModel(config.slippage)
        self.fees = FeeCalculator(config.fees)
        self.risk = RiskManager(config.margin_exit_ratio)
        self.positions: list[Position] = []
        self._config = config
        self._sizer = position_sizer(config)
        self._number_at = np.full(len(pair.events), _UNKNOWN, dtype=np.int64)
        self._with_cash: dict[tuple[int, int], int] = {}
        self._limits = np.full((64, 2), NEVER, dtype=np.int64)
        self._rows = np.zeros((64, 5), dtype=np.int64)
        quantity = _places(pair.instrument.qty_step)
        entry = pair.perps.exponent + _places(self.fills.price(Side.SELL, ONE))
        self._exponents = quantity, entry, -MONEY_PLACES, -MONEY_PLACES

    def hedges(self, numbers: Whole) -> Opened:
        """Return hedges by number."""
        entries, *amounts = self._rows[numbers].T
        columns = zip(amounts, self._exponents, strict=True)
        return Opened(entries, *(ExactArray(whole, exponent) for whole, exponent in columns))

    @property
    def liquidated_at(self) -> Whole:
        """Event of each hedge's liquidation; that of NO_HEDGE is never."""
        return self._limits[:, 0]

    @property
    def margin_exit_at(self) -> Whole:
        """Event of each hedge's margin exit; that of NO_HEDGE is never."""
        return self._limits[:, 1]

    def opened(self, entries: Whole) -> Whole:
        """Return the hedges opened at these events with a whole slot, NO_HEDGE where that is too small."""
        numbers = self._number_at[entries]
        unknown = numbers == _UNKNOWN
        if unknown.any():
            for entry in np.unique(entries[unknown]).tolist():
                self._number_at[entry] = self._open(entry, self._config.initial_capital)
            numbers = self._number_at[entries]
        return numbers

    def opened_with(self, entries: Whole, cash: Whole) -> Whole:
        """Return the hedges opened at these events by accounts with this much cash, in units of 1e-8."""
        numbers = np.empty(len(entries), dtype=np.int64)
        covered = cash >= self.slot
        numbers[covered] = self.opened(entries[covered])
        short = np.flatnonzero(~covered)
        keys = zip(entries[short].tolist(), cash[short].tolist(), strict=True)
        numbers[short] = [self._opened_short(entry, left) for entry, left in keys]
        return numbers

    def _opened_short(self, entry: int, cash: int) -> int:
        key = (entry, cash)
        if key not in self._with_cash:
            self._with_cash[key] = self._open(entry, from_units(cash))
        return self._with_cash[key]

    def _open(self, entry: int, cash: Decimal) -> int:
        """Open a hedge and return its number."""
        pair, base = self.pair, self._config.initial_capital
        quantity = self._sizer.quantity(
            pair.events[entry].tickers[pair.symbol], pair.instrument, base, ONE, cash, ZERO
        )
        if not quantity:
            return NO_HEDGE
        tickers = TickerService()
        tickers.show(pair.events[entry].tickers)
        executor = BacktestExecutor(tickers, self.fills, self.fees)
        manager = PositionManager(executor, PnLTracker(base), self._config.perp_leverage)
        position = manager.open(pair.symbol, quantity)
        assert position is not None  # noqa: S101 - a replay fills every order whole
        return self._noted(entry, position)

    def _noted(self, entry: int, position: Position) -> int:
        number, mmr, risk = len(self.positions), self.pair.instrument.mmr, self.risk
        if number + 1 >= len(self._limits):
            self._limits = np.vstack([self._limits, np.full_like(self._limits, NEVER)])
            self._rows = np.vstack([self._rows, np.zeros_like(self._rows)])
        self.positions.append(position)
        amounts = position.quantity, position.perp_entry, position.spot_cost, position.entry_fees
        scaled = zip(amounts, self._exponents, strict=True)
        self._rows[number] = [entry, *(int(amount.scaleb(-exponent)) for amount, exponent in scaled)]
        guards = risk.guards(position, mmr)
        fatal = self.pair.highs.first_reaching(
            entry + 1,
            guards.liquidation,
            lambda high: risk.is_liquidated(position, high, mmr),
        )
        forced = self.pair.marks.first_reaching(
            entry + 1, guards.margin_exit, lambda price: risk.must_exit(position, price, mmr)
        )
        self._limits[number] = [NEVER if event is None else event for event in (fatal, forced)]
        return number


def _places(number: Decimal) -> int:
    """Return the exponent of the last digit of a number that is not zero, 0 if that is before the point."""
    return min(int(number.normalize(EXACT).as_tuple().exponent), 0)


def _slot_units(config: RunConfig) -> int:
    """Return the least cash, in units of 1e-8, that covers a slot."""
    capital = WIDE.multiply(config.initial_capital, config.allocation)
    slots = Decimal(config.max_simultaneous_positions)
    return int(WIDE.divide(WIDE.multiply(capital, UNITS_PER_QUOTE), slots).to_integral_value(ROUND_CEILING))
