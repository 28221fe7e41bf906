"""Round trips of one hedge at any of its settlements, each of one slot of the initial capital."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from copy import copy
from itertools import groupby

import numpy as np

from bot.backtest.random_runs import Moments
from bot.config.run_config import RunConfig
from bot.hedges.account import HedgeAccount
from bot.hedges.contracts import Record
from bot.hedges.costs import OrderCosts
from bot.hedges.engine import hedge_trader
from bot.hedges.evidence.trip_columns import TripColumns, has_columns, untouched_until
from bot.hedges.positions import OpenHedge, OpenLeg, lag_over
from bot.hedges.settlements import Settlement
from bot.hedges.trader import HedgeTrader
from bot.hedges.wallets import Wallets
from bot.hedges.window import HedgeWindow
from bot.models import HOUR_MS, CloseReason
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.money import ONE
from bot.statistics.metrics import Units, fitting, money_units


class HedgeTrips:
    """Prices round trips of one hedge by the rules of every run, its margin policy included.

    Call inside `exact_products()`. Trips are named by the settlements of their entries and ends; `moments`
    has those, an entry being filled at none at which it cannot be decided. Each trip is alone on its account.
    """

    def __init__(self, config: RunConfig, window: HedgeWindow, name: str) -> None:
        self._config = config
        [self._market] = [market for market in window.markets(config) if market.name == name]
        known = {one.t_ms: one for one in window.settlements(config) if one.name == name}
        times = sorted(self._market.settled_ms.intersection(window.calendar.moments))
        self._settlements = [known.get(t_ms) for t_ms in times]
        self._trader = hedge_trader(config, window, _SlotTrader)
        self._trader.events = window.calendar.moments
        self._last_ms = window.calendar.moments[-1]
        costs = self._trader.account.costs
        self._columns = TripColumns(costs, self._market.legs, window.calendar.moments)
        at, lag = list(zip(times, self._settlements, strict=True)), config.fill_lag_candles
        left = np.array([self._filled_at(one, t_ms, lag) for t_ms, one in at], dtype=np.int64)
        # Where candles are missing several decisions are filled at once, and an older one not after a newer.
        left = np.minimum.accumulate(left[::-1])[::-1]
        may_enter = [one is not None and one.decides(config.max_price_age_ms) for _, one in at]
        entered = np.maximum.accumulate(np.where(may_enter, left, -1))
        self.moments = Moments(np.array(times, dtype=np.int64), entered, left)

    def net_pnls(self, entries: IntArray, ends: IntArray) -> Units:
        """Return the net P&L of each trip in units of 1e-8, 0 where nothing could be opened."""
        count = max(1, len(self.moments.times_ms))
        trips, places = np.unique(entries * count + ends, return_inverse=True)
        nets = np.zeros(len(trips), dtype=object)
        walked = np.ones(len(trips), dtype=np.bool_)
        if has_columns(self._config, self._market.legs):
            walked = self._price(trips // count, trips % count, nets)
        left = np.flatnonzero(walked)
        for entry, own in groupby(left.tolist(), key=lambda place: int(trips[place]) // count):
            these = list(own)
            nets[these] = self._walked(entry, (trips[these] % count).tolist())
        return fitting(nets[places])

    def _price(self, entries: IntArray, ends: IntArray, nets: Units) -> BoolArray:
        """Put the net P&L of ascending trips that nothing interrupts into `nets`; mask the others."""
        left_ms = self.moments.left_ms[ends]
        firsts = np.flatnonzero(np.diff(entries, prepend=-1))
        stops = np.append(firsts[1:], len(entries))
        stresses = [one.at for one in self._config.stress]
        found: dict[tuple[int, int], list[tuple[int, int, OpenHedge]]] = {}
        walked = np.zeros(len(entries), dtype=np.bool_)
        for first, stop in zip(firsts.tolist(), stops.tolist(), strict=True):
            hedge = self._opened(int(entries[first]))
            if hedge is None:
                continue
            until_ms = untouched_until(hedge, stresses, int(left_ms[stop - 1]))
            whole = first + int(np.searchsorted(left_ms[first:stop], until_ms))
            walked[whole:stop] = True
            if whole > first:
                key = id(hedge.long.contract), id(hedge.short.contract)
                found.setdefault(key, []).append((first, whole, hedge))
        for opened in found.values():
            counts = [whole - first for first, whole, _ in opened]
            mine = np.concatenate([np.arange(first, whole) for first, whole, _ in opened])
            rows = np.arange(len(opened)).repeat(counts)
            nets[mine] = self._columns.net_pnls([hedge for *_, hedge in opened], rows, left_ms[mine])
        return walked

    def _opened(self, entry: int) -> OpenHedge | None:
        """Return a hedge entered at a settlement without a lag, None where nothing is opened."""
        settlement = self._settlements[entry]
        if settlement is None:
            return None
        self._trader.begin(settlement)
        return next(iter(self._trader.account.hedges), None)

    def _walked(self, entry: int, ends: Sequence[int]) -> list[int]:
        """Return the net P&L (1e-8) of a hedge that is entered once, and left at each of ascending ends."""
        trader, settlement, nets = self._trader, self._settlements[entry], list[int]()
        if settlement is None:
            return [0] * len(ends)
        trader.begin(settlement)
        for end in ends:
            trader.go_on(int(self.moments.times_ms[end]))
            if not trader.may_be_left:
                last = trader.left(self._last_ms, self._last_ms)
                return nets + [last] * (len(ends) - len(nets))
            nets.append(trader.left_aside(int(self.moments.left_ms[end]), self._last_ms))
        return nets

    def _filled_at(self, one: Settlement | None, t_ms: int, lag: int) -> int:
        """Return when an exit is filled that is decided at `t_ms`, at the latest at the last event."""
        if not lag:
            return t_ms
        due_ms = None if one is None else lag_over(one.pair, t_ms, lag)
        return self._last_ms if due_ms is None else min(due_ms, self._last_ms)


class _SlotTrader(HedgeTrader):
    """Trader of an account that opens one hedge when it is told to, and leaves it when it is told to.

    `events` are those of the window, ms UTC.
    """

    events: Sequence[int]

    def make_account(self, wallets: Wallets, costs: OrderCosts) -> HedgeAccount:
        """Return the account, which counts no volume: trips are alternatives to each other."""
        self._beginning = dict(wallets.cash)
        costs.counts = False
        return super().make_account(wallets, costs)

    def begin(self, one: Settlement) -> None:
        """Open a hedge at a settlement with fresh prices, a carry and a contract that may be entered."""
        account = self.account
        account.hedges, account.waiting, account.trades = [], [], []
        account.payments, account.held_perps = [], []
        account.wallets.cash = dict(self._beginning)
        self.openings, self.closed_ms, self._ended = {}, {}, set()
        self.previous_ms = one.t_ms
        if one.decides(self._max_age_ms) and self._may_enter(one):
            self._try(self.markets[one.name], one, ONE)

    @property
    def may_be_left(self) -> bool:
        """True while the hedge is whole, or waits to be opened."""
        return bool(self.account.waiting) or any(hedge.is_whole for hedge in self.account.hedges)

    def go_on(self, until_ms: int) -> None:
        """Go on through a settlement, with the margin policy at the events before it."""
        if self._policy is not None:
            first = bisect_right(self.events, self.previous_ms or 0)
            for t_ms in self.events[first : bisect_left(self.events, until_ms)]:
                self._pass(t_ms)
                self._keep_margins(t_ms)
                self._finish()
        self._pass(until_ms)

    def left_aside(self, left_ms: int, last_ms: int) -> int:
        """Return the net P&L (1e-8) of leaving now, filled at `left_ms`; the hedge itself goes on."""
        account, policy = self.account, self._policy
        kept = [_copied(hedge) for hedge in account.hedges], list(account.waiting)
        cash, now = dict(account.wallets.cash), self.previous_ms
        net = self.left(left_ms, last_ms)
        account.hedges, account.waiting = kept
        account.wallets.cash, self.previous_ms = cash, now
        account.trades, account.held_perps = [], []
        if policy is not None and now is not None:
            self._keep_margins(now)
            self._finish()
        return net

    def left(self, left_ms: int, last_ms: int) -> int:
        """Return the net P&L (1e-8) of the hedge, left at `left_ms`, or later where a leg has gone before."""
        self._pass(left_ms)
        if left_ms < last_ms:
            for hedge in tuple(self.account.hedges):
                if hedge.is_whole:
                    self.account.close(hedge, CloseReason.SIGNAL, left_ms)
            self._finish()
            if self.account.hedges:
                self._pass(last_ms)
        if self.account.hedges:
            self._close_everything(last_ms, CloseReason.END)
        return sum(money_units(trade.net_pnl) for trade in self.account.trades)

    def book_funding(self, hedge: OpenHedge, leg: OpenLeg, record: Record, t_ms: int) -> None:
        """Book a settlement of an open leg, and observe nothing: trips have no metrics."""
        self.account.settle(hedge, leg, record, t_ms)

    def next_interest(self, now: int) -> None:  # noqa: ARG002
        """Wait for no interest: `_pass` charges every hour that nothing else happens in."""
        return

    def _pass(self, until_ms: int) -> None:
        """Go through all that happens up to a moment without a decision."""
        while self.previous_ms is not None and self.previous_ms < until_ms:
            now = self.previous_ms
            moment = self._next_moment(now, until_ms)
            if self.account.hedges:
                self._hold(now, moment)
            self._interrupt(moment)
            if self._is_event(moment):
                self._settle(moment)
            if moment < self.events[-1]:
                self._fill(moment)
            self._finish()
            self.previous_ms = moment

    def _hold(self, after_ms: int, before_ms: int) -> None:
        """Book the settlements and the interest in (after_ms, before_ms), in which nothing else happens."""
        for t_ms in self.events[bisect_right(self.events, after_ms) : bisect_left(self.events, before_ms)]:
            self._settle(t_ms)
        if any(leg.market.kind.borrows for hedge in self.account.hedges for leg in hedge.open_legs):
            for t_ms in range(after_ms - after_ms % HOUR_MS + HOUR_MS, before_ms, HOUR_MS):
                self.charge_interest(t_ms)

    def _is_event(self, t_ms: int) -> bool:
        place = bisect_left(self.events, t_ms)
        return place < len(self.events) and self.events[place] == t_ms


def _copied(hedge: OpenHedge) -> OpenHedge:
    found = copy(hedge)
    found.long, found.short = copy(hedge.long), copy(hedge.short)
    return found
