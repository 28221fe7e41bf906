"""Figures of equity curves that metrics need, assembled from the trades of each curve.

A curve is never written out. Between trades it is flat, and within one it is the cash before it plus what
the hedge adds; highs, drawdowns and daily closes of a hedge are computed once for all its curves.
Amounts below 2**53 units are exact in float64 as well, and so are their sums and differences.
"""

from dataclasses import dataclass
from typing import Self, TypeVar, cast

import numpy as np
import numpy.typing as npt

from bot.backtest.batch.hedge_curves import ragged, running_max, segment_sums, step_between
from bot.backtest.batch.trades import TradeColumns, TradeExtremes
from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.statistics import metrics as stats
from bot.statistics.metrics import Calendar
from bot.statistics.returns import Returns
from bot.statistics.run_metrics import CurveFacts

Scalar = TypeVar("Scalar", np.int64, np.float64)
_EXACT_FLOATS = 2**53


@dataclass(frozen=True, slots=True, eq=False)
class AccountTrades:
    """Trades of several accounts in turn: row n is trade `trades[n]` of account `owners[n]`.

    `starts[a]` is the first of account a. `cash` is what the account has before, in units of 1e-8, and
    `until` the entry of its next trade, or the number of events.
    """

    owners: IntArray
    starts: IntArray
    trades: IntArray
    cash: IntArray
    until: IntArray

    @classmethod
    def of(cls, trades: TradeColumns, which: IntArray, starts: IntArray, initial: int, events: int) -> Self:
        """Return the trades `which` of accounts with `initial` cash; `starts` has one more at the end."""
        owners, _ = ragged(np.diff(starts))
        net = trades.net[which]
        before = np.cumsum(net) - net
        cash = initial + before - before[starts[owners]] if len(which) else net
        until = np.append(trades.entries[which][1:], events)
        until[starts[1:][np.diff(starts) > 0] - 1] = events
        return cls(owners, starts, which, cash, until)

    def highest(self, values: npt.NDArray[Scalar], least: float) -> npt.NDArray[Scalar]:
        """Return the highest value over each account's trades, at least `least`."""
        found = np.full(len(self.starts) - 1, least, dtype=values.dtype)
        busy = np.diff(self.starts) > 0
        if busy.any():
            found[busy] = np.maximum(np.maximum.reduceat(values, self.starts[:-1][busy]), least)
        return found


class EquityCurves:
    """The equity curves of accounts that begin with `initial`, all above zero and within 2**53 units."""

    def __init__(
        self,
        trades: TradeColumns,
        extremes: TradeExtremes,
        accounts: AccountTrades,
        initial: int,
        calendar: Calendar,
    ) -> None:
        self._trades = trades
        self._accounts = accounts
        self._initial = initial
        self._calendar = calendar
        self._extremes = extremes
        self._cash_after = (accounts.cash + trades.net[accounts.trades]).astype(np.float64)
        top = np.maximum(self._extremes.high, trades.net)[accounts.trades] + accounts.cash
        peaks = running_max(np.maximum(top - initial, 0), accounts.owners)
        self._peaks = _before(peaks, accounts, 0) + initial
        if int(np.abs(top).max(initial=initial)) >= _EXACT_FLOATS:
            raise OverflowError

    def facts(self) -> CurveFacts:
        """Return the figures of each curve that metrics need."""
        days = self._closes(self._calendar.day_ends)
        months = self._closes(self._calendar.month_ends)
        return CurveFacts.of_parts(
            final=self._initial + self._sums(self._trades.net),
            drawdown=self._drawdown(),
            drawdown_share=self._drawdown_share(),
            returns=days.returns(),
            longest_ms=self._longest_ms(),
            best_month=months.best_gain(),
        )

    def _sums(self, values: IntArray) -> IntArray:
        return segment_sums(values[self._accounts.trades], self._accounts.starts)

    def _drawdown(self) -> IntArray:
        accounts, extremes = self._accounts, self._extremes
        below = self._peaks - accounts.cash - extremes.low[accounts.trades]
        return accounts.highest(np.maximum(below, extremes.drawdown[accounts.trades]), 0)

    def _drawdown_share(self) -> FloatArray:
        """Return the largest drawdown as a share of its peak.

        Drawdowns below the peak before a trade count at its lowest point, those below the trade's own highs
        where they are deeper than all before: no other can be the largest share of a positive peak.
        """
        accounts, extremes, by_cell = self._accounts, self._extremes, self._extremes.by_cell
        cash, trades = accounts.cash, accounts.trades
        shares = _drawdown_shares(self._peaks - cash - extremes.low[trades], self._peaks)
        highs = extremes.high[trades]
        shares = np.maximum(shares, _drawdown_shares(highs - self._trades.net[trades], cash + highs))
        cells = by_cell.deepened[extremes.last_held][trades]
        some = np.flatnonzero(cells >= 0)
        while len(some):
            at = cells[some]
            deeper = _drawdown_shares(by_cell.drawdown[at], cash[some] + by_cell.high[at])
            shares[some] = np.maximum(shares[some], deeper)
            cells[some] = by_cell.before[at]
            some = some[cells[some] >= 0]
        return accounts.highest(shares, 0.0)

    def _longest_ms(self) -> IntArray:
        """Return the longest time from a peak to its recovery, or to the last event."""
        accounts, trades, times = self._accounts, self._trades, self._calendar.times_ms
        last, which = len(times) - 1, accounts.trades
        recovered, first, newest = self._recoveries()
        begin = np.full(len(accounts.starts) - 1, last)
        busy = np.diff(accounts.starts) > 0
        begin[busy] = trades.entries[which[accounts.starts[:-1][busy]]] - 1
        reached = running_max(
            np.maximum(np.where(recovered, newest, -1), begin[accounts.owners]), accounts.owners
        )
        since = _before(reached, accounts, begin)
        waited = times[first] - times[np.maximum(since, 0)]
        longest = np.where(recovered & (first > since + 1), waited, 0)
        ends = trades.ends[which]
        own = self._extremes.by_cell.peak_at[self._extremes.last_held][which]
        own_event = trades.curves.events[own]
        again = recovered & (newest >= ends) & (first < ends) & (ends > own_event + 1)
        longest = np.maximum(longest, np.where(again, times[ends] - times[own_event], 0))
        longest = np.maximum(longest, self._extremes.by_cell.gap_ms[self._extremes.last_held][which])
        begin[busy] = reached[accounts.starts[1:][busy] - 1]
        lasting = np.where(begin < last, times[last] - times[np.maximum(begin, 0)], 0)
        return cast("IntArray", np.maximum(accounts.highest(longest, 0), lasting))

    def _recoveries(self) -> tuple[BoolArray, IntArray, IntArray]:
        """Return whether each trade reaches the peak before it, the first event there, and the newest."""
        accounts, trades, extremes = self._accounts, self._trades, self._extremes
        which, by_cell, curves = accounts.trades, extremes.by_cell, trades.curves
        needed = self._peaks - accounts.cash
        high, net, ends = extremes.high[which], trades.net[which], trades.ends[which]
        while_held = high >= needed
        recovered = while_held | (net >= needed)
        first, newest = ends.copy(), accounts.until - 1
        some = np.flatnonzero(while_held)
        # Highs never fall within a hedge; moved apart by `step` they ascend over all hedges: one search
        # serves all.
        step = step_between(np.append(by_cell.high, needed[some]), len(curves.first))
        keys = by_cell.high + curves.owners * step
        owners = curves.owners[trades.cells[which[some]]]
        first[some] = curves.events[np.searchsorted(keys, needed[some] + owners * step)]
        fallen = np.flatnonzero(while_held & (net < high))
        newest[fallen] = curves.events[by_cell.peak_at[extremes.last_held[which[fallen]]]]
        return recovered, first, newest

    def _closes(self, moments: IntArray) -> "_Closes":
        """Return each curve's values after the events `moments`, without those that repeat the one before."""
        accounts, trades, events = self._accounts, self._trades, len(self._calendar.times_ms)
        before = np.searchsorted(moments, np.arange(events + 1))
        begin, end = before[trades.entries][accounts.trades], before[trades.ends][accounts.trades]
        held, flat = end - begin, before[accounts.until] > end
        counts = held + flat
        first = np.cumsum(counts) - counts
        equity, cells = trades.curves.equity_at(moments, before)
        place = np.repeat(cells[trades.hedges][accounts.trades] - first, counts)
        place += np.arange(len(place))
        # Rows of flat closes index past the cells of their hedge, the last of them past all: they are
        # overwritten.
        closes = np.take(equity, place, mode="clip")
        closes += np.repeat(accounts.cash, counts)
        closes[(first + held)[flat]] = self._cash_after[flat]
        return _Closes(closes, segment_sums(counts, accounts.starts), len(moments), self._initial)


@dataclass(frozen=True, slots=True, eq=False)
class _Closes:
    """Closing values of curves, `counts[n]` of curve n; those that repeat the one before are left out."""

    values: FloatArray
    counts: IntArray
    periods: int
    initial: int

    def returns(self) -> Returns:
        before = self._values_before()
        return Returns.of((self.values - before) / before, self.counts, self.periods)

    def best_gain(self) -> IntArray:
        gains = self.values - self._values_before()
        least = np.where(self.counts < self.periods, 0.0, -np.inf)
        busy = self.counts > 0
        if busy.any():
            highest = np.maximum.reduceat(gains, (np.cumsum(self.counts) - self.counts)[busy])
            least[busy] = np.maximum(least[busy], highest)
        return least.astype(np.int64)

    def _values_before(self) -> FloatArray:
        before = np.empty_like(self.values)
        before[1:] = self.values[:-1]
        before[(np.cumsum(self.counts) - self.counts)[self.counts > 0]] = self.initial
        return before


def _before(values: IntArray, accounts: AccountTrades, initial: IntArray | int) -> IntArray:
    """Return the value of the account's previous trade, `initial` at its first."""
    shifted = np.append(0, values[:-1])[: len(values)]
    busy = np.diff(accounts.starts) > 0
    shifted[accounts.starts[:-1][busy]] = initial[busy] if isinstance(initial, np.ndarray) else initial
    return shifted


def _drawdown_shares(drawdowns: IntArray, peaks: IntArray) -> FloatArray:
    return stats.drawdown_shares(drawdowns, peaks)
