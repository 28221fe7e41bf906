"""The events of a window in order, and what a hedge of one pair meets at each of them."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from bot.models import MarketEvent, SettlementView
from bot.money import ZERO
from bot.pnl.exact_array import ExactArray

_NO_HIGH = Decimal("-Infinity")


class Moment(NamedTuple):
    """What a hedge meets at an event: mark prices that margin is judged by, and the settlement of its pair.

    `view` is None where that is not all: no settlement, prices missing or too old.
    """

    high: Decimal
    mark: Decimal
    view: SettlementView | None


class Lane:
    """One pair at the events of a course: its moments, and over the same places prices and rates as columns.

    Where a moment has no view the columns hold zeros.
    """

    def __init__(self, symbol: str, events: Sequence[MarketEvent]) -> None:
        self.moments = [_moment(symbol, event) for event in events]
        self.spot = self._column(lambda view: view.ticker.spot)
        self.perp = self._column(lambda view: view.ticker.perp)
        self.paid_mark = self._column(lambda view: view.funding.mark_price)
        self.rate = self._column(lambda view: view.funding.rate)

    def _column(self, read: Callable[[SettlementView], Decimal | None]) -> ExactArray:
        values = (None if moment.view is None else read(moment.view) for moment in self.moments)
        return ExactArray.from_decimals([ZERO if value is None else value for value in values])


class Course:
    """Events to follow, oldest first; trials share it, and the lanes of the pairs that any of them holds."""

    def __init__(self, events: Sequence[MarketEvent]) -> None:
        self.events = events
        self.best_rates_8h = [event.best_rate_8h for event in events]
        self.pairs = len(events[0].tickers)
        self._lanes: dict[str, Lane] = {}

    def first_paying(self, rate_8h: Decimal, at: int, last: int) -> int:
        """Return the first place from `at` on whose best rate is at least `rate_8h`, `last` if none is."""
        rates = self.best_rates_8h
        for place in range(at, last):
            if rates[place] >= rate_8h:
                return place
        return last

    def lane(self, symbol: str) -> Lane:
        """Return what a hedge of `symbol` meets."""
        lane = self._lanes.get(symbol)
        if lane is None:
            lane = self._lanes[symbol] = Lane(symbol, self.events)
        return lane


def _moment(symbol: str, event: MarketEvent) -> Moment:
    ticker, high = event.tickers[symbol], event.mark_highs.get(symbol, _NO_HIGH)
    settling = [view for view in event.decidable if view.funding.symbol == symbol]
    known = settling and ticker.spot is not None and ticker.perp is not None
    if not known or ticker.mark is None or settling[0].funding.mark_price is None:
        return Moment(high, ZERO, None)
    return Moment(high, ticker.mark, settling[0])
