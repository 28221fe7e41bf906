"""Check that windows of pairs are held: settlements are read, of candles only the list of months."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from threading import Lock

import numpy as np
from sqlalchemy import Connection

from bot.errors import SealedError
from bot.market.coverage import NO_CANDLES, funding_coverage, too_few_settlements
from bot.market.quality import undecided
from bot.market.rows import Rows, SeriesKind, candle_series, funding_series
from bot.market.series import CandleSeries, FundingSeries, HeldRange
from bot.market.symbols import inverse_symbol
from bot.market_store import sql
from bot.market_store.loading import no_spot_perp, no_such_symbol, resolve_exchange
from bot.market_store.pinning import symbols_read
from bot.market_store.series_selection import Window, chosen_series, in_units, spot_units
from bot.market_store.sql import HeldSegment, HeldSeries, Outline, seal_times, sealed_words
from bot.models import DAY_MS

_DAYS_BEFORE = 2
_RECENT_ROWS = 100_000
"""Some 5 MB: a dozen pairs over five years."""
_CANDLES = (SeriesKind.SPOT, SeriesKind.PERP)


class _RecentFunding:
    """Settlements that were read last, by the digests of their months; at most `most_rows` in all."""

    def __init__(self, most_rows: int) -> None:
        self._most_rows = most_rows
        self._held: OrderedDict[tuple[str, ...], FundingSeries] = OrderedDict()
        self._lock = Lock()

    def get(self, digests: tuple[str, ...], read: Callable[[], FundingSeries]) -> FundingSeries:
        """Return the settlements of months, by `read` if they are not held."""
        with self._lock:
            found = self._held.pop(digests, None)
        if found is None:
            found = read()
        with self._lock:
            self._held[digests] = found
            while len(self._held) > 1 and sum(map(len, self._held.values())) > self._most_rows:
                self._held.popitem(last=False)
        return found


_recent = _RecentFunding(_RECENT_ROWS)


class HeldHistory:
    """History that one data set holds of some pairs of a linear perp and its spot market.

    `unknown` says of those it lacks which symbols are near, and of inverse markets that they are none. It
    ends at the seal of the data set, `sealed_ms`, unless it is for the look at a holdout (`beyond_seals`).
    Raises: UnknownExchangeError; StoreError if stored rows are damaged.
    """

    def __init__(
        self,
        connection: Connection,
        exchange: str | None,
        symbols: Iterable[str],
        *,
        beyond_seals: bool = False,
    ) -> None:
        self._connection = connection
        self.exchange = exchange = resolve_exchange(connection, exchange)
        self._seals = {} if beyond_seals else seal_times(connection)
        self.sealed_ms = self._seals.get(exchange)
        self._beyond_seals = beyond_seals
        asked = tuple(dict.fromkeys(symbols))
        held = sql.series_of(connection, exchange, symbols_read(asked))
        self._of = {symbol: _candidates(held, symbol) for symbol in asked}
        self.unknown = self._unknown({one.key.symbol for one in held})
        self.unknown |= {symbol: no_spot_perp(symbol) for symbol in self._of if inverse_symbol(symbol)}
        self._funding: dict[str, FundingSeries] = {}

    def _unknown(self, held: Collection[str]) -> dict[str, str]:
        """Return of each symbol that is not among those held which are near."""
        missing = [symbol for symbol in self._of if symbol not in held]
        every = sql.held_series(self._connection, self.exchange) if missing else []
        return {symbol: no_such_symbol(symbol, self.exchange, every) for symbol in missing}

    @cached_property
    def _funding_months(self) -> dict[int, list[Outline]]:
        """Months of settlements that are held, by series."""
        return self._outlines(funding=True)

    @cached_property
    def _months(self) -> dict[int, list[Outline]]:
        """Months that are held, by series."""
        return self._funding_months | self._outlines(funding=False)

    @cached_property
    def _extents(self) -> dict[int, Window]:
        return {key: (found[0].first_ms, found[-1].last_ms) for key, found in self._months.items()}

    def _outlines(self, *, funding: bool) -> dict[int, list[Outline]]:
        every = {one.id: one for found in self._of.values() for one in found}.values()
        wanted = [one for one in every if (one.key.kind is SeriesKind.FUNDING) == funding]
        return sql.outlines(self._connection, series=wanted, seals=self._seals)

    def lacking(self, symbol: str, window: Window, min_coverage: Decimal) -> str | None:
        """Return in words what a pair lacks of a window (ms UTC, inclusive), None if it can be run on.

        The very conditions of `check_coverage`.
        """
        start_ms, end_ms = window
        visible = self.funding(symbol)
        visible = visible[: int(np.searchsorted(visible.t_ms, end_ms, side="right"))]
        reason = undecided(visible)
        if reason is not None:
            return f"{reason}, nothing can be run"
        lacking = too_few_settlements(funding_coverage(visible, start_ms, end_ms), min_coverage)
        if lacking is not None:
            return lacking
        chosen = {one.key.kind: one for one in self._chosen(symbol, window)}
        for kind in _CANDLES:
            if kind not in chosen or not self._has_candles(chosen[kind], window):
                return NO_CANDLES.format(kind)
        return None

    def settles(self, symbol: str, window: Window) -> bool:
        """Return whether any settlement of the window is held of a pair."""
        inside = np.searchsorted(self.funding(symbol).t_ms, [window[0], window[1] + 1])
        return bool(inside[1] > inside[0])

    def held(self, symbol: str, window: Window | None = None) -> tuple[HeldRange, ...]:
        """Return the ranges held of a pair, in the timeframes that suit the window."""
        return tuple(
            HeldRange(one.key.kind.value, *self._extents[one.id])
            for one in self._chosen(symbol, window)
            if one.id in self._extents
        )

    def common(self, symbols: Iterable[str], window: Window) -> Window | None:
        """Return from when to when settlements and candles of all of `symbols` are held, None if never.

        Of several timeframes those that suit `window` count.
        """
        needed = {SeriesKind.FUNDING, *_CANDLES}
        ranges: list[Window] = []
        for symbol in symbols:
            chosen = [one for one in self._chosen(symbol, window) if one.id in self._extents]
            found = [one for one in chosen if one.key.kind in needed]
            if len(found) < len(needed):
                return None
            for one in found:
                first_ms, last_ms = self._extents[one.id]
                ranges.append((first_ms, last_ms + one.key.timeframe_ms))
        start_ms, end_ms = max(first for first, _ in ranges), min(end for _, end in ranges)
        return (start_ms, end_ms) if start_ms < end_ms else None

    def funding(self, symbol: str) -> FundingSeries:
        """Return all settlements held of a pair."""
        if symbol not in self._funding:
            of_kind = [one for one in self._of[symbol] if one.key.kind is SeriesKind.FUNDING]
            digests = (month.digest for one in of_kind for month in self._funding_months.get(one.id, ()))
            self._funding[symbol] = _recent.get(tuple(digests), lambda: self._read_funding(of_kind))
        return self._funding[symbol]

    def _read_funding(self, series: Sequence[HeldSeries]) -> FundingSeries:
        months = sql.segments(self._connection, series, beyond_seals=self._beyond_seals)
        return funding_series(Rows.concat([month.rows() for month in months], SeriesKind.FUNDING))

    def candles(self, symbol: str, kind: SeriesKind, window: Window) -> CandleSeries | None:
        """Return the candles of a leg around a window, in units of the perp, None where none is held."""
        chosen = self._chosen(symbol, window)
        found = next((one for one in chosen if one.key.kind is kind), None)
        if found is None:
            return None
        before_ms = window[0] - max(_DAYS_BEFORE * DAY_MS, found.key.timeframe_ms * 24)
        months = [
            month.rows() for month in self._segments(found, window[1]) if month.segment.last_ms >= before_ms
        ]
        series = candle_series(Rows.concat(months, kind), found.key.timeframe_ms)
        return in_units(series, spot_units(symbol, chosen)) if kind is SeriesKind.SPOT else series

    def refuse_sealed(self, window: Window, field: str) -> None:
        """Do nothing if a window ends before the seal; raises SealedError that names the field."""
        if self.sealed_ms is not None and window[1] >= self.sealed_ms:
            raise SealedError.of(field, sealed_words(self.exchange, window[1], self.sealed_ms))

    def _segments(self, series: HeldSeries, until_ms: int) -> Iterator[HeldSegment]:
        return sql.segments(self._connection, [series], until_ms=until_ms, beyond_seals=self._beyond_seals)

    def _chosen(self, symbol: str, window: Window | None) -> list[HeldSeries]:
        return chosen_series(self._of[symbol], self._extents, symbol, window)

    def _has_candles(self, series: HeldSeries, window: Window) -> bool:
        """Return whether a candle of the window is held, or any at all for one shorter than a candle."""
        start_ms, latest_ms = window[0], window[1] - series.key.timeframe_ms
        months = [one for one in self._months.get(series.id, ()) if one.first_ms <= latest_ms]
        if not months:
            return False
        if latest_ms - start_ms < series.key.timeframe_ms - 1:
            # Maybe none is expected; which it is depends on when candles open.
            anchor_ms = months[0].first_ms
            if start_ms + (anchor_ms - start_ms) % series.key.timeframe_ms > latest_ms:
                return True
        inside = [one for one in months if one.last_ms >= start_ms]
        if any(one.first_ms >= start_ms or one.last_ms <= latest_ms for one in inside):
            return True
        return any(self._rows_between(series, start_ms, latest_ms) for _ in inside[:1])

    def _rows_between(self, series: HeldSeries, first_ms: int, last_ms: int) -> bool:
        """Return whether a row is held in a window that lies within one stored month."""
        for month in self._segments(series, last_ms):
            if month.segment.last_ms >= first_ms:
                inside = np.searchsorted(month.rows().times, [first_ms, last_ms + 1])
                return bool(inside[1] > inside[0])
        return False


def _candidates(held: Sequence[HeldSeries], symbol: str) -> list[HeldSeries]:
    """Return the series of a pair, and those of the coin whose spot market may hedge it."""
    names = symbols_read([symbol])
    return [one for one in held if one.key.symbol in names]
