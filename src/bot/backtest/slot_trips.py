"""Round trips of one pair at any of its settlements, each of one slot of the initial capital."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Self, cast

import numpy as np

from bot.accounting import formulas
from bot.accounting.cash_flows import FUNDING
from bot.accounting.closing import Exit, closed_trade
from bot.accounting.margin import margin_model
from bot.backtest.baseline import account_of
from bot.config.run_config import RunConfig
from bot.market.window import ReplayWindow
from bot.models import (
    SPOT_PERP,
    CloseReason,
    ContractEnd,
    Leg,
    MarkCandle,
    Position,
    SettlementView,
    Side,
    Ticker,
    closing_order,
    opening_order,
)
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.columns import DecimalColumn
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import MONEY_PLACES, ONE, ZERO
from bot.numbers.numbering import occurring
from bot.numbers.thresholds import ThresholdColumn
from bot.statistics.metrics import Units, addable, fitting, from_units, money_units
from bot.trading.contract_watch import ContractWatch
from bot.trading.factory import position_sizer

_SELL_SPOT = closing_order(SPOT_PERP.spot)
_PAYMENTS_AT_ONCE = 40_000
_PRICED = ("quantity", "perp_entry", "spot_cost", "entry_fees")
"""Amounts of a hedge that its trips are priced by."""
_MOST_PAYMENTS = 500_000
"""Payments of an account that are held, 8 bytes each."""
_SETTLEMENT_BYTES = 1_000
_MOST_BYTES = 8_000_000
"""Bytes of the accounts that are held, about: of their settlements, and of the payments of their hedges."""
_NEVER_MS = int(np.iinfo(np.int64).max)


class _End(NamedTuple):
    """End that the exchange makes of a hedge: a liquidation at a ticker, or that of its contract."""

    at_ms: int
    by: Ticker | ContractEnd


class _Hedges:
    """Hedges of one slot by the settlement of their entry, as columns.

    `rows` has the row of each settlement, -1 where nothing was opened; `known` masks those that were tried.
    `end_ms` is when the exchange ends a hedge, past all times if it does not. Its running funding (1e-8)
    stands in `funding` from `begins` on, until the settlement `paid_until`, -1 before it was worked out.
    """

    def __init__(self, settlements: int) -> None:
        self.rows: IntArray = np.full(settlements, -1)
        self.known: BoolArray = np.zeros(settlements, dtype=bool)
        self.entries: IntArray = np.empty(0, dtype=np.int64)
        self.end_ms: IntArray = np.empty(0, dtype=np.int64)
        self.begins: IntArray = np.empty(0, dtype=np.int64)
        self.paid_until: IntArray = np.empty(0, dtype=np.int64)
        self.funding: Units = np.empty(0, dtype=np.int64)
        self.ends: dict[int, tuple[Position, _End]] = {}
        self.columns = {name: DecimalColumn.from_decimals(()) for name in _PRICED}

    def add(self, opened: Sequence[tuple[int, Position, _End | None]]) -> None:
        """Add hedges by the settlement of their entry."""
        for row, (entry, position, end) in enumerate(opened, len(self.end_ms)):
            self.rows[entry] = row
            if end is not None:
                self.ends[entry] = position, end
        end_ms = [_NEVER_MS if end is None else end.at_ms for _, _, end in opened]
        self.entries = np.append(self.entries, np.array([one[0] for one in opened], dtype=np.int64))
        self.end_ms = np.append(self.end_ms, np.array(end_ms, dtype=np.int64))
        self.begins = np.append(self.begins, np.zeros(len(opened), dtype=np.int64))
        self.paid_until = np.append(self.paid_until, np.full(len(opened), -1))
        for name, held in self.columns.items():
            more = DecimalColumn.from_decimals([getattr(position, name) for _, position, _ in opened])
            self.columns[name] = DecimalColumn.concat([held, more])

    def add_funding(self, rows: IntArray, begins: IntArray, until: IntArray, funding: Units) -> None:
        """Add the running funding of hedges, each from its place in `funding` until a settlement."""
        self.begins[rows], self.paid_until[rows] = begins + len(self.funding), until
        self.funding = np.concatenate([self.funding, funding]) if len(self.funding) else funding

    def forget_funding(self) -> None:
        """Forget the funding of every hedge."""
        self.funding = self.funding[:0]
        self.paid_until[:] = -1

    def values(self, name: str, rows: IntArray) -> ExactArray:
        """Return an amount of the hedges at `rows`."""
        return ExactArray.of(self.columns[name])[rows]


class SlotTrips:
    """Prices round trips of one pair: filled, funded and liquidated by the rules of every run.

    Call inside `exact()`. Trips are named by the settlements of their entries and ends. Hedges are opened
    once, for all trips that are priced.
    """

    def __init__(self, config: RunConfig, window: ReplayWindow, symbol: str) -> None:
        self._config, self._symbol = config, symbol
        self._costs = window.costs(config)
        self._sizer = position_sizer(config, self._costs)
        self._margin = margin_model(window.instruments[symbol], config.margin_exit_ratio)
        self._contracts = ContractWatch(window.ends_for(config), self._costs.fees)
        series, marks = window.event_series(symbol), window.mark_columns(symbol)
        settles = np.flatnonzero(series.settles)
        self.times_ms: IntArray = window.calendar.times_ms[settles]
        self._views = _views(window, symbol)
        self._spot, self._perp = ExactArray.of(series.spot)[settles], ExactArray.of(series.perp)[settles]
        unit_funding, pays = series.unit_funding, series.pays[settles]
        paid = np.where(pays, unit_funding.mantissas[settles], 0)
        self._unit_funding = ExactArray(paid, unit_funding.exponent, unit_funding.bound)
        self._mark_closed_ms, self._mark_high = marks.closed_ms, ThresholdColumn(marks.high)
        self._mark_candles = window.candle_reader(symbol)
        self._candles: dict[int, tuple[MarkCandle, ...]] = {}
        self._hedges = _Hedges(len(settles))

    @property
    def held_bytes(self) -> int:
        """Memory that it takes, about."""
        return _SETTLEMENT_BYTES * len(self.times_ms) + self._hedges.funding.nbytes

    def net_pnls(self, entries: IntArray, ends: IntArray) -> Units:
        """Return the net P&L of each trip in units of 1e-8, 0 where nothing could be opened."""
        count = len(self.times_ms)
        trips, places = np.unique(entries * count + ends, return_inverse=True)
        return self._priced(trips // count, trips % count)[places]

    def _priced(self, entries: IntArray, ends: IntArray) -> Units:
        """Return `net_pnls` of distinct trips in ascending order."""
        self._open(occurring(entries))
        nets: Units = np.zeros(len(entries), dtype=np.int64)
        opened = np.flatnonzero(self._hedges.rows[entries] >= 0)
        for some in self._parted(opened, entries, ends):
            first, last = entries[some], ends[some]
            end_ms = self._hedges.end_ms[self._hedges.rows[first]]
            ended = self.times_ms[last] >= end_ms
            # What ends at a moment ends before its settlement, which is not due any more.
            due = np.where(ended, np.searchsorted(self.times_ms, end_ms) - 1, last)
            funding = self._funding(first, due)
            by_exchange = self._interrupted(first[ended], (due - first)[ended], funding[ended])
            left = self._left(first[~ended], last[~ended], funding[~ended])
            for rows, own in ((some[ended], by_exchange), (some[~ended], left)):
                nets = nets.astype(object, copy=False) if own.dtype == object else nets
                nets[rows] = own
        return fitting(nets)

    def _open(self, entries: IntArray) -> None:
        """Open the hedges of those of these settlements at which none was priced yet."""
        fresh = entries[~self._hedges.known[entries]]
        if not len(fresh):
            return
        found = [(entry, position) for entry in fresh.tolist() if (position := self._opened(entry))]
        self._hedges.add([(entry, position, self._end(position)) for entry, position in found])
        self._hedges.known[fresh] = True

    @staticmethod
    def _parted(trips: IntArray, entries: IntArray, ends: IntArray) -> Iterator[IntArray]:
        """Yield trips in parts whose hedges are paid so often that their payments fit into memory."""
        if not len(trips):
            return
        firsts = np.flatnonzero(np.diff(entries[trips], prepend=-1))
        longest = np.append(firsts[1:], len(trips)) - 1
        paid = np.cumsum(ends[trips[longest]] - entries[trips[firsts]])
        parts = np.flatnonzero(np.diff(paid // _PAYMENTS_AT_ONCE, prepend=0)).tolist()
        yield from np.split(trips, firsts[[part for part in parts if part]])

    def _funding(self, entries: IntArray, due: IntArray) -> Units:
        """Return the funding (1e-8) of trips, ascending, from the settlement after entry to `due`."""
        rows = self._hedges.rows[entries]
        if np.any(due > self._hedges.paid_until[rows]):
            self._pay(rows, due)
        begins, funding = self._hedges.begins[rows], self._hedges.funding
        return cast("Units", funding[begins + due - entries] - funding[begins])

    def _pay(self, rows: IntArray, due: IntArray) -> None:
        """Work out the funding of hedges, ascending, until `due` where it is not yet known so far."""
        firsts = np.flatnonzero(np.diff(rows, prepend=-1))
        paid, until = rows[firsts], np.maximum.reduceat(due, firsts)
        later = until > self._hedges.paid_until[paid]
        held = len(self._hedges.funding)
        if held + int((until + 1 - self._hedges.entries[paid])[later].sum()) > _MOST_PAYMENTS:
            self._hedges.forget_funding()
        else:
            paid, until = paid[later], until[later]
        # All in a row; each begins with the settlement at its entry: its funding is not due, and comes off.
        entries = self._hedges.entries[paid]
        counts = until + 1 - entries
        begins = np.cumsum(counts) - counts
        settlements = np.arange(counts.sum()) + (entries - begins).repeat(counts)
        quantities = self._hedges.values("quantity", paid.repeat(counts))
        booked = formulas.funding_payment(SPOT_PERP.perp, self._unit_funding[settlements], quantities)
        self._hedges.add_funding(paid, begins, until, booked.running().whole(MONEY_PLACES))

    def _left(self, entries: IntArray, last: IntArray, funding: Units) -> Units:
        """Return the net P&L (1e-8) of trips that are left at the prices of their ends `last`."""
        rows = self._hedges.rows[entries]
        quantity, perp_entry, cost, paid = (self._hedges.values(name, rows) for name in _PRICED)
        spot, spot_fee = self._closed(Leg.SPOT, quantity, self._spot[last], last)
        perp, perp_fee = self._closed(Leg.PERP, quantity, self._perp[last], last)
        fees = paid + spot_fee + perp_fee
        perp_pnl = formulas.leg_pnl(SPOT_PERP.perp, quantity, perp_entry, perp)
        price = formulas.price_pnl(SPOT_PERP.spot, quantity, cost, spot, perp_pnl)
        booked: Any = addable(price.whole(MONEY_PLACES), funding, fees.whole(MONEY_PLACES))
        return cast("Units", formulas.net_pnl(*booked))

    def _opened(self, entry: int) -> Position | None:
        """Return the hedge that a slot opens at a settlement; None without one."""
        view = self._views[entry]
        ticker, capital = view.ticker, self._config.initial_capital
        if not ticker.fresh or not self._contracts.lives(view):
            return None
        quantity = self._sizer.quantity(ticker, view.instrument, capital, ONE, capital, ZERO)
        if not quantity or ticker.spot is None or ticker.perp is None:
            return None
        spot, spot_fee = self._entered(Leg.SPOT, quantity, ticker.spot, ticker.t_ms)
        perp, perp_fee = self._entered(Leg.PERP, quantity, ticker.perp, ticker.t_ms)
        cost = formulas.notional(quantity, spot)
        margin = formulas.locked_margin(quantity, perp, self._config.perp_leverage)
        return Position(self._symbol, ticker.t_ms, quantity, spot, perp, cost, margin, spot_fee + perp_fee)

    def _end(self, position: Position) -> _End | None:
        """Return the end that the exchange makes of a hedge in the window, None if it makes none."""
        until_ms = int(self.times_ms[-1])
        contract = self._contracts.due(self._symbol, position.opened_at_ms, until_ms)
        liquidated = self._liquidated_at(position, until_ms if contract is None else contract.at_ms)
        if liquidated is not None:
            return _End(liquidated.t_ms, liquidated)
        return None if contract is None else _End(contract.at_ms, contract)

    def _exit(self, position: Position, end: _End) -> Exit:
        if isinstance(end.by, Ticker):
            price, fee = self._sold(position, end.by)
            return Exit(end.at_ms, price, None, fee, CloseReason.LIQUIDATION)
        price, fee = self._sold(position, end.by.ticker)
        perp = self._contracts.settled(position, end.by)
        return Exit(end.at_ms, price, perp.price, fee + perp.fee, CloseReason.DELISTED)

    def _liquidated_at(self, position: Position, until_ms: int) -> Ticker | None:
        """Return the prices at which a hedge is liquidated by `until_ms`, None if it is not."""
        guard, closed_ms = self._margin.liquidation_guard(position), self._mark_closed_ms
        place = int(np.searchsorted(closed_ms, position.opened_at_ms, side="right"))
        while (place := self._mark_high.first_at_least(guard, place)) < len(closed_ms):
            at_ms = int(closed_ms[place])
            if at_ms > until_ms:
                return None
            candle = self._margin.fatal_candle(position, self._candles_at(place))
            if candle is not None:
                return candle.ticker
            place += 1
        return None

    def _candles_at(self, place: int) -> tuple[MarkCandle, ...]:
        """Return the mark candles that closed with the one at a place, read once."""
        if place not in self._candles:
            at_ms = int(self._mark_closed_ms[place])
            self._candles[place] = tuple(self._mark_candles(at_ms - 1, at_ms))
        return self._candles[place]

    def _sold(self, position: Position, ticker: Ticker) -> tuple[Decimal, Decimal]:
        """Return fill price and fee of a spot leg that is sold as the exchange takes the perp leg."""
        if ticker.spot is None:
            raise ValueError(f"{self._symbol} was opened without a spot price")
        return self._filled(Leg.SPOT, _SELL_SPOT, position.quantity, (ticker.spot, ticker.t_ms), maker=False)

    def _entered(self, leg: Leg, quantity: Decimal, price: Decimal, t_ms: int) -> tuple[Decimal, Decimal]:
        """Return fill price and fee of opening a leg."""
        side = opening_order(SPOT_PERP.side(leg))
        return self._filled(leg, side, quantity, (price, t_ms), maker=self._costs.style.opens(leg))

    def _closed(
        self, leg: Leg, quantity: ExactArray, price: ExactArray, last: IntArray
    ) -> tuple[ExactArray, ExactArray]:
        """Return fill prices and fees of closing legs on a signal at the settlements `last`."""
        side, maker = closing_order(SPOT_PERP.side(leg)), self._costs.style.closes(leg, CloseReason.SIGNAL)
        fees, filled = self._costs.fees, self._costs.fills.price(side, price, maker=maker)
        if not fees.varies:
            return filled, fees.fee(leg, quantity, filled, maker=maker)
        # Trips are alternatives to each other: none counts the volume that another one trades.
        rates = [fees.rate(leg, maker=maker, t_ms=t_ms) for t_ms in self.times_ms[last].tolist()]
        return filled, formulas.fee(quantity, filled, ExactArray.from_decimals(rates))

    def _filled(
        self, leg: Leg, side: Side, quantity: Decimal, last: tuple[Decimal, int], *, maker: bool
    ) -> tuple[Decimal, Decimal]:
        """Return fill price and fee of an order at a last price and its time, ms UTC."""
        price, t_ms = last
        filled = self._costs.fills.price(side, price, maker=maker)
        return filled, self._costs.fees.fee(leg, quantity, filled, maker=maker, t_ms=t_ms)

    def _interrupted(self, entries: IntArray, payments: IntArray, funding: Units) -> Units:
        """Return the net P&L (1e-8) of trips, ascending, whose hedges the exchange ends."""
        known: dict[int, int] = {}
        for entry, count, paid in zip(entries.tolist(), payments.tolist(), funding.tolist(), strict=True):
            if entry not in known:
                position, end = self._hedges.ends[entry]
                flows = {FUNDING.name: from_units(paid)}
                known[entry] = money_units(
                    closed_trade(position, flows, count, self._exit(position, end)).net_pnl
                )
        return fitting(np.array([known[entry] for entry in entries.tolist()], dtype=object))


class SlotPrices:
    """`SlotTrips` of the accounts of one window, whose hedges are opened once for all runs of an account.

    Bounded by the memory that they take, the least recently used forgotten first.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Any, ...], SlotTrips] = OrderedDict()

    @classmethod
    def shared(cls, window: ReplayWindow) -> Self:
        """Return those that all runs of a window share."""
        return window.shared.get("slot prices", cls)

    def of(self, config: RunConfig, window: ReplayWindow, symbol: str) -> SlotTrips:
        """Return the trips of a pair by the account of `config`. Call inside `exact()`."""
        if config.fee_model != "flat":  # such fees depend on what was priced before
            return SlotTrips(config, window, symbol)
        key = symbol, account_of(config)
        if key not in self._known:
            self._known[key] = SlotTrips(config, window, symbol)
        self._known.move_to_end(key)
        while len(self._known) > 1 and sum(one.held_bytes for one in self._known.values()) > _MOST_BYTES:
            self._known.popitem(last=False)
        return self._known[key]


def _views(window: ReplayWindow, symbol: str) -> list[SettlementView]:
    """Return the settlements of a pair in a window, oldest first."""
    settled = (view for event in window.events for view in event.settlements)
    return [view for view in settled if view.funding.symbol == symbol]
