"""What metrics ask of equity curves, put together from the round trips that they consist of.

A curve is never written out. Between trips it is flat, and within one it is the cash before it plus what
the hedge adds; highs, falls and daily closes of a hedge are known once for all the curves that it is part of.
Amounts below 2**53 units are exact in float64 as well, and so are their sums and differences.
"""

from dataclasses import dataclass
from typing import Self, TypeVar, cast

import numpy as np
import numpy.typing as npt

from bot.backtest.batch.paths import ragged, running_max, segment_sums, step_between
from bot.backtest.batch.trips import Depths, Trips
from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.statistics import metrics as stats
from bot.statistics.metrics import Calendar
from bot.statistics.returns import Returns
from bot.statistics.run_metrics import CurveFacts

Scalar = TypeVar("Scalar", np.int64, np.float64)
_EXACT_FLOATS = 2**53


@dataclass(frozen=True, slots=True, eq=False)
class Legs:
    """The trips of some accounts one after another: account `owners[n]` makes trip `trips[n]` as its n-th.

    `starts[a]` is the first of account a. `cash` is what the account has before, in units of 1e-8, and
    `until` the entry of its next trip, or the number of events.
    """

    owners: IntArray
    starts: IntArray
    trips: IntArray
    cash: IntArray
    until: IntArray

    @classmethod
    def of(cls, trips: Trips, which: IntArray, starts: IntArray, initial: int, events: int) -> Self:
        """Return `which` trips accounts make that begin with `initial`; `starts` has one more at the end."""
        owners, _ = ragged(np.diff(starts))
        net = trips.net[which]
        before = np.cumsum(net) - net
        cash = initial + before - before[starts[owners]] if len(which) else net
        until = np.append(trips.entries[which][1:], events)
        until[starts[1:][np.diff(starts) > 0] - 1] = events
        return cls(owners, starts, which, cash, until)

    def highest(self, values: npt.NDArray[Scalar], least: float) -> npt.NDArray[Scalar]:
        """Return the highest value of each account's trips, at least `least`."""
        found = np.full(len(self.starts) - 1, least, dtype=values.dtype)
        busy = np.diff(self.starts) > 0
        if busy.any():
            found[busy] = np.maximum(np.maximum.reduceat(values, self.starts[:-1][busy]), least)
        return found


class Curves:
    """The equity curves of accounts that begin with `initial`, all above zero and within 2**53 units."""

    def __init__(self, trips: Trips, depths: Depths, legs: Legs, initial: int, calendar: Calendar) -> None:
        self._trips = trips
        self._legs = legs
        self._initial = initial
        self._calendar = calendar
        self._depths = depths
        self._cash_after = (legs.cash + trips.net[legs.trips]).astype(np.float64)
        top = np.maximum(self._depths.high, trips.net)[legs.trips] + legs.cash
        peaks = running_max(np.maximum(top - initial, 0), legs.owners)
        self._peaks = _before(peaks, legs, 0) + initial
        if int(np.abs(top).max(initial=initial)) >= _EXACT_FLOATS:
            raise OverflowError

    def facts(self) -> CurveFacts:
        """Return what metrics ask of each curve."""
        days = self._closes(self._calendar.day_ends)
        months = self._closes(self._calendar.month_ends)
        return CurveFacts.of_parts(
            final=self._initial + self._sums(self._trips.net),
            fall=self._fall(),
            share=self._share(),
            returns=days.returns(),
            longest_ms=self._longest_ms(),
            best_month=months.best_gain(),
        )

    def _sums(self, values: IntArray) -> IntArray:
        return segment_sums(values[self._legs.trips], self._legs.starts)

    def _fall(self) -> IntArray:
        legs, depths = self._legs, self._depths
        below = self._peaks - legs.cash - depths.low[legs.trips]
        return legs.highest(np.maximum(below, depths.fall[legs.trips]), 0)

    def _share(self) -> FloatArray:
        """Return the largest fall as a share of its peak.

        Falls below the peak before a trip count with its lowest point, and those below the trip's own highs
        where they are deeper than all before: no other can be the largest share of a positive peak.
        """
        legs, depths, extremes = self._legs, self._depths, self._depths.extremes
        cash, trips = legs.cash, legs.trips
        shares = _shares(self._peaks - cash - depths.low[trips], self._peaks)
        highs = depths.high[trips]
        shares = np.maximum(shares, _shares(highs - self._trips.net[trips], cash + highs))
        cells = extremes.deepened[depths.last_held][trips]
        some = np.flatnonzero(cells >= 0)
        while len(some):
            at = cells[some]
            deeper = _shares(extremes.fall[at], cash[some] + extremes.high[at])
            shares[some] = np.maximum(shares[some], deeper)
            cells[some] = extremes.before[at]
            some = some[cells[some] >= 0]
        return legs.highest(shares, 0.0)

    def _longest_ms(self) -> IntArray:
        """Return the longest time from a peak to its recovery, or to the last event."""
        legs, trips, times = self._legs, self._trips, self._calendar.times_ms
        last, which = len(times) - 1, legs.trips
        recovered, first, newest = self._recoveries()
        begin = np.full(len(legs.starts) - 1, last)
        busy = np.diff(legs.starts) > 0
        begin[busy] = trips.entries[which[legs.starts[:-1][busy]]] - 1
        reached = running_max(np.maximum(np.where(recovered, newest, -1), begin[legs.owners]), legs.owners)
        since = _before(reached, legs, begin)
        waited = times[first] - times[np.maximum(since, 0)]
        longest = np.where(recovered & (first > since + 1), waited, 0)
        ends = trips.ends[which]
        own = self._depths.extremes.peak_at[self._depths.last_held][which]
        own_event = trips.paths.events[own]
        again = recovered & (newest >= ends) & (first < ends) & (ends > own_event + 1)
        longest = np.maximum(longest, np.where(again, times[ends] - times[own_event], 0))
        longest = np.maximum(longest, self._depths.extremes.gap_ms[self._depths.last_held][which])
        begin[busy] = reached[legs.starts[1:][busy] - 1]
        lasting = np.where(begin < last, times[last] - times[np.maximum(begin, 0)], 0)
        return cast("IntArray", np.maximum(legs.highest(longest, 0), lasting))

    def _recoveries(self) -> tuple[BoolArray, IntArray, IntArray]:
        """Return whether each trip reaches the peak before it, the first event there, and the newest."""
        legs, trips, depths = self._legs, self._trips, self._depths
        which, extremes, paths = legs.trips, depths.extremes, trips.paths
        needed = self._peaks - legs.cash
        high, net, ends = depths.high[which], trips.net[which], trips.ends[which]
        while_held = high >= needed
        recovered = while_held | (net >= needed)
        first, newest = ends.copy(), legs.until - 1
        some = np.flatnonzero(while_held)
        step = step_between(np.append(extremes.high, needed[some]), len(paths.first))
        keys = extremes.high + paths.owners * step
        owners = paths.owners[trips.cells[which[some]]]
        first[some] = paths.events[np.searchsorted(keys, needed[some] + owners * step)]
        fallen = np.flatnonzero(while_held & (net < high))
        newest[fallen] = paths.events[extremes.peak_at[depths.last_held[which[fallen]]]]
        return recovered, first, newest

    def _closes(self, moments: IntArray) -> "_Closes":
        """Return each curve's values after the events `moments`, without those that repeat the one before."""
        legs, trips, events = self._legs, self._trips, len(self._calendar.times_ms)
        before = np.searchsorted(moments, np.arange(events + 1))
        begin, end = before[trips.entries][legs.trips], before[trips.ends][legs.trips]
        held, flat = end - begin, before[legs.until] > end
        counts = held + flat
        first = np.cumsum(counts) - counts
        worth, cells = trips.paths.worth_at(moments, before)
        place = np.repeat(cells[trips.hedges][legs.trips] - first, counts)
        place += np.arange(len(place))
        closes = np.take(worth, place, mode="clip")
        closes += np.repeat(legs.cash, counts)
        closes[(first + held)[flat]] = self._cash_after[flat]
        return _Closes(closes, segment_sums(counts, legs.starts), len(moments), self._initial)


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


def _before(values: IntArray, legs: Legs, initial: IntArray | int) -> IntArray:
    """Return the value of each account's trip before, `initial` at its first."""
    shifted = np.append(0, values[:-1])[: len(values)]
    busy = np.diff(legs.starts) > 0
    shifted[legs.starts[:-1][busy]] = initial[busy] if isinstance(initial, np.ndarray) else initial
    return shifted


def _shares(falls: IntArray, peaks: IntArray) -> FloatArray:
    return stats.fall_shares(falls, peaks)
