"""Download of market data from an exchange into the store, page by page, going on where it stopped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.clock import Clock
from bot.errors import ExchangeOfflineError, FetchError
from bot.market.records.bracket_history import BracketHistory, DatedBrackets
from bot.market.records.fee_rows import FeeRow, FeeTable
from bot.market.records.kinds import RecordKey, RecordKind
from bot.market.rows import SeriesKey, SeriesKind
from bot.market_store.fetch.exchange_calls import ExchangeCalls
from bot.market_store.fetch.exchange_markets import (
    Pair,
    fees_of,
    find_pair,
    hyperliquid_maintenance_rate,
    instrument_of,
    is_inverse,
    maintenance_rate,
)
from bot.market_store.fetch.fetch_pages import Page, pages
from bot.market_store.fetch.fetch_records import (
    BASE_TIER,
    LENDING,
    fee_rows_of,
    missing,
    okx_borrow_rates,
)
from bot.market_store.fetch.fetch_series import PAGE_LIMITS, CandleReader, FundingReader, SeriesReader
from bot.market_store.fetch.margin_brackets import (
    WITHOUT_AMOUNTS,
    PublishedTiers,
    Tier,
    brackets_of,
)
from bot.market_store.importers.files.text_lines import Refusal, RefusalLog
from bot.market_store.provenance import Provenance
from bot.market_store.sql import PublishedFees
from bot.market_store.store import HistoricalDataStore
from bot.models import Instrument
from bot.numbers.money import plain

_REFUSALS_KEPT = 100
_SAID = {
    RecordKind.BORROW: "borrow rates",
    RecordKind.BRACKETS: "margin brackets",
    RecordKind.LIFE: "lives of contracts",
}
_KEYED = {
    "binance": (RecordKind.BORROW, RecordKind.BRACKETS),
    "bybit": (RecordKind.BORROW,),
}
"""Kinds that an exchange tells only to who sends the keys of an account."""
_UNPUBLISHED = {
    "hyperliquid": (RecordKind.BORROW, RecordKind.LIFE),
}
"""Kinds of rows that an exchange does not publish; lives of contracts, unless it says more."""
_RULES = ("qty_step", "min_qty", "min_notional", "mmr", "contract_size")

FetchProgress = Callable[[SeriesKey, int, int], None]
"""Called with a series, the ms of the stretch that are done, and all of them."""


@dataclass(slots=True)
class SeriesFetch:
    """Report on one fetched series, or on recorded rows of another kind."""

    key: SeriesKey | RecordKey
    pages: int = 0
    new: int = 0
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "symbol": self.key.symbol,
            "kind": self.key.kind.value,
            "timeframe_ms": self.key.timeframe_ms,
            "pages": self.pages,
            "new": self.new,
            "refused": self.refused,
            "refusals": [refusal.reason for refusal in self.refusals],
        }


@dataclass(slots=True)
class FetchReport:
    """Report on a fetch: series, trading rules and fees by symbol, and remarks."""

    series: list[SeriesFetch] = field(default_factory=list)
    rules: dict[str, Instrument] = field(default_factory=dict)
    fees: dict[str, PublishedFees] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "series": [one.document() for one in self.series],
            "rules": {symbol: self.known(symbol) for symbol in self.rules},
            "remarks": self.remarks,
        }

    def known(self, symbol: str) -> dict[str, str]:
        """Return the trading rules and fees of a symbol as text."""
        rules = {name: plain(getattr(self.rules[symbol], name)) for name in _RULES}
        if not is_inverse(symbol):
            del rules["contract_size"]
        fees = self.fees[symbol]._asdict().items()
        return rules | {name: plain(fee) for name, fee in fees if fee is not None}


class Fetcher:
    """Fetches pairs of one exchange into a store; the time is the exchange's, or else the clock's.

    `report` tells what was fetched so far, also after a fetch that was cut off.
    """

    def __init__(self, store: HistoricalDataStore, exchange: str, calls: ExchangeCalls, clock: Clock) -> None:
        self._store = store
        self._exchange = exchange
        self._calls = calls
        self._limits = PAGE_LIMITS[exchange]
        self._published = PublishedTiers(calls, exchange)
        self._clock = clock
        self.report = FetchReport()

    def fetch(
        self,
        symbols: Sequence[str],
        since_ms: int,
        until_ms: int | None,
        timeframe: str,
        progress: FetchProgress | None = None,
    ) -> FetchReport:
        """Fetch rules, fees, settlements and closed candles of `symbols` in [since_ms, until_ms).

        Each page is stored in one transaction, so that whatever ends this leaves a consistent store.
        Raises: UnknownSymbolError; FetchError if the exchange does not answer.
        """
        markets = self._calls("load_markets")
        pairs = [find_pair(markets, symbol) for symbol in symbols]
        now_ms = self._now_ms()
        until_ms = now_ms if until_ms is None else min(until_ms, now_ms)
        report = self.report = FetchReport()
        for pair in pairs:
            tiers = self._published.of(pair.perp)
            self._fetch_rules(pair, tiers, report)
            self._fetch_brackets(pair, tiers, now_ms)
            self._fetch_borrow_rates(pair, since_ms, until_ms)
            for reader in self._readers(pair, timeframe, report):
                self._fetch_series(reader, since_ms, until_ms, progress)
        self._fetch_fees(markets, now_ms)
        report.remarks += _not_public(self._exchange)
        return report

    def _now_ms(self) -> int:
        if self._calls.client.has.get("fetchTime"):
            return int(self._calls("fetch_time"))
        return self._clock.now_ms()

    def _fetch_rules(self, pair: Pair, tiers: Sequence[Tier], report: FetchReport) -> None:
        rate = maintenance_rate(tiers)
        if self._exchange == "hyperliquid":
            rate = hyperliquid_maintenance_rate(pair.perp)
        if rate is None:
            report.remarks.append(
                f"{pair.symbol}: no maintenance margin rate is public; {Instrument().mmr} is assumed"
            )
        report.rules[pair.symbol] = instrument_of(pair, rate)
        report.fees[pair.symbol] = fees_of(pair)
        self._store.put_instrument(self._exchange, pair.symbol, report.rules[pair.symbol])
        self._store.put_fees(self._exchange, pair.symbol, report.fees[pair.symbol])
        if is_inverse(pair.symbol) and pair.spot is not None:
            coin = Pair(pair.spot_series, {}, pair.spot, pair.spot_series, 1)
            self._store.add_instrument(self._exchange, coin.symbol, instrument_of(coin, None))

    def _fetch_brackets(self, pair: Pair, tiers: Sequence[Tier], now_ms: int) -> None:
        """Store the brackets of today, in force from now on, unless they are those in force already."""
        if RecordKind.BRACKETS in _KEYED.get(self._exchange, ()):
            return
        brackets = brackets_of(tiers, continuous=self._exchange not in WITHOUT_AMOUNTS)
        if brackets is None:
            self.report.remarks.append(f"{pair.symbol}: no margin brackets are published")
            return
        key = RecordKey(self._exchange, pair.symbol, RecordKind.BRACKETS)
        held = BracketHistory(self._store.records(key)).in_force(now_ms)
        done = SeriesFetch(key, pages=1)
        self.report.series.append(done)
        if held is None or held.brackets != brackets:
            self._merge_records(done, key, [DatedBrackets(now_ms, brackets)])

    def _fetch_fees(self, markets: Mapping[str, Any], now_ms: int) -> None:
        """Store the fees of the base tier, in force from now on, unless they are those in force already.

        Schedules from files stay alone: of two tiers without a least volume nobody could tell which is meant.
        """
        key = RecordKey(self._exchange, "", RecordKind.FEES)
        held: list[FeeRow] = self._store.records(key)
        if any(row.tier != BASE_TIER for row in held):
            return
        table, done = FeeTable(held), SeriesFetch(key, pages=1)
        self.report.series.append(done)
        for row in fee_rows_of(markets.values(), now_ms):
            known = table.of_tier(row.market, row.tier, now_ms)
            if known is None or known._replace(from_ms=now_ms) != row:
                self._merge_records(done, key, [row])

    def _fetch_borrow_rates(self, pair: Pair, since_ms: int, until_ms: int) -> None:
        if self._exchange not in LENDING or pair.spot is None:
            return
        key = RecordKey(self._exchange, pair.spot_series, RecordKind.BORROW)
        done, refusals = SeriesFetch(key), RefusalLog()
        self.report.series.append(done)
        try:
            for stretch in missing(since_ms, until_ms, self._store.records(key)):
                found = okx_borrow_rates(self._calls, str(pair.spot["base"]), stretch, refusals)
                # Pages come newest first: after held rates, one without those before it would leave a hole.
                pages = [[*found]] if stretch.follows else ([page] for page in found)
                for some in pages:
                    done.pages += len(some)
                    self._merge_records(done, key, [rate for page in reversed(some) for rate in page])
        except ExchangeOfflineError:
            raise
        except FetchError as error:  # not every coin is lent, and the pair's candles are wanted all the same
            self.report.remarks.append(f"{key.symbol}: no borrow rates: {error.message}")
        done.refused += refusals.count
        done.refusals += refusals.kept[:_REFUSALS_KEPT]

    def _merge_records(self, done: SeriesFetch, key: RecordKey, rows: Sequence[Any]) -> None:
        done.new += self._store.merge_records(key, rows, f"{self._exchange} API").new

    def _readers(self, pair: Pair, timeframe: str, report: FetchReport) -> Iterator[SeriesReader]:
        yield FundingReader(self._calls, self._key(pair.symbol, SeriesKind.FUNDING, 0), self._limits.funding)
        yield self._candles(pair.symbol, SeriesKind.PERP, str(pair.perp["symbol"]), timeframe)
        if self._calls.client.has.get("fetchMarkOHLCV"):
            yield self._candles(pair.symbol, SeriesKind.MARK, str(pair.perp["symbol"]), timeframe)
        if pair.spot is None:
            report.remarks.append(f"{pair.symbol}: there is no spot market to hedge it with")
        else:
            yield self._candles(pair.spot_series, SeriesKind.SPOT, str(pair.spot["symbol"]), timeframe)

    def _candles(self, symbol: str, kind: SeriesKind, market: str, timeframe: str) -> CandleReader:
        timeframe_ms = int(self._calls.client.parse_timeframe(timeframe)) * 1000
        key = self._key(symbol, kind, timeframe_ms)
        return CandleReader(self._calls, key, market, timeframe, self._limits.candles)

    def _key(self, symbol: str, kind: SeriesKind, timeframe_ms: int) -> SeriesKey:
        return SeriesKey(self._exchange, symbol, kind, timeframe_ms)

    def _fetch_series(
        self, reader: SeriesReader, since_ms: int, until_ms: int, progress: FetchProgress | None
    ) -> None:
        done = SeriesFetch(reader.key)
        self.report.series.append(done)
        extent = self._store.extent(reader.key)
        held = None if extent is None else (extent[0], extent[1] + reader.row_ms)
        stretch = pages(since_ms, until_ms, held, reader.span_ms)
        todo = [page for page in stretch if page.length_ms >= reader.row_ms]
        total_ms, done_ms = sum(page.length_ms for page in todo), 0
        at_the_start = False
        for page in todo:
            backwards = held is not None and page.until_ms <= held[0]
            if not (backwards and at_the_start):
                found = self._fetch_page(reader, page, until_ms, done)
                at_the_start = backwards and not found
            done_ms += page.length_ms
            if progress:
                progress(reader.key, done_ms, total_ms)

    def _fetch_page(self, reader: SeriesReader, page: Page, until_ms: int, done: SeriesFetch) -> int:
        refusals = RefusalLog()
        parsed = reader.read(page, until_ms, refusals)
        source = f"{self._exchange} API"
        provenance = Provenance.of(source, parsed.rows.times, parsed.jitter_ms, refusals.count)
        merged = self._store.merge(reader.key, parsed.rows, provenance=provenance)
        refusals.add_all(merged.refused, [(int(parsed.lines[row]), why) for row, why in merged.reasons])
        done.pages += 1
        done.new += merged.new
        done.refused += refusals.count
        done.refusals += refusals.kept[: _REFUSALS_KEPT - len(done.refusals)]
        return len(parsed.rows)


def _not_public(exchange: str) -> list[str]:
    """Return a sentence on what is to be imported from files, and why."""
    keyed, untold = _KEYED.get(exchange, ()), _UNPUBLISHED.get(exchange, (RecordKind.LIFE,))
    found = []
    if keyed:
        said = " and ".join(_SAID[kind] for kind in keyed)
        found.append(f"{exchange} shows {said} only to authenticated accounts: import them from files")
    said = " and ".join(_SAID[kind] for kind in untold)
    return [*found, f"{exchange} does not publish {said}: import them from files"]
