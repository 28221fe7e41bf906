"""Watermark of an exchange: the full hour up to which all its rows are known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.market.rows import Rows, SeriesKind
from bot.models import HOUR_MS
from bot.paper.feed import Listing

_REMEMBERED = 10


@dataclass(frozen=True, slots=True)
class Patience:
    """Waiting times after a full hour, in ms of the exchange's clock.

    `settle_ms` before asking at all; `quiet_ms` until a pair that is not due is taken not to settle, since
    intervals change; `grace_ms` until what is missing is given up, and prices count as they are.
    """

    settle_ms: int = 5_000
    quiet_ms: int = 60_000
    grace_ms: int = 300_000


class Watermark:
    """Follows the newest row of every series. Times are ms UTC, candles counted by their close."""

    def __init__(self, listings: Mapping[str, Listing], patience: Patience, complete_until_ms: int) -> None:
        self.complete_until_ms = complete_until_ms
        self._patience = patience
        self._closed = {
            (symbol, kind): -1 for symbol, listed in listings.items() for kind in listed.timeframes_ms
        }
        self._settled: dict[str, list[int]] = {
            symbol: [] for symbol, listed in listings.items() if listed.settles
        }
        self._interval_ms = dict.fromkeys(listings, 8 * HOUR_MS)

    @property
    def next_hour_ms(self) -> int:
        """The first full hour that is not complete."""
        return (self.complete_until_ms // HOUR_MS + 1) * HOUR_MS

    def is_due(self, now_ms: int) -> bool:
        """Return whether the exchange can have told about the next hour."""
        return now_ms >= self.next_hour_ms + self._patience.settle_ms

    def wanted(self, now_ms: int) -> Iterable[tuple[str, SeriesKind, int]]:
        """Yield the series that lack their newest row, and the time of their newest one (-1: none)."""
        hour_ms = now_ms // HOUR_MS * HOUR_MS
        for (symbol, kind), closed_ms in self._closed.items():
            if closed_ms < hour_ms:
                yield symbol, kind, closed_ms
        for symbol, times in self._settled.items():
            if not times or times[-1] < hour_ms:
                yield symbol, SeriesKind.FUNDING, times[-1] if times else -1

    def settled_ms(self, symbol: str) -> list[int]:
        """Return the times of a pair's newest settlements, ascending."""
        return self._settled[symbol]

    def note(self, symbol: str, kind: SeriesKind, rows: Rows) -> None:
        """Take note of rows received."""
        if not len(rows):
            return
        if kind is SeriesKind.FUNDING:
            self._settled[symbol] = [*self._settled[symbol], *rows.times.tolist()][-_REMEMBERED:]
            self._interval_ms[symbol] = int(rows.columns[1].decimal(-1)) * HOUR_MS
        else:
            self._closed[symbol, kind] = int(rows.times[-1]) + HOUR_MS

    def advance(self, asked_ms: int) -> int:
        """Return up to when all is told, the exchange having been asked at `asked_ms`."""
        while self.next_hour_ms <= asked_ms and self._is_complete(self.next_hour_ms, asked_ms):
            self.complete_until_ms = self.next_hour_ms
        return self.complete_until_ms

    def _is_complete(self, hour_ms: int, asked_ms: int) -> bool:
        if asked_ms >= hour_ms + self._patience.grace_ms:
            return True
        return all(closed_ms >= hour_ms for closed_ms in self._closed.values()) and all(
            self._has_told(symbol, hour_ms, asked_ms) for symbol in self._settled
        )

    def _has_told(self, symbol: str, hour_ms: int, asked_ms: int) -> bool:
        times = self._settled[symbol]
        if times and times[-1] >= hour_ms:
            return True
        is_due = not times or times[-1] + self._interval_ms[symbol] <= hour_ms
        return not is_due and asked_ms >= hour_ms + self._patience.quiet_ms
