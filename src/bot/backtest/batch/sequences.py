"""The distinct sequences of round trips among many trials, each summed up once."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from bot.analytics.carry import CarryComparison, captured_share
from bot.analytics.metrics import Calendar, from_units, money_units
from bot.backtest.batch.hedges import ClosedTrip, HedgeBook
from bot.backtest.batch.walk import NO_TRIP, Journeys, Whole
from bot.backtest.metrics import Activity, Metrics, TradeTotals, summarize
from bot.backtest.result import RunResult
from bot.config import RunConfig

_MAX_CELLS = 2_000_000
_SAFE_UNITS = 2**60
_EMPTY = np.empty(0, dtype=np.int64)
_NO_TOTALS = TradeTotals.of(())
_SUMMED = tuple(field.name for field in fields(TradeTotals) if field.name != "best")


@dataclass(frozen=True, slots=True, eq=False)
class HoldColumns:
    """The hold baseline of an account, as columns; money in units of 1e-8.

    `paid_before[k]` is its funding booked before event k; the last entry is all of it.
    """

    trades: int
    fees: int
    available: int
    paid_before: Whole

    @classmethod
    def of(cls, held: RunResult, calendar: Calendar) -> Self:
        """Return the columns of a hold run over the events of `calendar`."""
        paid = np.zeros(len(calendar.times_ms) + 1, dtype=np.int64)
        places = np.searchsorted(calendar.times_ms, [payment.t_ms for payment in held.payments])
        amounts = np.array([money_units(payment.amount) for payment in held.payments], dtype=np.int64)
        paid[places + 1] = amounts
        fees = money_units(held.metrics.total_fees)
        return cls(len(held.trades), fees, int(amounts.sum()), np.cumsum(paid))

    def comparison(self, before: int, between: int, after: int, metrics: Metrics) -> CarryComparison:
        """Return the comparison of a run that missed these amounts."""
        return CarryComparison(
            available_funding=from_units(self.available),
            captured_share=captured_share(money_units(metrics.total_funding), self.available),
            missed_before_entry=from_units(before),
            missed_between=from_units(between),
            missed_after_exit=from_units(after),
            extra_round_trips=metrics.total_trades - self.trades,
            extra_fees=metrics.total_fees - from_units(self.fees),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """`rows[s]` holds the trips of sequence s and, last, its skipped entries; `of_trial` each trial's s."""

    rows: Whole
    of_trial: list[int]

    @classmethod
    def of(cls, journeys: Journeys) -> Self:
        """Return the distinct rows of `journeys`."""
        every = np.ascontiguousarray(np.hstack([journeys.trips, journeys.skipped[:, None]]))
        known: dict[bytes, int] = {}
        of_trial = [known.setdefault(row.tobytes(), len(known)) for row in every]
        rows = np.frombuffer(b"".join(known), dtype=np.int64).reshape(len(known), every.shape[1])
        return cls(rows, of_trial)

    def fits(self, book: HedgeBook) -> bool:
        """Return whether every amount stays far within 64 bits."""
        largest = max(
            (abs(value) for trip in book.trips for value in (trip.net, *_extremes(trip))), default=0
        )
        return book.initial + largest * int(self.rows.shape[1]) < _SAFE_UNITS

    def summarize(self, book: HedgeBook, config: RunConfig, calendar: Calendar) -> list[Metrics]:
        """Return the metrics of each sequence, in order."""
        events = len(calendar.times_ms)
        block = max(1, _MAX_CELLS // events)
        found: list[Metrics] = []
        for first in range(0, len(self.rows), block):
            rows = self.rows[first : first + block]
            trips, skipped = rows[:, :-1], rows[:, -1].tolist()
            totals, held = _totals(trips, book.trips)
            activities = [Activity(events, count, skips) for count, skips in zip(held, skipped, strict=True)]
            curves = _curves(trips, book, events)
            found += summarize(curves, config.initial_capital, calendar, totals, activities)
        return found

    def carries(
        self, book: HedgeBook, hold: HoldColumns, metrics: Sequence[Metrics]
    ) -> list[CarryComparison]:
        """Return each sequence beside its hold baseline; `metrics` are those of `summarize`."""
        trips = self.rows[:, :-1]
        each = [(t.entry, t.last_collected, t.last_seen) for t in book.trips] + [(0, -1, 0)]
        entry, collected, seen = np.array(each, dtype=np.int64).T
        events = len(hold.paid_before) - 1
        missing = trips == NO_TRIP
        first = np.where(missing, events, entry[trips]).min(axis=1, initial=events)
        last = np.where(missing, -1, seen[trips]).max(axis=1, initial=-1)
        caught = hold.paid_before[collected + 1] - hold.paid_before[entry + 1]
        caught[-1] = 0
        before = hold.paid_before[np.minimum(first + 1, events)]
        after = np.where(first == events, 0, hold.available - hold.paid_before[last + 1])
        between = hold.available - before - after - caught[trips].sum(axis=1)
        rows = zip(before.tolist(), between.tolist(), after.tolist(), metrics, strict=True)
        return [hold.comparison(*row) for row in rows]


def _extremes(trip: ClosedTrip) -> tuple[int, int]:
    return int(trip.worth.min()), int(trip.worth.max())


def _curves(rows: Whole, book: HedgeBook, events: int) -> Whole:
    """Return the equity of each sequence after each event: cash, and on top what its hedges are worth."""
    trips = book.trips
    sequence, place = np.nonzero(rows != NO_TRIP)
    numbers = rows[sequence, place].tolist()
    spans = np.array([(trips[n].entry, trips[n].end, trips[n].net) for n in numbers], dtype=np.int64)
    entries, ends, nets = spans.reshape(-1, 3).T
    curves = np.zeros((len(rows), events), dtype=np.int64)
    curves[:, 0] = book.initial
    curves[sequence, ends] += nets
    np.cumsum(curves, axis=1, out=curves)
    lengths = ends - entries
    first = np.repeat(sequence * events + entries - (np.cumsum(lengths) - lengths), lengths)
    held = first + np.arange(len(first))
    curves.reshape(-1)[held] += np.concatenate([_EMPTY, *(trips[n].worth for n in numbers)])
    return curves


def _totals(rows: Whole, trips: Sequence[ClosedTrip]) -> tuple[list[TradeTotals], list[int]]:
    each = [trip.totals for trip in trips] + [_NO_TOTALS]
    sums = {
        name: np.array([getattr(totals, name) for totals in each], dtype=np.int64)[rows].sum(axis=1)
        for name in _SUMMED
    }
    net = np.array([trip.net for trip in trips] + [-_SAFE_UNITS], dtype=np.int64)
    best = net[rows].max(axis=1, initial=-_SAFE_UNITS)
    sums["best"] = np.where(sums["trades"] > 0, best, 0)
    lengths = np.array([trip.end - trip.entry for trip in trips] + [0], dtype=np.int64)
    columns = (sums[field.name].tolist() for field in fields(TradeTotals))
    totals = [TradeTotals(*values) for values in zip(*columns, strict=True)]
    return totals, lengths[rows].sum(axis=1).tolist()
