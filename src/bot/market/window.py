"""Everything that the trials of one window share: built once, replayed many times."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Self

import numpy as np

from bot.accounting.trading_costs import TradingCosts
from bot.config.hedge_checks import refuse_hedges
from bot.config.run_config import RunConfig
from bot.errors import InsufficientDataError
from bot.market.after_end import AfterEnd
from bot.market.coverage import Coverage, check_coverage, coverage
from bot.market.event_columns import EventColumns
from bot.market.history import MarkColumns, PairHistory, PairSeries
from bot.market.missed_settlements import MissingSettlements
from bot.market.records.fee_rows import FeeTable
from bot.market.records.recorded_fees import recorded_fees
from bot.market.series import MarketData
from bot.memo import Memo
from bot.models import ContractEnd, FundingRate, Instrument, MarkCandle, MarketEvent, SettlementView, Ticker
from bot.numbers.arrays import IntArray
from bot.numbers.numbering import occurring
from bot.statistics.metrics import Calendar
from bot.timestamps import iso

_MOST_SHARED = 16


@dataclass(frozen=True, eq=False)
class ReplayWindow:
    """The events of a window, oldest first, and what each shows; immutable, shared by trials.

    `past` holds the settlements before the window, pair by pair, for signals to warm up on.
    `contract_ends` holds the pairs whose contract ended longer than a day before the window does.
    `synthetic` says that some of its rows were generated.
    """

    exchange: str
    fingerprint: str
    past: tuple[FundingRate, ...]
    events: tuple[MarketEvent, ...]
    calendar: Calendar
    instruments: Mapping[str, Instrument]
    coverage: Mapping[str, Coverage]
    contract_ends: Mapping[str, ContractEnd]
    fee_table: FeeTable | None
    synthetic: bool
    _pairs: Mapping[str, PairHistory]
    _end_ms: int

    @classmethod
    def build(cls, config: RunConfig, data: MarketData) -> Self:
        """Return the window that `config` asks for, from histories that end no later than it does.

        Raises: InsufficientDataError where the store covers too little of it.
        """
        covered, instruments, pairs, times = _checked(config, data)
        events = tuple(market_events(pairs, times))
        past = tuple(record for pair in pairs.values() for record in pair.records(0, config.start))
        calendar = Calendar.of(times)
        found = {symbol: pair.contract_end(config.end) for symbol, pair in pairs.items()}
        ends = {symbol: end for symbol, end in found.items() if end is not None}
        made_up = any(one.synthetic for one in data.symbols)
        shared = past, events, calendar, instruments, covered, ends, data.recorded.fees(), made_up, pairs
        return cls(data.exchange, data.fingerprint, *shared, config.end)

    @cached_property
    def event_columns(self) -> EventColumns:
        """The events as a trader follows them."""
        return EventColumns(self.events, self.event_series)

    @cached_property
    def shared(self) -> Memo:
        """Answers that runs of the window share, by a name of theirs; none may hold the window itself."""
        return Memo(_MOST_SHARED)

    @property
    def prices(self) -> int:
        """Number of prices it holds: one an event and pair."""
        return len(self.events) * len(self.instruments)

    @property
    def market_ends(self) -> dict[str, int]:
        """End of the contract of each pair that ended, ms UTC."""
        return {symbol: end.at_ms for symbol, end in self.contract_ends.items()}

    def ends_for(self, config: RunConfig) -> Mapping[str, ContractEnd]:
        """Return the ends that a run meets: recorded ones, and derived ones if it asks for them."""
        if config.end_dead_markets:
            return self.contract_ends
        return {symbol: end for symbol, end in self.contract_ends.items() if end.recorded}

    def costs(self, config: RunConfig) -> TradingCosts:
        """Return fees, fills and style of an account under `config`.

        Raises: InsufficientDataError where it asks for fee schedules that are not held.
        """
        if config.fee_model == "flat":
            return config.costs
        fees = recorded_fees(config, self.fee_table)
        return config.costs._replace(fees=fees)

    @cached_property
    def after_end(self) -> Mapping[str, AfterEnd]:
        """Settlements posted after the end of each contract that ended, by pair."""
        return {symbol: self._after(end) for symbol, end in self.contract_ends.items()}

    @cached_property
    def missing(self) -> Mapping[str, MissingSettlements]:
        """The settlements that are not recorded, of each pair that lacks any.

        After the end of its contract nothing falls due.
        """
        ends = self.market_ends
        found = {
            symbol: pair.missing_settlements(min(self._end_ms, ends.get(symbol, self._end_ms)))
            for symbol, pair in self._pairs.items()
        }
        return {symbol: MissingSettlements(times) for symbol, times in found.items() if len(times)}

    def series(self, symbol: str) -> PairSeries:
        """Return the columns of a pair at the events at which it settles."""
        pair, times = self._pairs[symbol], self.calendar.times_ms
        return pair.series(times[np.isin(times, pair.funding.t_ms)])

    def event_series(self, symbol: str) -> PairSeries:
        """Return the columns of a pair at all events, whether it settles there or not."""
        return self._pairs[symbol].series(self.calendar.times_ms)

    def mark_columns(self, symbol: str) -> MarkColumns:
        """Return the candles of a pair's mark series."""
        return self._pairs[symbol].mark_columns()

    def price_age_ms(self, symbol: str, t_ms: int) -> int | None:
        """Return the age at `t_ms` of the older of a pair's two prices, None without both."""
        return self._pairs[symbol].price_age_ms(t_ms)

    def mark_candles(self, symbol: str, after_ms: int, until_ms: int) -> Iterator[MarkCandle]:
        """Yield the candles of the mark series that closed in (after_ms, until_ms], oldest first."""
        return self._pairs[symbol].mark_candles(after_ms, until_ms)

    def candle_reader(self, symbol: str) -> Callable[[int, int], Iterator[MarkCandle]]:
        """Return `mark_candles` of a pair, for what may outlast the window."""
        return self._pairs[symbol].mark_candles

    def _after(self, end: ContractEnd) -> AfterEnd:
        pair = self._pairs[end.ticker.symbol]
        posted = pair.funding.t_ms
        times = posted[(posted > end.at_ms) & (posted <= self._end_ms)]
        return AfterEnd(end, times, pair.series(times).unit_funding)


def check_window(config: RunConfig, data: MarketData) -> None:
    """Raise the InsufficientDataError that a run over the window would, without the work of building it."""
    _checked(config, data)
    if config.fee_model != "flat":
        recorded_fees(config, data.recorded.fees())


def _checked(
    config: RunConfig, data: MarketData
) -> tuple[dict[str, Coverage], dict[str, Instrument], dict[str, PairHistory], IntArray]:
    """Return coverage, trading rules and history of each pair, and when anything settles."""
    refuse_hedges(config)
    covered = {item.symbol: coverage(item, config.start, config.end) for item in data.symbols}
    for item in data.symbols:
        check_coverage(item, covered[item.symbol], config.start, config.end, config.min_coverage)
    instruments = {item.symbol: _instrument(config, item.instrument) for item in data.symbols}
    pairs = {
        item.symbol: PairHistory(item, instruments[item.symbol], config.max_price_age_ms)
        for item in data.symbols
    }
    return covered, instruments, pairs, _event_times(config, pairs)


def _instrument(config: RunConfig, held: Instrument) -> Instrument:
    return held if config.instrument is None else config.instrument.applied_to(held)


def _event_times(config: RunConfig, pairs: Mapping[str, PairHistory]) -> IntArray:
    held = np.concatenate([pair.funding.t_ms for pair in pairs.values()])
    times = occurring(held[(held >= config.start) & (held <= config.end)])
    if not len(times):
        raise InsufficientDataError.of(
            "start", f"no settlement is held from {iso(config.start)} to {iso(config.end)}"
        )
    return times


def market_events(pairs: Mapping[str, PairHistory], times: IntArray) -> Iterator[MarketEvent]:
    """Yield what each of `times` (ms UTC, ascending) shows; replays and paper trading build events here only.

    Settlements at other times are left out; the highs of an event reach back to the time before it.
    """
    settling: dict[int, list[SettlementView]] = {t_ms: [] for t_ms in times.tolist()}
    tickers: list[list[Ticker]] = []
    highs: list[list[Decimal | None]] = []
    for pair in pairs.values():
        own = pair.tickers(times)
        tickers.append(own)
        highs.append(pair.mark_highs(times))
        by_time = {ticker.t_ms: ticker for ticker in own}
        for record in pair.records(int(times[0]), int(times[-1]) + 1):
            if record.t_ms in settling:
                settling[record.t_ms].append(pair.view(record, by_time[record.t_ms]))
    for t_ms, now, tops in zip(
        times.tolist(), zip(*tickers, strict=True), zip(*highs, strict=True), strict=True
    ):
        views = settling[t_ms]
        decidable = tuple(view for view in views if view.ticker.fresh)
        yield MarketEvent(
            t_ms,
            dict(zip(pairs, now, strict=True)),
            tuple(views),
            decidable,
            {symbol: top for symbol, top in zip(pairs, tops, strict=True) if top is not None},
        )
