"""Event columns: the events of a window in order, and per pair the prices and rates at each of them."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import Decimal
from operator import attrgetter

import numpy as np

from bot.accounting import formulas
from bot.memo import Memo
from bot.models import FundingRate, MarketEvent, SettlementView
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import ZERO
from bot.numbers.thresholds import EventMask, ThresholdColumn

_MAX_EXIT_MASKS = 32
"""Exit masks kept per pair, five bytes an event each: 50 pairs over five years take some 40 MiB."""
_MAX_ENTRY_MASKS = 256
"""Entry masks kept per window: seven MiB over five years."""


class PairColumns:
    """Columns of one pair over the events of a window: settlement views, prices and rates.

    At events at which the pair does not settle, or prices are missing or too old, there is no view, and the
    columns hold zeros.
    """

    def __init__(self, symbol: str, events: Sequence[MarketEvent]) -> None:
        self.views = [_view(symbol, event) for event in events]
        self._exit_masks = Memo(_MAX_EXIT_MASKS)
        self._known = np.array([view is not None for view in self.views], dtype=bool)
        self._rate_8h = ThresholdColumn.from_decimals(
            [None if view is None else view.funding.rate_8h for view in self.views]
        )
        self._highest_mark = ThresholdColumn.from_decimals(
            [
                None
                if view is None or view.ticker.mark is None
                else max(view.ticker.mark, event.mark_highs.get(symbol, view.ticker.mark))
                for view, event in zip(self.views, events, strict=True)
            ]
        )
        self.spot = self._column(lambda view: view.ticker.spot)
        self.perp = self._column(lambda view: view.ticker.perp)
        paid_marks = self._column(lambda view: view.funding.mark_price)
        rates = self._column(lambda view: view.funding.rate)
        self.unit_funding = formulas.unit_funding(paid_marks, rates)

    def settlements(self, first: int, stop: int) -> list[FundingRate]:
        """Return the settlements of events `first` to `stop` (excluded)."""
        return [view.funding for view in self.views[first:stop] if view is not None]

    def first_margin_check(self, price: Decimal, at: int) -> int:
        """Return the first event from `at` on whose highest mark price is `price` or more.

        The number of events stands for none; events without a view are unknown, and count as below.
        """
        return self._highest_mark.first_at_least(price, at)

    def exit_mask(self, rate_8h: Decimal | None) -> EventMask:
        """Return the mask of events at which the pair pays less than `rate_8h` or has no view.

        Without a rate only the latter counts.
        """
        return self._exit_masks.get(
            rate_8h,
            lambda: EventMask.of(~(self._known if rate_8h is None else self._rate_8h.at_least(rate_8h))),
        )

    def _column(self, read: Callable[[SettlementView], Decimal | None]) -> ExactArray:
        values = (None if view is None else read(view) for view in self.views)
        return ExactArray.from_decimals([ZERO if value is None else value for value in values])


class EventColumns:
    """Events to replay, oldest first, and columns of the pairs that any trial holds; trials share them."""

    def __init__(self, events: Sequence[MarketEvent]) -> None:
        self.events = events
        self.symbols = tuple(events[0].tickers)
        self._best_rate_8h = ThresholdColumn.from_decimals(
            [max((view.funding.rate_8h for view in event.decidable), default=None) for event in events]
        )
        self._pairs: dict[str, PairColumns] = {}
        self._entry_masks = Memo(_MAX_ENTRY_MASKS)

    def entry_mask(self, rate_8h: Decimal) -> EventMask:
        """Return the mask of events at which a pair settling with fresh prices pays at least `rate_8h`."""
        return self._entry_masks.get(rate_8h, lambda: EventMask.of(self._best_rate_8h.at_least(rate_8h)))

    def index_from(self, t_ms: int | None) -> int:
        """Return the first event at `t_ms` or later; the number of events stands for none, or for never."""
        if t_ms is None:
            return len(self.events)
        return bisect_left(self.events, t_ms, key=attrgetter("t_ms"))

    def pair(self, symbol: str) -> PairColumns:
        """Return the columns of `symbol`, computed at first use."""
        pair = self._pairs.get(symbol)
        if pair is None:
            pair = self._pairs[symbol] = PairColumns(symbol, self.events)
        return pair


def _view(symbol: str, event: MarketEvent) -> SettlementView | None:
    for view in event.decidable:
        if view.funding.symbol == symbol:
            ticker = view.ticker
            prices = ticker.spot, ticker.perp, ticker.mark, view.funding.mark_price
            return None if None in prices else view
    return None
