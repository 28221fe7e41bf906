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
from bot.numbers.arrays import IntArray
from bot.numbers.columns import DecimalColumn
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import ZERO
from bot.numbers.thresholds import ThresholdColumn

_MAX_FLOORS = 64
"""Rates whose events are remembered for a window: some 10 MiB over five years."""


class PairColumns:
    """Columns of one pair over the events of a window: settlement views, prices and rates.

    At events at which the pair does not settle with fresh prices there is no view, and any numbers may stand.
    `highest_mark` is the highest mark price since the event before.
    """

    def __init__(self, symbol: str, events: Sequence[MarketEvent], series: PairSeries) -> None:
        self.views = [_view(symbol, event) for event in events]
        marks = [
            ZERO if view is None else _highest_mark(view, event)
            for view, event in zip(self.views, events, strict=True)
        ]
        self.highest_mark = ThresholdColumn(DecimalColumn.from_decimals(marks))
        self._rates_8h = _rates_8h([None if view is None else view.funding.rate_8h for view in self.views])
        self._paying_less = Memo(_MAX_FLOORS).get
        self.spot = ExactArray.of(series.spot)
        self.perp = ExactArray.of(series.perp)
        self.unit_funding = series.unit_funding
        self._rates, self._hours = ExactArray.of(series.rate), series.interval_hours
        self._regimes = Memo(_MAX_FLOORS).get

    def paying_less(self, rate_8h: Decimal | None) -> Sequence[int]:
        """Return the events at which the pair pays less than `rate_8h`, or that have no view of it.

        Without a rate, all events.
        """
        if rate_8h is None:
            return range(len(self.views))
        condition = self._rates_8h.reaches(rate_8h)
        return self._paying_less(condition, lambda: np.flatnonzero(~condition.holds()).tolist())

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


def _highest_mark(view: SettlementView, event: MarketEvent) -> Decimal:
    """Return the highest mark price since the event before; fresh prices imply that there is one."""
    mark = view.ticker.mark or ZERO
    return max(mark, event.mark_highs.get(view.funding.symbol, mark))
