"""The events of a window in order, and what a hedge of one pair meets at each of them."""

from collections.abc import Callable, Collection, Sequence
from decimal import Decimal

from bot.models import FundingRate, MarketEvent, SettlementView
from bot.money import ZERO
from bot.pnl.exact_array import ExactArray

_UNKNOWN = Decimal("Infinity")


class Lane:
    """One pair at the events of a track: settlements, and over the same places prices and rates as columns.

    Where that is not all there is to an event - nothing settles, prices are missing or too old - there is no
    view, and the columns hold zeros. `worst` is the highest mark price that margin is judged by at an event,
    infinite where there is no view.
    """

    def __init__(self, symbol: str, events: Sequence[MarketEvent]) -> None:
        self.views = [_view(symbol, event) for event in events]
        self.worst = [
            _UNKNOWN
            if view is None or view.ticker.mark is None
            else max(view.ticker.mark, event.mark_highs.get(symbol, view.ticker.mark))
            for view, event in zip(self.views, events, strict=True)
        ]
        self.spot = self._column(lambda view: view.ticker.spot)
        self.perp = self._column(lambda view: view.ticker.perp)
        self.paid_mark = self._column(lambda view: view.funding.mark_price)
        self.rate = self._column(lambda view: view.funding.rate)

    def settlements(self, first: int, stop: int) -> list[FundingRate]:
        """Return what settles from place `first` to `stop`."""
        return [view.funding for view in self.views[first:stop] if view is not None]

    def _column(self, read: Callable[[SettlementView], Decimal | None]) -> ExactArray:
        values = (None if view is None else read(view) for view in self.views)
        return ExactArray.from_decimals([ZERO if value is None else value for value in values])


class Track:
    """Events to follow, oldest first; trials share it, and the lanes of the pairs that any of them holds."""

    def __init__(self, events: Sequence[MarketEvent]) -> None:
        self.events = events
        self.best_rates_8h = [event.best_rate_8h for event in events]
        self.symbols = tuple(events[0].tickers)
        self._lanes: dict[str, Lane] = {}

    def first_paying(self, rate_8h: Decimal, at: int, last: int) -> int:
        """Return the first place from `at` on whose best rate is at least `rate_8h`, `last` if none is."""
        rates = self.best_rates_8h
        for place in range(at, last):
            if rates[place] >= rate_8h:
                return place
        return last

    def pays(self, rate_8h: Decimal, place: int, taken: Collection[str]) -> bool:
        """Return whether a pair that is not taken settles at `rate_8h` or more, with fresh prices."""
        if self.best_rates_8h[place] < rate_8h:
            return False
        settled = (view.funding for view in self.events[place].decidable)
        return any(funding.rate_8h >= rate_8h and funding.symbol not in taken for funding in settled)

    def lane(self, symbol: str) -> Lane:
        """Return what a hedge of `symbol` meets."""
        lane = self._lanes.get(symbol)
        if lane is None:
            lane = self._lanes[symbol] = Lane(symbol, self.events)
        return lane


def _view(symbol: str, event: MarketEvent) -> SettlementView | None:
    for view in event.decidable:
        if view.funding.symbol == symbol:
            ticker = view.ticker
            prices = ticker.spot, ticker.perp, ticker.mark, view.funding.mark_price
            return None if None in prices else view
    return None
