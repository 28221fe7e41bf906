"""One series of an exchange, read page by page through ccxt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.market.intervals import inferred_hours, is_settled
from bot.market.rows import SeriesKey, SeriesKind
from bot.market.rules import RowRefusedError, market_number, time_ms
from bot.market_store.fetch.exchange_calls import ExchangeCalls
from bot.market_store.fetch.fetch_pages import Page
from bot.market_store.importers.files.text_lines import RefusalLog
from bot.market_store.importers.parsing import Content, Parsed, Settlement, candles, funding
from bot.models import DAY_MS, HOUR_MS
from bot.plurals import counted

_CONTEXT_MS = DAY_MS
"""Extra time asked for on both sides of a page, to tell whether its last interval is certain."""

_SLACK_MS = 60_000


@dataclass(frozen=True, slots=True)
class PageLimits:
    """Rows in one answer of an exchange. A funding answer spans as many hours: settlements may be hourly."""

    candles: int
    funding: int


PAGE_LIMITS = {
    "binance": PageLimits(1000, 1000),
    "bybit": PageLimits(1000, 200),
    "okx": PageLimits(100, 100),
    "hyperliquid": PageLimits(500, 500),
}


class SeriesReader(Protocol):
    """A series that can be read in pages of at most `span_ms`."""

    @property
    def key(self) -> SeriesKey:
        """Return the key of the series."""

    @property
    def span_ms(self) -> int:
        """Return the time that one answer covers, in ms."""

    @property
    def row_ms(self) -> int:
        """Return the duration of a row in ms."""

    def read(self, page: Page, until_ms: int, refusals: RefusalLog) -> Parsed:
        """Return the rows of a page; nothing from `until_ms` on is known yet."""


@dataclass(frozen=True, slots=True)
class CandleReader:
    """Candles of a market; `price` is `mark` for mark prices."""

    calls: ExchangeCalls
    key: SeriesKey
    market: str
    timeframe: str
    limit: int

    @property
    def span_ms(self) -> int:
        """Return the time that one answer covers, in ms."""
        return self.limit * self.key.timeframe_ms

    @property
    def row_ms(self) -> int:
        """Return the candle interval."""
        return self.key.timeframe_ms

    def read(self, page: Page, until_ms: int, refusals: RefusalLog) -> Parsed:
        """Return the candles that open in the page and have closed by `until_ms`."""
        params: dict[str, Any] = {"until": page.until_ms - 1}
        if self.key.kind is SeriesKind.MARK:
            params |= {"price": "mark"}
        answer = self.calls("fetch_ohlcv", self.market, self.timeframe, page.from_ms, self.limit, params)
        latest_ms = min(page.until_ms - 1, until_ms - self.key.timeframe_ms)
        rows = [row for row in answer if page.from_ms <= int(row[0]) <= latest_ms]
        content = Content(self.key.symbol, self.key.kind, self.key.timeframe_ms)
        return candles(content, enumerate(rows, start=1), _candle, refusals)


@dataclass(frozen=True, slots=True)
class FundingReader:
    """Settlements of a perp, without their intervals: the store infers them over the whole series."""

    calls: ExchangeCalls
    key: SeriesKey
    limit: int
    row_ms: int = 1

    @property
    def span_ms(self) -> int:
        """Return the time that one answer covers, without the context on both sides, in ms."""
        return self.limit * HOUR_MS - 2 * _CONTEXT_MS - 2 * _SLACK_MS

    def read(self, page: Page, until_ms: int, refusals: RefusalLog) -> Parsed:
        """Return the settlements of the page.

        The last one known is left for a later fetch if only its successor can tell its interval.
        """
        first_ms = page.from_ms - _CONTEXT_MS
        beyond_ms = min(page.until_ms + _CONTEXT_MS, until_ms)
        answer = self._asked(first_ms - _SLACK_MS, beyond_ms + _SLACK_MS)
        own = RefusalLog()
        parsed = funding(self.key.symbol, enumerate(answer, start=1), _settlement, own)
        refusals.add_all(own.count, [(one.line, one.reason) for one in own.kept])
        times = sorted(set(parsed.rows.times.tolist()))
        latest_ms = min(page.until_ms, until_ms + 1) - 1
        if times and beyond_ms == until_ms and not is_settled(inferred_hours(times), times):
            latest_ms = min(latest_ms, times[-1] - 1)
        kept = (parsed.rows.times >= page.from_ms) & (parsed.rows.times <= latest_ms)
        return parsed.at(kept)

    def _asked(self, from_ms: int, until_ms: int) -> Sequence[Any]:
        # OKX takes an upper bound of its own and then answers the newest rows below it.
        if self.key.exchange == "okx":
            found = self.calls(
                "fetch_funding_rate_history", self.key.symbol, None, self.limit, {"after": until_ms + 1}
            )
        else:
            found = self.calls(
                "fetch_funding_rate_history", self.key.symbol, from_ms, self.limit, {"until": until_ms}
            )
        return [record for record in found if from_ms <= int(record["timestamp"]) <= until_ms]


def _candle(row: Sequence[Any]) -> tuple[int, list[str]]:
    if len(row) != 6:
        raise RowRefusedError(f"{counted(len(row), 'value')} instead of 6")
    *prices, volume = row[1:]
    return time_ms(str(row[0])), [*map(str, prices), "0" if volume is None else str(volume)]


def _settlement(record: Any) -> Settlement:
    told = (record.get("info") or {}).get("markPrice")
    return Settlement(
        time_ms(str(record["timestamp"])),
        market_number(str(record["fundingRate"]), "funding_rate"),
        None,
        market_number(str(told), "mark_price") if told else None,
    )
