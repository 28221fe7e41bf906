"""Round trips of one pair at any of its settlements, each of one slot of the initial capital."""

from decimal import Decimal
from typing import NamedTuple, cast

import numpy as np

from bot.accounting import formulas
from bot.accounting.cash_flows import FUNDING
from bot.accounting.closing import Exit, closed_trade
from bot.accounting.event_order import is_before_funding, last_due
from bot.accounting.fees import FeeCalculator
from bot.accounting.fill_model import FillModel
from bot.accounting.margin import margin_model
from bot.backtest.executor import BacktestExecutor
from bot.config.run_config import RunConfig
from bot.market.tickers import TickerService
from bot.market.window import ReplayWindow
from bot.models import SPOT_PERP, CloseReason, Leg, Position, SettlementView, Ticker, closing_order
from bot.numbers.arrays import IntArray
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import MONEY_PLACES, ONE, ZERO
from bot.numbers.thresholds import ThresholdColumn
from bot.statistics.metrics import Units, from_units, money_units, packed
from bot.trading.contract_watch import ContractWatch
from bot.trading.factory import position_sizer
from bot.trading.position_manager import PositionManager
from bot.trading.tracker import PnLTracker

_SELL_SPOT, _BUY_PERP = closing_order(SPOT_PERP.spot), closing_order(SPOT_PERP.perp)


class _Opened(NamedTuple):
    """Hedge opened at a settlement, its running funding (1e-8) by later ones, and its end by the exchange.

    `ends_ms` and `net` (1e-8) are those of a liquidation or of the end of the contract; None without one.
    """

    position: Position
    funding: Units
    ends_ms: int | None
    net: int | None


class SlotTrips:
    """Prices round trips of one pair: filled, funded and liquidated by the rules of every run.

    Call inside `exact()`. Trips are named by the settlements of their entries and ends.
    """

    def __init__(self, config: RunConfig, window: ReplayWindow, symbol: str) -> None:
        self._config, self._window, self._symbol = config, window, symbol
        self._fills, self._fees = FillModel(config.slippage), FeeCalculator(config.fees)
        self._tickers, self._sizer = TickerService(), position_sizer(config)
        self._margin = margin_model(window.instruments[symbol], config.margin_exit_ratio)
        self._contracts = ContractWatch(window.ends_for(config), self._fees)
        series, marks = window.event_series(symbol), window.mark_columns(symbol)
        settles = np.flatnonzero(series.settles)
        self.times_ms: IntArray = window.calendar.times_ms[settles]
        self._views = _views(window, symbol)
        self._spot, self._perp = ExactArray.of(series.spot)[settles], ExactArray.of(series.perp)[settles]
        unit_funding, pays = series.unit_funding, series.pays[settles]
        paid = np.where(pays, unit_funding.mantissas[settles], 0)
        self._unit_funding = ExactArray(paid, unit_funding.exponent, unit_funding.bound)
        self._mark_closed_ms, self._mark_high = marks.closed_ms, ThresholdColumn(marks.high)

    def net_pnls(self, entries: IntArray, ends: IntArray) -> Units:
        """Return the net P&L of each trip in units of 1e-8, 0 where nothing could be opened."""
        count = len(self.times_ms)
        trips, places = np.unique(entries * count + ends, return_inverse=True)
        return self._priced(trips // count, trips % count)[places]

    def _priced(self, entries: IntArray, ends: IntArray) -> Units:
        """Return `net_pnls` of distinct trips in ascending order."""
        nets = [0] * len(entries)
        held: list[tuple[_Opened, IntArray]] = []
        firsts = np.flatnonzero(np.diff(entries, prepend=-1)).tolist()
        for first, stop in zip(firsts, [*firsts[1:], len(entries)], strict=True):
            opened = self._opened(int(entries[first]), int(ends[stop - 1]))
            if opened is None:
                continue
            rows = np.arange(first, stop)
            if opened.ends_ms is not None:
                ended = self.times_ms[ends[rows]] >= opened.ends_ms
                for row in rows[ended].tolist():
                    nets[row] = opened.net or 0
                rows = rows[~ended]
            if len(rows):
                held.append((opened, rows))
        if held:
            left = self._left(held, entries, ends)
            for row, net in zip(np.concatenate([rows for _, rows in held]).tolist(), left, strict=True):
                nets[row] = net
        return packed(nets)

    def _left(self, held: list[tuple[_Opened, IntArray]], entries: IntArray, ends: IntArray) -> list[int]:
        """Return the net P&L (1e-8) of trips that are left at the prices of their ends."""
        which = np.arange(len(held)).repeat([len(rows) for _, rows in held])
        positions = [opened.position for opened, _ in held]
        quantity, perp_entry, cost, paid = (
            ExactArray.from_decimals([getattr(position, name) for position in positions])[which]
            for name in ("quantity", "perp_entry", "spot_cost", "entry_fees")
        )
        last = ends[np.concatenate([rows for _, rows in held])]
        spot = self._fills.price(_SELL_SPOT, self._spot[last])
        perp = self._fills.price(_BUY_PERP, self._perp[last])
        fees = paid + self._fees.fee(Leg.SPOT, quantity, spot) + self._fees.fee(Leg.PERP, quantity, perp)
        perp_pnl = formulas.leg_pnl(SPOT_PERP.perp, quantity, perp_entry, perp)
        price = formulas.price_pnl(SPOT_PERP.spot, quantity, cost, spot, perp_pnl)
        funding = np.concatenate([opened.funding[ends[rows] - entries[rows]] for opened, rows in held])
        booked = price.whole(MONEY_PLACES).astype(object), fees.whole(MONEY_PLACES).astype(object)
        return cast("list[int]", formulas.net_pnl(booked[0], funding.astype(object), booked[1]).tolist())

    def _opened(self, entry: int, last: int) -> _Opened | None:
        """Return the hedge that a slot opens at a settlement, funded up to another; None without one."""
        view = self._views[entry]
        ticker, capital = view.ticker, self._config.initial_capital
        if not ticker.fresh or not self._contracts.lives(view):
            return None
        quantity = self._sizer.quantity(ticker, view.instrument, capital, ONE, capital, ZERO)
        if not quantity:
            return None
        self._tickers.show({self._symbol: ticker})
        executor = BacktestExecutor(self._tickers, self._fills, self._fees)
        manager = PositionManager(executor, PnLTracker(capital), self._config.perp_leverage)
        position = manager.open(self._symbol, quantity)
        if position is None:
            return None
        per_unit = self._unit_funding[slice(entry + 1, last + 1)]
        booked = formulas.funding_payment(SPOT_PERP.perp, per_unit, quantity)
        funding = np.concatenate([[0], booked.running().whole(MONEY_PLACES)])
        end = self._interruption(position, int(self.times_ms[last]))
        net = None if end is None else self._interrupted(position, end, funding)
        return _Opened(position, funding, None if end is None else end.closed_at_ms, net)

    def _interruption(self, position: Position, until_ms: int) -> Exit | None:
        """Return the end that the exchange makes of a hedge by `until_ms`, None if it does not."""
        contract = self._contracts.due(self._symbol, position.opened_at_ms, until_ms)
        liquidated = self._liquidated_at(position, until_ms if contract is None else contract.at_ms)
        if liquidated is not None:
            price, fee = self._sold(position, liquidated)
            return Exit(liquidated.t_ms, price, None, fee, CloseReason.LIQUIDATION)
        if contract is None:
            return None
        price, fee = self._sold(position, contract.ticker)
        perp = self._contracts.settled(position, contract)
        return Exit(contract.at_ms, price, perp.price, fee + perp.fee, CloseReason.DELISTED)

    def _liquidated_at(self, position: Position, until_ms: int) -> Ticker | None:
        """Return the prices at which a hedge is liquidated by `until_ms`, None if it is not."""
        guard, closed_ms = self._margin.guards(position).liquidation, self._mark_closed_ms
        place = int(np.searchsorted(closed_ms, position.opened_at_ms, side="right"))
        while (place := self._mark_high.first_at_least(guard, place)) < len(closed_ms):
            at_ms = int(closed_ms[place])
            if at_ms > until_ms:
                return None
            candles = self._window.mark_candles(self._symbol, at_ms - 1, at_ms)
            candle = self._margin.fatal_candle(position, candles)
            if candle is not None:
                return candle.ticker
            place += 1
        return None

    def _sold(self, position: Position, ticker: Ticker) -> tuple[Decimal, Decimal]:
        """Return fill price and fee of a spot leg that is sold as the exchange takes the perp leg."""
        if ticker.spot is None:
            raise ValueError(f"{self._symbol} was opened without a spot price")
        price = self._fills.price(_SELL_SPOT, ticker.spot)
        return price, self._fees.fee(Leg.SPOT, position.quantity, price)

    def _interrupted(self, position: Position, end: Exit, funding: Units) -> int:
        """Return the net P&L (1e-8) of a hedge that the exchange ends."""
        due_ms = last_due(end.closed_at_ms, before_funding=is_before_funding(end.reason))
        entry, last = np.searchsorted(self.times_ms, [position.opened_at_ms, due_ms], side="right") - 1
        payments = int(last - entry)
        flows = {FUNDING.name: from_units(int(funding[payments]))}
        return money_units(closed_trade(position, flows, payments, end).net_pnl)


def _views(window: ReplayWindow, symbol: str) -> list[SettlementView]:
    """Return the settlements of a pair in a window, oldest first."""
    settled = (view for event in window.events for view in event.settlements)
    return [view for view in settled if view.funding.symbol == symbol]
