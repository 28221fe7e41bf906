"""Equity that hedges add from event to event, many hedges at once, in exact units of 1e-8."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from bot.accounting import formulas
from bot.accounting.cash_flows import FUNDING, net_flow
from bot.backtest.batch.hedges import HedgeBook, HedgeColumns
from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.numbers.exact_array import ExactArray

SAFE_UNITS = 2**62


def ragged(lengths: IntArray) -> tuple[IntArray, IntArray]:
    """Return the row of each cell for rows of these lengths, and each cell's index in its row."""
    owners = np.repeat(np.arange(len(lengths)), lengths)
    first = np.cumsum(lengths) - lengths
    return owners, np.arange(len(owners)) - first[owners]


def running_max(values: IntArray, owners: IntArray) -> IntArray:
    """Return the largest value so far within each owner's cells; raises OverflowError beyond 64 bits."""
    shift = _apart(values, owners)
    return np.maximum.accumulate(values + shift) - shift


def running_min(values: IntArray, owners: IntArray) -> IntArray:
    """Return the smallest value so far within each owner's cells; raises OverflowError beyond 64 bits."""
    return -running_max(-values, owners)


def step_between(values: IntArray, owners: int) -> int:
    """Return a step by which neighbours can be moved apart; raises OverflowError beyond 64 bits."""
    step = 2 * int(np.abs(values).max(initial=0)) + 1
    if step * (owners + 1) >= SAFE_UNITS:
        raise OverflowError
    return step


def _apart(values: IntArray, owners: IntArray) -> IntArray:
    """Return offsets that lift each owner's values above all of the owner before: one pass serves all."""
    return owners * step_between(values, int(owners[-1]) + 1 if len(owners) else 0)


@dataclass(frozen=True, slots=True, eq=False)
class HedgeCurves:
    """Curves of hedges from entry to `reach[n]`, one cell per event: hedge n owns cells from `first[n]` on.

    `equity` is what a hedge adds to the cash before it, `flows` the cash flows
    booked by then, by name, in 1e-8 units.
    """

    opened: HedgeColumns
    first: IntArray
    owners: IntArray
    events: IntArray
    equity: IntArray
    flows: Mapping[str, IntArray]

    @classmethod
    def of(cls, book: HedgeBook, hedges: IntArray, reach: IntArray) -> Self:
        """Follow `hedges` up to the events `reach`. Call inside `exact()`."""
        pair, opened = book.pair, book.hedges(hedges)
        owners, places = ragged(reach - opened.entries + 1)
        events, first = opened.entries[owners] + places, np.flatnonzero(places == 0)
        quantities, prices = opened.quantity[owners], (pair.spots[events], opened.perp_entry[owners])
        value = formulas.hedge_value(*book.structure, quantities, *prices, pair.perps[events]).units()
        # One sum over all hedges, less what each began with; if the total wraps, the differences are right
        # still.
        flows = {}
        for name, amounts in _flows(book, quantities, events).items():
            running = np.cumsum(np.where(places > 0, amounts, 0))
            flows[name] = running - running[first][owners]
        paid = (opened.spot_cost * book.structure.spot + opened.entry_fees).units()
        equity = value + net_flow(flows) - paid[owners]
        return cls(opened, first, owners, events, equity, flows)

    def equity_at(self, moments: IntArray, before: IntArray) -> tuple[FloatArray, IntArray]:
        """Return the equity after the events `moments`, hedge by hedge, and each hedge's first index.

        `before[e]` counts the moments before event e.
        """
        last = np.append(self.first, len(self.events))[1:] - 1
        begin, end = before[self.events[self.first]], before[self.events[last] + 1]
        owners, places = ragged(end - begin)
        at = moments[begin[owners] + places] - self.events[self.first][owners]
        equity = self.equity[self.first[owners] + at].astype(np.float64)
        # The 0.0 at the end is for hedges without a moment: their index is one past the cells of all.
        return np.append(equity, 0.0), np.cumsum(end - begin) - (end - begin)


def flows_until(book: HedgeBook, opened: HedgeColumns, last: IntArray) -> dict[str, IntArray]:
    """Return the cash flows booked on hedges up to the events `last`, by name, in units of 1e-8."""
    lengths = last - opened.entries
    owners, places = ragged(lengths)
    flows = _flows(book, opened.quantity[owners], opened.entries[owners] + 1 + places)
    starts = np.append(0, np.cumsum(lengths))
    return {name: segment_sums(amounts, starts) for name, amounts in flows.items()}


def _flows(book: HedgeBook, quantities: ExactArray, events: IntArray) -> dict[str, IntArray]:
    """Return the cash flows of hedges at `events`, by name, in units of 1e-8."""
    per_unit = book.pair.unit_funding[events]
    funding = formulas.funding_payment(book.structure.perp, per_unit, quantities)
    return {FUNDING.name: funding.units()}


def segment_sums(values: IntArray, starts: IntArray) -> IntArray:
    """Return the sum of values[starts[n]:starts[n + 1]] for each n."""
    # Wrapping of the running total cancels: only the sum of each segment has to fit 64 bits.
    return np.diff(np.append(0, np.cumsum(values))[starts])


@dataclass(frozen=True, slots=True, eq=False)
class HedgeExtremes:
    """Running peak, low and drawdown of each hedge since its entry, one value per cell.

    `high` and `low` of the equity, the deepest `drawdown` from a high; `peak_at` the newest cell whose equity
    was the highest so far, and `gap_ms` the longest time between such cells that are not neighbours.
    `deepened` is the newest cell that made the drawdown deeper (-1: none), and `before[c]`, for such a cell,
    the newest one under a lower high: every drawdown that can be the largest share of its high is among them.
    """

    high: IntArray
    low: IntArray
    drawdown: IntArray
    peak_at: IntArray
    gap_ms: IntArray
    deepened: IntArray
    before: IntArray

    @classmethod
    def of(cls, curves: HedgeCurves, times_ms: IntArray) -> Self:
        """Look back from every cell; raises OverflowError where amounts would not fit."""
        owners, cells = curves.owners, np.arange(len(curves.owners))
        high, low = running_max(curves.equity, owners), running_min(curves.equity, owners)
        drawdown = running_max(high - curves.equity, owners)
        at_peak = curves.equity == high
        peak_at = np.maximum.accumulate(np.where(at_peak, cells, 0))
        gap_ms = running_max(_gaps(cells[at_peak], curves, times_ms), owners)
        # A cell deepens only against the cell before of the same hedge; equal drawdowns are no deepening.
        deeper = np.zeros(len(cells), dtype=bool)
        deeper[1:] = (drawdown[1:] > drawdown[:-1]) & (owners[1:] == owners[:-1])
        newest = np.maximum.accumulate(np.where(deeper, cells, -1))
        deepened = np.where(newest >= curves.first[owners], newest, -1)
        return cls(high, low, drawdown, peak_at, gap_ms, deepened, _under_lower_highs(deeper, high, owners))


def _gaps(peaks: IntArray, curves: HedgeCurves, times_ms: IntArray) -> IntArray:
    """Return, at each cell that is a peak, the time since the peak before if anything lies between."""
    gaps = np.zeros(len(curves.owners), dtype=np.int64)
    apart = (np.diff(peaks) > 1) & (curves.owners[peaks[1:]] == curves.owners[peaks[:-1]])
    later, earlier = peaks[1:][apart], peaks[:-1][apart]
    gaps[later] = times_ms[curves.events[later]] - times_ms[curves.events[earlier]]
    return gaps


def _under_lower_highs(deeper: BoolArray, high: IntArray, owners: IntArray) -> IntArray:
    """Return, for each deepening cell, the newest one of its hedge under a lower high, -1 if none."""
    before = np.full(len(owners), -1, dtype=np.int64)
    cells = np.flatnonzero(deeper)
    if len(cells):
        risen = np.append(True, np.diff(high[cells]) != 0) | np.append(True, np.diff(owners[cells]) != 0)
        groups = np.cumsum(risen) - 1
        newest = np.append(-1, cells[np.flatnonzero(risen)[1:] - 1])[groups]
        same = owners[newest] == owners[cells]
        before[cells] = np.where(same & (newest >= 0), newest, -1)
    return before
