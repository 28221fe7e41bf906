"""The distinct sequences of round trips among many trials, each summed up once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from itertools import pairwise
from typing import Self

import numpy as np

from bot.backtest.batch.courses import Course, courses_of
from bot.backtest.batch.curves import Curves, Legs
from bot.backtest.batch.hedges import HedgeBook
from bot.backtest.batch.paths import segment_sums
from bot.backtest.batch.trips import Depths, Trips
from bot.backtest.batch.walk import Cash, Journeys
from bot.backtest.ledger_digest import ledger_digest
from bot.backtest.result import RunResult
from bot.config.run_config import RunConfig
from bot.numbers.arrays import BoolArray, IntArray
from bot.statistics.carry import CarryComparison, captured_share
from bot.statistics.metrics import Calendar, amount_units, from_units
from bot.statistics.run_metrics import Activity, Metrics, TradeTotals, summarize

NONE = -1
_SAFE_UNITS = 2**60


@dataclass(frozen=True, slots=True, eq=False)
class HoldColumns:
    """The hold baseline of an account, as columns; money in units of 1e-8.

    `paid_before[k]` is its funding booked before event k; the last entry is all of it.
    """

    trades: int
    fees: Decimal
    available: int
    available_funding: Decimal
    paid_before: IntArray

    @classmethod
    def of(cls, held: RunResult, calendar: Calendar) -> Self:
        """Return the columns of a hold run over the events of `calendar`."""
        paid = np.zeros(len(calendar.times_ms) + 1, dtype=np.int64)
        places = np.searchsorted(calendar.times_ms, [payment.t_ms for payment in held.payments])
        amounts = np.array(amount_units(payment.amount for payment in held.payments), dtype=np.int64)
        paid[places + 1] = amounts
        available = int(amounts.sum())
        fees = held.metrics.total_fees
        return cls(len(held.trades), fees, available, from_units(available), np.cumsum(paid))

    def comparison(
        self, before: int, between: int, after: int, captured: int, metrics: Metrics
    ) -> CarryComparison:
        """Return the comparison of a run that missed these amounts."""
        return CarryComparison(
            available_funding=self.available_funding,
            captured_share=captured_share(captured, self.available),
            missed_before_entry=from_units(before),
            missed_between=from_units(between),
            missed_after_exit=from_units(after),
            extra_round_trips=metrics.total_trades - self.trades,
            extra_fees=metrics.total_fees - self.fees,
        )


class Sequences:
    """Distinct sequences of round trips of one account, and which of them each trial makes.

    `of_trial` is NONE for trials that make another: those that have less than `slot` in cash at an entry, and
    those that are not always worth more than zero. Call everything inside `exact()`.
    Raises: OverflowError where amounts would not fit 64 bits.
    """

    def __init__(self, book: HedgeBook, journeys: Journeys, calendar: Calendar, slot: int) -> None:
        rows, of_trial = _distinct(journeys)
        codes = np.frombuffer(b"".join(row for _, row in rows), dtype=np.int64)
        distinct, which = np.unique(codes, return_inverse=True)
        lengths = np.array([len(row) // codes.itemsize for _, row in rows], dtype=np.int64)
        self._calendar = calendar
        self._ended = bool(book.pair.window.contract_ends)
        self._trips = Trips.of(book, distinct)
        self._check(book.initial, len(codes))
        depths = Depths.of(self._trips, calendar.times_ms)
        legs = self._legs_of(which, lengths, book.initial)
        kept = (legs.highest(-legs.cash, -slot) <= -slot) & (
            legs.highest(-legs.cash - depths.low[which], -book.initial) < 0
        )
        self._made = self._before_shortage(codes, rows, legs, slot, kept)
        if not kept.all():
            legs = self._legs_of(which[np.repeat(kept, lengths)], lengths[kept], book.initial)
        self._legs = legs
        self._skipped = [skips for (skips, _), keep in zip(rows, kept.tolist(), strict=True) if keep]
        self._curves = Curves(self._trips, depths, legs, book.initial, calendar)
        left_out = set(self._made)
        self._left_out = [which for which in of_trial if which in left_out]
        self.of_trial = np.where(kept, np.cumsum(kept) - 1, NONE)[of_trial].tolist()

    def going_on(self, nets: Callable[[IntArray], IntArray]) -> Cash:
        """Return how the trials left out go on when short of a slot; `nets` is what round trips leave."""
        made, left = zip(*(self._made[which] for which in self._left_out), strict=True)
        return Cash(made, np.array(left, dtype=np.int64), nets)

    def _before_shortage(
        self, codes: IntArray, rows: Sequence[tuple[int, bytes]], legs: Legs, slot: int, kept: BoolArray
    ) -> dict[int, tuple[IntArray, int]]:
        """Return what each sequence not `kept` makes before it is short of a slot, and its cash then.

        Where entries were skipped, or nothing was short, that is nothing.
        """
        found = {}
        for place in np.flatnonzero(~kept).tolist():
            first, end = legs.starts[place], legs.starts[place + 1]
            short = np.flatnonzero(legs.cash[first:end] < slot)
            at = first if rows[place][0] or not len(short) else first + short[0]
            found[place] = codes[first:at], int(legs.cash[at])
        return found

    def _legs_of(self, which: IntArray, lengths: IntArray, initial: int) -> Legs:
        starts = np.append(0, np.cumsum(lengths))
        return Legs.of(self._trips, which, starts, initial, len(self._calendar.times_ms))

    def _check(self, initial: int, count: int) -> None:
        for amounts in (*self._trips.sums().values(), self._trips.paths.worth):
            if initial + int(np.abs(amounts).max(initial=0)) * (count + 1) >= _SAFE_UNITS:
                raise OverflowError

    def metrics(self, config: RunConfig) -> list[Metrics]:
        """Return the metrics of each sequence."""
        totals, held = self._totals()
        events = len(self._calendar.times_ms)
        activities = [Activity(events, *counts) for counts in zip(held, self._skipped, strict=True)]
        return summarize(self._curves.facts(), config.initial_capital, self._calendar, totals, activities)

    def _totals(self) -> tuple[list[TradeTotals], list[int]]:
        legs, trips = self._legs, self._trips
        sums = {name: segment_sums(values[legs.trips], legs.starts) for name, values in trips.sums().items()}
        best = legs.highest(trips.net[legs.trips], -_SAFE_UNITS)
        sums["best"] = np.where(sums["trades"] > 0, best, 0)
        if not self._ended:
            sums["after_end"] = np.full(len(best), None)
        columns = (sums[field.name].tolist() for field in fields(TradeTotals))
        held = segment_sums((trips.ends - trips.entries)[legs.trips], legs.starts)
        return [TradeTotals(*values) for values in zip(*columns, strict=True)], held.tolist()

    def hold_columns(self, which: int, fees: Decimal) -> HoldColumns:
        """Return sequence `which`, that of a hold run with these `fees`, for others to be held against."""
        legs, trips, paths = self._legs, self._trips, self._trips.paths
        paid = np.zeros(len(self._calendar.times_ms) + 1, dtype=np.int64)
        made = legs.trips[legs.starts[which] : legs.starts[which + 1]]
        for trip in made.tolist():
            entry, last, cell = (
                int(column[trip]) for column in (trips.entries, trips.last_collected, trips.cells)
            )
            paid[entry + 2 : last + 2] = np.diff(paths.funding[cell : cell + last - entry + 1])
        before = np.cumsum(paid)
        available = int(before[-1])
        return HoldColumns(len(made), fees, available, from_units(available), before)

    def courses(self, book: HedgeBook) -> list[Course]:
        """Return the course of each sequence, on the hedges of `book`."""
        return courses_of(book, self._trips, self._legs)

    def ledgers(self, symbol: str) -> list[bytes]:
        """Return the digest of what each sequence booked."""
        rows, starts = self._trips.bookings(symbol, self._calendar.times_ms), self._legs.starts.tolist()
        every = rows[self._legs.trips]
        return [ledger_digest(every[first:end]) for first, end in pairwise(starts)]

    def carries(self, hold: HoldColumns, metrics: Sequence[Metrics]) -> list[CarryComparison]:
        """Return each sequence beside its hold baseline; `metrics` are its own."""
        legs, trips, paid = self._legs, self._trips, hold.paid_before
        events = len(paid) - 1
        caught = paid[trips.last_collected + 1] - paid[trips.entries + 1]
        before = np.full(len(metrics), hold.available)
        after = np.zeros(len(metrics), dtype=np.int64)
        busy = np.diff(legs.starts) > 0
        first, last = legs.trips[legs.starts[:-1][busy]], legs.trips[legs.starts[1:][busy] - 1]
        before[busy] = paid[np.minimum(trips.entries[first] + 1, events)]
        after[busy] = hold.available - paid[trips.last_seen[last] + 1]
        between = hold.available - before - after - segment_sums(caught[legs.trips], legs.starts)
        captured = segment_sums(trips.funding[legs.trips], legs.starts)
        missed = (column.tolist() for column in (before, between, after, captured))
        rows = zip(*missed, metrics, strict=True)
        return [hold.comparison(*row) for row in rows]


def _distinct(journeys: Journeys) -> tuple[list[tuple[int, bytes]], list[int]]:
    """Return the distinct pairs of skipped entries and round trips, and which of them each trial makes."""
    known: dict[tuple[int, bytes], int] = {}
    of_trial = [
        known.setdefault((skips, journeys.codes[first:end].tobytes()), len(known))
        for (first, end), skips in zip(
            pairwise(journeys.starts.tolist()), journeys.skipped.tolist(), strict=True
        )
    ]
    return list(known), of_trial
