"""Received market of a paper session: the rows received so far, as far back as decisions reach."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import numpy as np

from bot.market.history import PairHistory
from bot.market.rows import Rows, SeriesKind, candle_series, funding_series
from bot.market.series import CandleSeries, SymbolData
from bot.market.window import market_events
from bot.models import HOUR_MS, FundingRate, Instrument, MarkCandle, MarketEvent, SettlementView
from bot.numbers.arrays import IntArray
from bot.paper.feed import FeedRows, Listing


class _Series:
    """Ascending rows of one series; those that came first stay where later ones differ."""

    def __init__(self, kind: SeriesKind, timeframe_ms: int) -> None:
        self.timeframe_ms = timeframe_ms
        self._kind = kind
        self._rows = Rows.empty(kind)
        self._new: list[Rows] = []

    def add(self, rows: Rows) -> None:
        self._new.append(rows)

    def rows(self) -> Rows:
        if self._new:
            joined = Rows.concat([self._rows, *self._new], self._kind)
            self._rows = joined[np.unique(joined.times, return_index=True)[1]]
            self._new.clear()
        return self._rows

    def forget(self, until_ms: int, keep: int) -> None:
        """Drop all but the `keep` newest of the rows closed by `until_ms`, and what came later."""
        rows = self.rows()
        closed = int(np.searchsorted(rows.times, until_ms - self.timeframe_ms, side="right"))
        if closed > 2 * keep:
            self._rows = rows[closed - keep :]


class _ReceivedPair:
    def __init__(
        self, symbol: str, listing: Listing, instrument: Instrument, max_price_age_ms: Decimal
    ) -> None:
        self.symbol = symbol
        self.instrument = instrument
        self._max_price_age_ms = max_price_age_ms
        self.series = {SeriesKind.FUNDING: _Series(SeriesKind.FUNDING, 0)}
        self.series.update((kind, _Series(kind, ms)) for kind, ms in listing.timeframes_ms.items())
        self._history: PairHistory | None = None

    def add(self, kind: SeriesKind, rows: Rows) -> None:
        self.series[kind].add(rows)
        self._history = None

    def history(self) -> PairHistory:
        if self._history is None:
            self._history = PairHistory(self.data(), self.instrument, self._max_price_age_ms)
        return self._history

    def forget(self, until_ms: int, keep: int) -> None:
        for kind, series in self.series.items():
            if kind is not SeriesKind.FUNDING:
                series.forget(until_ms, keep)

    def data(self) -> SymbolData:
        return SymbolData(
            symbol=self.symbol,
            instrument=self.instrument,
            funding=funding_series(self.series[SeriesKind.FUNDING].rows()),
            spot=self._candles(SeriesKind.SPOT),
            perp=self._candles(SeriesKind.PERP),
            mark=self._candles(SeriesKind.MARK) if SeriesKind.MARK in self.series else None,
            fingerprint="",
            synthetic=False,
        )

    def _candles(self, kind: SeriesKind) -> CandleSeries:
        if kind not in self.series:
            return candle_series(Rows.empty(kind), HOUR_MS)
        series = self.series[kind]
        return candle_series(series.rows(), series.timeframe_ms)


class ReceivedMarket:
    """The markets of a session. `instruments` are the rules in force, by symbol."""

    def __init__(
        self,
        listings: Mapping[str, Listing],
        instruments: Mapping[str, Instrument],
        max_price_age_ms: Decimal,
        candles_kept: int,
    ) -> None:
        self.instruments = instruments
        self._candles_kept = candles_kept
        self._pairs = {
            symbol: _ReceivedPair(symbol, listing, instruments[symbol], max_price_age_ms)
            for symbol, listing in listings.items()
        }

    def add(self, received: Iterable[FeedRows]) -> None:
        """Take in rows; those already known change nothing."""
        for part in received:
            self._pairs[part.symbol].add(part.kind, part.rows)

    def data(self) -> dict[str, SymbolData]:
        """Return the rows received of each pair."""
        return {symbol: pair.data() for symbol, pair in self._pairs.items()}

    def settlement_times(self, after_ms: int, until_ms: int) -> list[int]:
        """Return the distinct settlement times in (after_ms, until_ms], ascending."""
        held = [pair.series[SeriesKind.FUNDING].rows().times for pair in self._pairs.values()]
        times = np.concatenate(held)
        return [int(t_ms) for t_ms in np.unique(times[(times > after_ms) & (times <= until_ms)])]

    def events(self, previous_ms: int, times: Iterable[int]) -> Iterator[MarketEvent]:
        """Yield what each of `times` shows, the first of them after the event at `previous_ms`."""
        moments: IntArray = np.array([previous_ms, *times], dtype=np.int64)
        found = market_events({symbol: pair.history() for symbol, pair in self._pairs.items()}, moments)
        next(found)
        yield from found

    def records(self, symbol: str, from_ms: int, until_ms: int) -> Iterator[FundingRate]:
        """Yield the settlements of a pair in [from_ms, until_ms)."""
        return self._pairs[symbol].history().records(from_ms, until_ms)

    def view(self, record: FundingRate) -> SettlementView:
        """Return the settlement view of a record."""
        pair = self._pairs[record.symbol].history()
        [ticker] = pair.tickers(np.array([record.t_ms], dtype=np.int64))
        return pair.view(record, ticker)

    def mark_candles(self, symbol: str, after_ms: int, until_ms: int) -> Iterator[MarkCandle]:
        """Yield the mark series' candles that closed in (after_ms, until_ms], oldest first."""
        return self._pairs[symbol].history().mark_candles(after_ms, until_ms)

    def mark_closes(self, part: FeedRows) -> IntArray:
        """Return the closes of the candles in `part` (ms UTC, ascending), none unless of the mark series."""
        series = self._pairs[part.symbol].series
        mark = SeriesKind.MARK if SeriesKind.MARK in series else SeriesKind.PERP
        times = part.rows.times if part.kind is mark else part.rows.times[:0]
        return times + series[mark].timeframe_ms

    def forget(self, until_ms: int) -> None:
        """Drop candles that no decision after `until_ms` can reach."""
        for pair in self._pairs.values():
            pair.forget(until_ms, self._candles_kept)
