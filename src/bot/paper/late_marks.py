"""Candles of the mark series that became known only after the event they belong to."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.models import MarkCandle, MarketEvent, Position
from bot.paper.feed import FeedRows
from bot.paper.received_market import ReceivedMarket


class LateMarks:
    """The mark series as a trader reads it: what came late is looked at with the next event."""

    def __init__(self, book: ReceivedMarket) -> None:
        self._book = book
        self._earliest: dict[str, int] = {}
        self._since: dict[str, int] = {}

    def note(self, part: FeedRows, newest_event_ms: int) -> None:
        """Take note of rows received after the event at `newest_event_ms`."""
        closed = self._book.mark_closes(part)
        if len(closed) and closed[0] <= newest_event_ms:
            first = int(closed[0])
            self._earliest[part.symbol] = min(first, self._earliest.get(part.symbol, first))

    def shown(self, event: MarketEvent, held: Mapping[str, Position]) -> MarketEvent:
        """Return the event with the highs of what came late; of each hedge, since its opening."""
        if not self._earliest:
            return event
        self._since = {
            symbol: max(first - 1, held[symbol].opened_at_ms)
            for symbol, first in self._earliest.items()
            if symbol in held
        }
        highs = dict(event.mark_highs)
        for symbol in self._since:
            tops = [candle.high for candle in self.mark_candles(symbol, event.t_ms, event.t_ms)]
            highs.update({symbol: max(tops)} if tops else {})
        return replace(event, mark_highs=highs)

    def forget(self) -> None:
        """Have looked at all that came late so far."""
        self._earliest.clear()
        self._since.clear()

    def mark_candles(self, symbol: str, after_ms: int, until_ms: int) -> Iterable[MarkCandle]:
        """Return the candles that closed in (after_ms, until_ms], and those before that came late."""
        return self._book.mark_candles(symbol, min(after_ms, self._since.get(symbol, after_ms)), until_ms)
