"""Trades as columns: each distinct one is closed once, by the formulas that close any hedge."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Self, cast

import numpy as np

from bot.accounting import formulas
from bot.accounting.cash_flows import BOOKED, net_flow
from bot.accounting.closing import Exit, closed_trade
from bot.backtest.batch.hedge_curves import HedgeCurves, HedgeExtremes, flows_until
from bot.backtest.batch.hedges import HedgeBook, HedgeColumns
from bot.backtest.batch.trade_search import LIQUIDATION, REASONS, decode_trades, last_collected, left_by
from bot.backtest.ledger_digest import REASONS as REASON_PLACES
from bot.backtest.ledger_digest import symbol_code
from bot.errors import ExecutionError
from bot.models import CloseReason, Leg, Position, Trade, closing_order
from bot.numbers.arrays import IntArray
from bot.numbers.exact_array import ExactArray
from bot.statistics.metrics import from_units, money_units
from bot.statistics.run_metrics import summands

Flows = Mapping[str, IntArray]
"""Cash flows of hedges by name, in units of 1e-8."""


@dataclass(frozen=True, slots=True, eq=False)
class TradeColumns:
    """Distinct trades, one per row; amounts in units of 1e-8.

    The hedge of each is row `hedges` of `curves`, its entry the cell `cells`.
    `last_collected` is the last settlement each collected, `last_seen` the last event not after its close.
    `missed` counts the settlements that are not in the data, `after_end` is what was booked after the
    contract had ended.
    """

    curves: HedgeCurves
    hedges: IntArray
    entries: IntArray
    ends: IntArray
    reasons: IntArray
    cells: IntArray
    last_collected: IntArray
    last_seen: IntArray
    held_ms: IntArray
    flows: Flows
    fees: IntArray
    price_pnl: IntArray
    net: IntArray
    missed: IntArray
    after_end: IntArray

    @classmethod
    def of(cls, book: HedgeBook, codes: IntArray) -> Self:
        """Close the trades of ascending `codes`. Call inside `exact()`."""
        numbers, ends, reasons = decode_trades(codes)
        newest = np.append(numbers, -1)[1:] != numbers
        place = np.cumsum(newest) - newest
        hedges = numbers[newest]
        curves = HedgeCurves.of(book, hedges, ends[newest])
        cells, opened = curves.first[place], curves.opened[place]
        collected = last_collected(ends, reasons)
        last = cells + collected - opened.entries
        flows = {name: running[last] for name, running in curves.flows.items()}
        closed = _Closed.of(book, opened, codes, flows)
        net = formulas.net_pnl(closed.price_pnl, net_flow(flows), closed.fees)
        when = opened.entries, ends, reasons, cells, collected, closed.seen, closed.held_ms
        missed = _missed(book, opened.entries, closed.held_ms, reasons)
        after_end = _after_end(book, curves, cells, opened, closed.held_ms, net)
        return cls(curves, place, *when, flows, closed.fees, closed.price_pnl, net, missed, after_end)

    def sums(self) -> dict[str, IntArray]:
        """Return the amounts that each trade adds to the totals of a run, by name."""
        amounts = {
            **self.flows,
            "payments": self.last_collected - self.entries,
            "price_pnl": self.price_pnl,
            "fees": self.fees,
            "held_ms": self.held_ms,
            "missed": self.missed,
            "after_end": self.after_end,
        }
        return cast("dict[str, IntArray]", summands(self.net, partial(left_by, self.reasons), amounts))

    def bookings(self, symbol: str, times_ms: IntArray) -> IntArray:
        """Return the ledger rows of the trades, as `ledger_digest` takes them."""
        opened_ms = times_ms[self.entries]
        closed_ms = opened_ms + self.held_ms
        reasons = np.array([REASON_PLACES[reason] for reason in REASONS], dtype=np.int64)[self.reasons]
        settled, amounts = self.last_collected - self.entries, self.sums()
        columns = (
            opened_ms,
            closed_ms,
            reasons,
            settled,
            *(amounts[name] for name in BOOKED),
        )
        codes = np.full(len(opened_ms), symbol_code(symbol), dtype=np.int64)
        return np.column_stack([codes, *columns])


@dataclass(frozen=True, slots=True, eq=False)
class TradeExtremes:
    """Peak, low and drawdown of an account's curve during each trade (1e-8 units).

    `high` is the highest equity while held, `last_held` the cell before the end; `low` and the deepest
    `drawdown` include the end. `by_cell` has the same for every event of every hedge.
    """

    by_cell: HedgeExtremes
    last_held: IntArray
    high: IntArray
    low: IntArray
    drawdown: IntArray

    @classmethod
    def of(cls, trades: TradeColumns, times_ms: IntArray) -> Self:
        """Measure each of `trades`; raises OverflowError where amounts would not fit."""
        by_cell = HedgeExtremes.of(trades.curves, times_ms)
        last_held = trades.cells + trades.ends - trades.entries - 1
        high = by_cell.high[last_held]
        low = np.minimum(by_cell.low[last_held], trades.net)
        drawdown = np.maximum(by_cell.drawdown[last_held], high - trades.net)
        return cls(by_cell, last_held, high, low, drawdown)


def net_pnls(book: HedgeBook, codes: IntArray) -> IntArray:
    """Return the net P&L of encoded trades, in units of 1e-8. Call inside `exact()`."""
    numbers, ends, reasons = decode_trades(codes)
    opened = book.hedges(numbers)
    flows = flows_until(book, opened, last_collected(ends, reasons))
    closed = _Closed.of(book, opened, codes, flows)
    return formulas.net_pnl(closed.price_pnl, net_flow(flows), closed.fees)


@dataclass(frozen=True, slots=True, eq=False)
class _Closed:
    """Closed hedges: fees of both ends and price P&L, the last event seen, time held."""

    fees: IntArray
    price_pnl: IntArray
    seen: IntArray
    held_ms: IntArray

    @classmethod
    def of(cls, book: HedgeBook, opened: HedgeColumns, codes: IntArray, flows: Flows) -> Self:
        """Close `opened` hedges with these cash flows by the trades `codes`."""
        _, ends, reasons = decode_trades(codes)
        times, entries = book.pair.times_ms, opened.entries
        seen, held_ms = ends.copy(), times[ends] - times[entries]
        fees, price_pnl = _normally(book, opened, ends)
        liquidated = np.flatnonzero(reasons == LIQUIDATION)
        if not len(liquidated):
            return cls(fees, price_pnl, seen, held_ms)
        for at, position in zip(liquidated.tolist(), positions(book, opened[liquidated]), strict=True):
            entry, end = int(entries[at]), int(ends[at])
            trade = _liquidated(book, position, entry, end, _quote(flows, at))
            fees[at], price_pnl[at] = money_units(trade.fees), money_units(trade.price_pnl)
            held_ms[at] = trade.closed_at_ms - trade.opened_at_ms
            seen[at] -= trade.closed_at_ms != times[end]
        return cls(fees, price_pnl, seen, held_ms)


def _normally(book: HedgeBook, opened: HedgeColumns, ends: IntArray) -> tuple[IntArray, IntArray]:
    """Return fees and price P&L of hedges closed at the events `ends`."""
    quantity, sides = opened.quantity, book.structure
    spot_exit, perp_exit = book.spot_exits[ends], book.perp_exits[ends]
    spot_fee = book.fees.fee(Leg.SPOT, quantity, spot_exit)
    perp_fee = book.fees.fee(Leg.PERP, quantity, perp_exit)
    perp_pnl = formulas.leg_pnl(sides.perp, quantity, opened.perp_entry, perp_exit)
    price_pnl = formulas.price_pnl(sides.spot, quantity, opened.spot_cost, spot_exit, perp_pnl)
    return (opened.entry_fees + spot_fee + perp_fee).units(), price_pnl.units()


def _liquidated(
    book: HedgeBook, position: Position, entry: int, end: int, flows: Mapping[str, Decimal]
) -> Trade:
    """Return the trade of a hedge that was liquidated between the events `end - 1` and `end`."""
    pair = book.pair
    candles = pair.window.mark_candles(pair.symbol, pair.events[end - 1].t_ms, pair.events[end].t_ms)
    fatal = book.margin.fatal_candle(position, candles)
    spot = None if fatal is None else fatal.ticker.spot
    if fatal is None or spot is None:
        raise ExecutionError(f"{pair.symbol} has no candle that liquidates, or no spot price to close at")
    price = book.fills.price(closing_order(position.structure.spot), spot)
    fee = book.fees.fee(Leg.SPOT, position.quantity, price)
    done = Exit(fatal.closed_at_ms, price, None, fee, CloseReason.LIQUIDATION)
    return closed_trade(position, flows, end - 1 - entry, done)


def _missed(book: HedgeBook, entries: IntArray, held_ms: IntArray, reasons: IntArray) -> IntArray:
    pair = book.pair
    missing = pair.window.missing.get(pair.symbol)
    if missing is None:
        return np.zeros(len(entries), dtype=np.int64)
    opened_ms = pair.times_ms[entries]
    return missing.within(opened_ms, last_collected(opened_ms + held_ms, reasons))


def _after_end(
    book: HedgeBook,
    curves: HedgeCurves,
    cells: IntArray,
    opened: HedgeColumns,
    held_ms: IntArray,
    net: IntArray,
) -> IntArray:
    """Return the part of each trade's `net` that was booked after the contract had ended.

    `AfterEnd.pnl` says what that is; funding by then is that of the last event which is not later.
    """
    pair = book.pair
    found, end = np.zeros(len(net), dtype=np.int64), pair.window.contract_ends.get(pair.symbol)
    if end is None:
        return found
    opened_ms = pair.times_ms[opened.entries]
    later = opened_ms > end.at_ms
    found[later] = net[later]
    across = np.flatnonzero(~later & (opened_ms + held_ms > end.at_ms))
    spot, perp = end.ticker.spot, end.ticker.perp
    if not len(across) or spot is None or perp is None:
        return found
    held = opened[across]
    last = int(np.searchsorted(pair.times_ms, end.at_ms, side="right")) - 1
    spots, perps = (ExactArray.from_decimals([price] * len(across)) for price in (spot, perp))
    value = formulas.hedge_value(*book.structure, held.quantity, spots, held.perp_entry, perps)
    flows = {name: running[cells[across] + last - held.entries] for name, running in curves.flows.items()}
    paid = (held.spot_cost * book.structure.spot + held.entry_fees).units()
    found[across] = net[across] - (value.units() - paid + net_flow(flows))
    return found


def _quote(flows: Flows, at: int) -> dict[str, Decimal]:
    """Return the cash flows of one trade, quote currency."""
    return {name: from_units(int(amounts[at])) for name, amounts in flows.items()}


def positions(book: HedgeBook, opened: HedgeColumns) -> list[Position]:
    """Return hedges as positions."""
    pair, amounts = book.pair, (column.decimals() for column in opened.amounts())
    rows = zip(opened.entries.tolist(), *amounts, strict=True)
    return [Position(pair.symbol, pair.events[entry].t_ms, *values) for entry, *values in rows]


def trades_of(book: HedgeBook, trades: TradeColumns) -> list[Trade]:
    """Return trades as a tracker books them. Call inside `exact()`."""
    held, pair, ends = positions(book, trades.curves.opened), book.pair, trades.ends
    spots, perps = book.spot_exits[ends].decimals(), book.perp_exits[ends].decimals()
    columns = trades.hedges, trades.entries, ends, trades.reasons, trades.fees
    rows = zip(*(column.tolist() for column in columns), spots, perps, strict=True)
    found = []
    for at, (hedge, entry, end, reason, fees, spot, perp) in enumerate(rows):
        position, flows = held[hedge], _quote(trades.flows, at)
        if reason == LIQUIDATION:
            found.append(_liquidated(book, position, entry, end, flows))
            continue
        paid = from_units(fees) - position.entry_fees
        done = Exit(pair.events[end].t_ms, spot, perp, paid, REASONS[reason])
        found.append(closed_trade(position, flows, end - entry, done))
    return found
