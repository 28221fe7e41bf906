"""Recorded markets served as a live feed on a simulated clock."""

from collections.abc import Mapping

import numpy as np

from bot.clock import SimulatedClock
from bot.market.rows import Rows, SeriesKind
from bot.market.series import CandleSeries, FundingSeries, SymbolData
from bot.numbers.columns import DecimalColumn
from bot.paper.feed import FeedBatch, FeedEndedError, FeedRows, Listing


class RecordedFeed:
    """Tells each row of pairs, by name, at the moment it became known, and moves the clock there.

    Moments are the times at which a candle closes or a pair settles.
    """

    def __init__(self, pairs: Mapping[str, SymbolData], clock: SimulatedClock) -> None:
        self._clock = clock
        self._listings = {name: _listing(item) for name, item in pairs.items()}
        self._series = [
            (name, kind, rows, rows.times + (0 if kind is SeriesKind.FUNDING else timeframe_ms))
            for name, item in pairs.items()
            for kind, rows, timeframe_ms in _series(item)
        ]
        known = [known_ms for _, _, _, known_ms in self._series]
        self._moments = np.unique(np.concatenate(known))
        self._told_ms = -1

    async def listings(self) -> Mapping[str, Listing]:
        """Return the recorded pairs."""
        return self._listings

    async def history(self, funding_from_ms: int, candles_before_ms: int, candles: int) -> FeedBatch:  # noqa: ARG002
        """Return all that was known by the clock's time."""
        return self._tell(self._clock.now_ms())

    async def next_batch(self) -> FeedBatch:
        """Move on to the next moment."""
        later = self._moments[self._moments > self._told_ms]
        if not len(later):
            raise FeedEndedError("the recorded market ends here")
        moment_ms = int(later[0])
        self._clock.advance_to(max(moment_ms, self._clock.now_ms()))
        return self._tell(moment_ms)

    async def newest(self) -> FeedBatch:
        """Return the rows that have become known by the clock's time."""
        return self._tell(self._clock.now_ms())

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""

    def _tell(self, until_ms: int) -> FeedBatch:
        parts = []
        for symbol, kind, rows, known_ms in self._series:
            first, last = np.searchsorted(known_ms, [self._told_ms, until_ms], side="right").tolist()
            if last > first:
                parts.append(FeedRows(symbol, kind, rows[first:last]))
        self._told_ms = max(self._told_ms, until_ms)
        return FeedBatch(until_ms, tuple(parts))


def _listing(data: SymbolData) -> Listing:
    return Listing(
        data.instrument,
        {kind: timeframe_ms for kind, _, timeframe_ms in _series(data) if kind is not SeriesKind.FUNDING},
    )


def _series(data: SymbolData) -> list[tuple[SeriesKind, Rows, int]]:
    legs = {SeriesKind.SPOT: data.spot, SeriesKind.PERP: data.perp, SeriesKind.MARK: data.mark}
    candles = [
        (kind, _candle_rows(series), series.timeframe_ms)
        for kind, series in legs.items()
        if series is not None and (len(series) or kind is SeriesKind.MARK)
    ]
    return [(SeriesKind.FUNDING, _funding_rows(data.funding), 0), *candles]


def _candle_rows(series: CandleSeries) -> Rows:
    return Rows(series.open_ms, (series.open, series.high, series.low, series.close, series.volume))


def _funding_rows(funding: FundingSeries) -> Rows:
    hours, has_mark = (
        np.asarray(column, dtype=np.int64) for column in (funding.interval_hours, funding.has_mark)
    )
    return Rows(
        funding.t_ms,
        (funding.rates, DecimalColumn.of(hours, 0), funding.marks, DecimalColumn.of(has_mark, 0)),
    )
