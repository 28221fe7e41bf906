"""Round trips of one pair at any of its settlements, each of one slot of the initial capital."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple, cast

import numpy as np

from bot.accounting import formulas
from bot.accounting.cash_flows import FUNDING
from bot.accounting.closing import Exit, closed_trade
from bot.accounting.event_order import is_before_funding, last_due
from bot.accounting.margin import margin_model
from bot.config.run_config import RunConfig
from bot.market.window import ReplayWindow
from bot.models import (
    SPOT_PERP,
    CloseReason,
    Leg,
    MarkCandle,
    Position,
    SettlementView,
    Side,
    Ticker,
    closing_order,
    opening_order,
)
from bot.numbers.arrays import IntArray
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import MONEY_PLACES, ONE, ZERO
from bot.numbers.thresholds import ThresholdColumn
from bot.statistics.metrics import Units, from_units, money_units, packed
from bot.trading.contract_watch import ContractWatch
from bot.trading.factory import position_sizer

_SELL_SPOT = closing_order(SPOT_PERP.spot)
_PAYMENTS_AT_ONCE = 200_000


class _Opened(NamedTuple):
    """Hedge opened at settlement `entry`, and its trips by their rows: the longest lasts to `last`."""

    position: Position
    entry: int
    last: int
    rows: IntArray


class SlotTrips:
    """Prices round trips of one pair: filled, funded and liquidated by the rules of every run.

    Call inside `exact()`. Trips are named by the settlements of their entries and ends.
    """

    def __init__(self, config: RunConfig, window: ReplayWindow, symbol: str) -> None:
        self._config, self._window, self._symbol = config, window, symbol
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
        self._candles: dict[int, tuple[MarkCandle, ...]] = {}

    def net_pnls(self, entries: IntArray, ends: IntArray) -> Units:
        """Return the net P&L of each trip in units of 1e-8, 0 where nothing could be opened."""
        count = len(self.times_ms)
        trips, places = np.unique(entries * count + ends, return_inverse=True)
        return self._priced(trips // count, trips % count)[places]

    def _priced(self, entries: IntArray, ends: IntArray) -> Units:
        """Return `net_pnls` of distinct trips in ascending order."""
        nets = [0] * len(entries)
        firsts = np.flatnonzero(np.diff(entries, prepend=-1)).tolist()
        hedges = []
        for first, stop in zip(firsts, [*firsts[1:], len(entries)], strict=True):
            entry, last = int(entries[first]), int(ends[stop - 1])
            position = self._opened(entry)
            if position is not None:
                hedges.append(_Opened(position, entry, last, np.arange(first, stop)))
        left: list[tuple[_Opened, Units]] = []
        for opened, funding in self._funded(hedges):
            end = self._interruption(opened.position, int(self.times_ms[opened.last]))
            rows = opened.rows
            if end is not None:
                ended = self.times_ms[ends[rows]] >= end.closed_at_ms
                net = self._interrupted(opened.position, end, funding)
                for row in rows[ended].tolist():
                    nets[row] = net
                rows = rows[~ended]
            if len(rows):
                left.append((opened._replace(rows=rows), funding[ends[rows] - opened.entry]))
        if left:
            rows = np.concatenate([opened.rows for opened, _ in left])
            for row, net in zip(rows.tolist(), self._left(left, ends[rows]), strict=True):
                nets[row] = net
        return packed(nets)

    def _funded(self, hedges: Sequence[_Opened]) -> Iterator[tuple[_Opened, Units]]:
        """Yield each hedge with its running funding (1e-8), by settlements after its entry."""
        first, payments = 0, 0
        for place, opened in enumerate(hedges):
            payments += opened.last - opened.entry
            if payments >= _PAYMENTS_AT_ONCE or place == len(hedges) - 1:
                some = hedges[first : place + 1]
                yield from zip(some, self._running(some), strict=True)
                first, payments = place + 1, 0

    def _running(self, hedges: Sequence[_Opened]) -> list[Units]:
        # All in a row; each begins with the settlement at its entry: its funding is not due, and comes off.
        counts = np.array([opened.last + 1 - opened.entry for opened in hedges])
        begins = np.append(0, np.cumsum(counts))
        which = np.arange(len(hedges)).repeat(counts)
        entries = np.array([opened.entry for opened in hedges])
        settlements = np.arange(begins[-1]) + (entries - begins[:-1])[which]
        quantities = ExactArray.from_decimals([opened.position.quantity for opened in hedges])
        booked = formulas.funding_payment(SPOT_PERP.perp, self._unit_funding[settlements], quantities[which])
        sums = booked.running().whole(MONEY_PLACES)
        return [cast("Units", sums[begin:end] - sums[begin]) for begin, end in pairwise(begins.tolist())]

    def _left(self, held: Sequence[tuple[_Opened, Units]], last: IntArray) -> list[int]:
        """Return the net P&L (1e-8) of trips that are left at the prices of their ends `last`."""
        which = np.arange(len(held)).repeat([len(opened.rows) for opened, _ in held])
        positions = [opened.position for opened, _ in held]
        quantity, perp_entry, cost, paid = (
            ExactArray.from_decimals([getattr(position, name) for position in positions])[which]
            for name in ("quantity", "perp_entry", "spot_cost", "entry_fees")
        )
        spot, spot_fee = self._closed(Leg.SPOT, quantity, self._spot[last], last)
        perp, perp_fee = self._closed(Leg.PERP, quantity, self._perp[last], last)
        fees = paid + spot_fee + perp_fee
        perp_pnl = formulas.leg_pnl(SPOT_PERP.perp, quantity, perp_entry, perp)
        price = formulas.price_pnl(SPOT_PERP.spot, quantity, cost, spot, perp_pnl)
        funding = np.concatenate([funding for _, funding in held])
        booked = price.whole(MONEY_PLACES).astype(object), fees.whole(MONEY_PLACES).astype(object)
        return cast("list[int]", formulas.net_pnl(booked[0], funding.astype(object), booked[1]).tolist())

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
            candle = self._margin.fatal_candle(position, self._candles_at(place))
            if candle is not None:
                return candle.ticker
            place += 1
        return None

    def _candles_at(self, place: int) -> tuple[MarkCandle, ...]:
        """Return the mark candles that closed with the one at a place, read once."""
        if place not in self._candles:
            at_ms = int(self._mark_closed_ms[place])
            self._candles[place] = tuple(self._window.mark_candles(self._symbol, at_ms - 1, at_ms))
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
