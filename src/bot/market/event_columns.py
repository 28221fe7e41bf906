"""Event columns: the events of a window in order, and per pair the prices and rates at each of them."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import Decimal
from operator import attrgetter

import numpy as np

from bot.accounting.regimes import regimes
from bot.market.history import PairSeries
from bot.memo import Memo
from bot.models import FundingRate, MarketEvent, SettlementView
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.columns import DecimalColumn
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import ZERO
from bot.numbers.thresholds import Condition, ThresholdColumn

_MAX_FLOORS = 64
"""Rates whose events are remembered for a window: some 10 MiB over five years."""


class PairColumns:
    """Columns of one pair over the events of a window: settlement views, prices and rates.

    At events at which the pair does not settle with fresh prices there is no view. Those at which it does not
    settle at all pass it by: they pay nothing, and have prices. At the others without a view any numbers may
    stand. `highest_mark` is the highest mark price since the event before.
    """

    def __init__(self, symbol: str, events: Sequence[MarketEvent], series: PairSeries) -> None:
        self.views = [_view(symbol, event) for event in events]
        self._passing = _passing(symbol, events, series.settles)
        self._passed_by: list[int] = np.flatnonzero(self._passing).tolist()
        marks = [
            ZERO if view is None and not passes else _highest_mark(symbol, event)
            for view, passes, event in zip(self.views, self._passing.tolist(), events, strict=True)
        ]
        self.highest_mark = ThresholdColumn(DecimalColumn.from_decimals(marks))
        self._rates_8h = _rates_8h([None if view is None else view.funding.rate_8h for view in self.views])
        self._paying_less = Memo(_MAX_FLOORS).get
        self.spot = ExactArray.of(series.spot)
        self.perp = ExactArray.of(series.perp)
        self.unit_funding = _zero_at(self._passing, series.unit_funding)
        self._rates, self._hours = ExactArray.of(series.rate), series.interval_hours
        self._regimes = Memo(_MAX_FLOORS).get

    def paying_less(self, rate_8h: Decimal | None) -> Sequence[int]:
        """Return the events at which the pair pays less than `rate_8h`, or that have no view of it.

        Without a rate, all events. Those that pass it by are left out.
        """
        condition = None if rate_8h is None else self._rates_8h.reaches(rate_8h)
        return self._paying_less(condition, lambda: self._places_below(condition))

    def _places_below(self, condition: Condition | None) -> Sequence[int]:
        if condition is None and not self._passed_by:
            return range(len(self.views))
        below = ~self._passing if condition is None else ~(condition.holds() | self._passing)
        found: list[int] = np.flatnonzero(below).tolist()
        return found

    def settling(self, first: int, stop: int) -> IntArray | None:
        """Return the places of the settlements among events `first` to `stop` (excluded); None for all."""
        passing = self._passing[first:stop]
        return np.flatnonzero(~passing) if passing.any() else None

    def first_passing(self, first: int) -> int:
        """Return the first event from `first` on that passes the pair by; the number of events for none."""
        found = bisect_left(self._passed_by, first)
        return self._passed_by[found] if found < len(self._passed_by) else len(self.views)

    def regimes(self, high: Decimal) -> IntArray:
        """Return the regime of the settlement at each event; `high` is a rate per 8 hours."""
        return self._regimes(high, lambda: regimes(self._rates, self._hours, high))

    def settlements(self, first: int, stop: int) -> list[FundingRate]:
        """Return the settlements of events `first` to `stop` (excluded)."""
        return [view.funding for view in self.views[first:stop] if view is not None]


class EventColumns:
    """Events to replay, oldest first, and columns of the pairs that any trial holds; trials share them.

    `series` gives the history of a pair at these events.
    """

    def __init__(self, events: Sequence[MarketEvent], series: Callable[[str], PairSeries]) -> None:
        self.events = events
        self.symbols = tuple(events[0].tickers)
        best = [max((view.funding.rate_8h for view in event.decidable), default=None) for event in events]
        self._best_rate_8h = _rates_8h(best)
        self._paying = Memo(_MAX_FLOORS).get
        self._decidable = [place for place, rate in enumerate(best) if rate is not None]
        self._series = series
        self._pairs: dict[str, PairColumns] = {}

    def paying(self, rate_8h: Decimal | None) -> list[int]:
        """Return the events at which a pair that settles with fresh prices pays `rate_8h` or more.

        Without a rate, those at which any does.
        """
        if rate_8h is None:
            return self._decidable
        condition = self._best_rate_8h.reaches(rate_8h)
        return self._paying(condition, lambda: np.flatnonzero(condition.holds()).tolist())

    def index_from(self, t_ms: int | None) -> int:
        """Return the first event at `t_ms` or later; the number of events stands for none, or for never."""
        if t_ms is None:
            return len(self.events)
        return bisect_left(self.events, t_ms, key=attrgetter("t_ms"))

    def pair(self, symbol: str) -> PairColumns:
        """Return the columns of `symbol`, computed at first use."""
        pair = self._pairs.get(symbol)
        if pair is None:
            pair = self._pairs[symbol] = PairColumns(symbol, self.events, self._series(symbol))
        return pair


def _rates_8h(rates: Sequence[Decimal | None]) -> ThresholdColumn:
    """Return the column of rates per 8 hours, None for unknown."""
    known = np.array([rate is not None for rate in rates], dtype=np.bool_)
    return ThresholdColumn(DecimalColumn.from_decimals([rate or ZERO for rate in rates]), known)


def _view(symbol: str, event: MarketEvent) -> SettlementView | None:
    return next((view for view in event.decidable if view.funding.symbol == symbol), None)


def _passing(symbol: str, events: Sequence[MarketEvent], settles: BoolArray) -> BoolArray:
    """Return the mask of events at which a pair does not settle, with a price of both legs."""
    found = ~settles
    for place in np.flatnonzero(found).tolist():
        ticker = events[place].tickers[symbol]
        found[place] = ticker.spot is not None and ticker.perp is not None
    return found


def _zero_at(mask: BoolArray, values: ExactArray) -> ExactArray:
    if not mask.any():
        return values
    return ExactArray(np.where(mask, 0, values.mantissas), values.exponent, values.bound)


def _highest_mark(symbol: str, event: MarketEvent) -> Decimal:
    """Return the highest mark price since the event before; prices imply that there is one."""
    mark = event.tickers[symbol].mark or ZERO
    return max(mark, event.mark_highs.get(symbol, mark))
