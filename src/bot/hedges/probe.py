"""Look-ahead probe of runs of hedges: rows after a moment must not change anything up to it."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from operator import attrgetter
from random import Random
from typing import Any

from bot.accounting.brackets import Brackets
from bot.backtest.probe import ProbeReport, corrupted_pair, drawn_cuts, first_leak
from bot.config.run_config import RunConfig
from bot.hedges.contracts import EVER
from bot.hedges.engine import replay_hedges
from bot.hedges.window import HedgeWindow
from bot.market.hedge_data import HedgeData, PairKey
from bot.market.records.borrow_rates import BorrowRate
from bot.market.records.bracket_history import DatedBrackets
from bot.market.records.contract_life import Epoch
from bot.market.records.fee_rows import FeeRow
from bot.market.records.kinds import RecordKind
from bot.market.records.recorded import RecordedRows
from bot.market.series import CandleSeries, SymbolData
from bot.market.symbols import market_symbol
from bot.numbers.money import ONE, ZERO
from bot.timestamps import iso

BuildWindow = Callable[[RunConfig, HedgeData], HedgeWindow]
_OPENING = attrgetter("opened_at_ms", "symbol", "quantity", "long_entry", "short_entry")
_MOST_RATE = Decimal("0.5")


def probe_hedges(
    config: RunConfig,
    data: HedgeData,
    *,
    cuts: int = 8,
    seed: int = 0,
    build: BuildWindow = HedgeWindow.build,
) -> ProbeReport:
    """Return whether a run of hedges reads ahead.

    `cuts` moments are drawn; after each, every series and every recorded row is corrupted, and each contract
    whose end is not announced by then ends sooner. What the run did and showed as equity up to the cut is
    compared bit for bit. `build` is the reader of history under test. Units of a contract are those of its
    last epoch, whenever that begins, and stay.
    """
    window = build(config, data)
    honest, events = replay_hedges(config, window), window.calendar.moments
    random = Random(seed)  # noqa: S311 - reproducible cuts, not secrets
    chosen = drawn_cuts(events, cuts, random)
    leaks = []
    # A contract that ends sooner may cover less than is asked for: that is no question of look-ahead.
    lenient = config.model_copy(update={"min_coverage": ZERO})
    for cut_ms in chosen:
        forged = build(lenient, _Forger(data, cut_ms, events, random).data())
        leak = first_leak(honest, replay_hedges(lenient, forged), cut_ms, _OPENING)
        if leak is not None:
            leaks.append(leak)
    return ProbeReport(chosen, tuple(leaks), {})


class _Forger:
    """Corrupts data after a cut; the event that follows it stays one, so that the cut is not the last."""

    def __init__(self, data: HedgeData, cut_ms: int, events: Sequence[int], random: Random) -> None:
        self._data, self._cut_ms, self._random = data, cut_ms, random
        self._start_ms = events[0]
        self._ends = events[bisect_right(events, cut_ms) + 1 :]

    def data(self) -> HedgeData:
        """Return the corrupted data."""
        data = self._data
        pairs = {key: self._pair(key, held) for key, held in data.pairs.items()}
        exchanges = {name: self._recorded(rows) for name, rows in data.exchanges.items()}
        told = f"corrupted after {iso(self._cut_ms)}"
        return replace(data, pairs=pairs, exchanges=exchanges, fingerprint=told)

    def _pair(self, key: PairKey, held: SymbolData) -> SymbolData:
        recorded = self._recorded(held.recorded)
        life = tuple(self._epochs(key, held))
        rows = {**recorded.rows, RecordKind.LIFE: life} if life else recorded.rows
        return replace(corrupted_pair(held, self._cut_ms, self._random), recorded=RecordedRows(rows))

    def _recorded(self, recorded: RecordedRows) -> RecordedRows:
        """Return rows of which those that begin after the cut have wild values."""
        return RecordedRows(
            {
                kind: tuple(
                    row if row.from_ms <= self._cut_ms else self._row(row, is_first=place == 0)
                    for place, row in enumerate(rows)
                )
                for kind, rows in recorded.rows.items()
            }
        )

    def _row(self, row: Any, *, is_first: bool) -> Any:
        if isinstance(row, BorrowRate):
            most = None if row.max_quantity is None else row.max_quantity * self._times()
            return row._replace(hourly_rate=self._rate(row.hourly_rate), max_quantity=most)
        if isinstance(row, FeeRow):
            return row._replace(maker=self._rate(row.maker), taker=self._rate(row.taker))
        if isinstance(row, DatedBrackets) and not is_first:  # the first are in force from ever on
            times = self._times()
            return row._replace(
                brackets=Brackets(one._replace(mmr=min(one.mmr * times, _MOST_RATE)) for one in row.brackets)
            )
        return row

    def _epochs(self, key: PairKey, held: SymbolData) -> Iterator[Epoch]:
        """Yield the epochs of a pair: contracts of which no end is announced by the cut end sooner."""
        lives = held.recorded.lives()
        if "perp" not in lives:
            ever = Epoch("perp", EVER)
            ended = self._ended(key, held, ever)
            if ended is not ever:
                yield ended
        for life in lives.values():
            last = {contract.epochs[-1] for contract in life.contracts}
            for epoch in life.epochs:
                yield self._ended(key, held, epoch) if epoch in last else epoch

    def _ended(self, key: PairKey, held: SymbolData, epoch: Epoch) -> Epoch:
        """Return the last epoch of a contract with another end, and another price to settle at."""
        cut_ms = self._cut_ms
        if epoch.from_ms > cut_ms or (epoch.to_ms is not None and epoch.to_ms <= cut_ms):
            return epoch
        price = (ONE if epoch.settle_price is None else epoch.settle_price) * self._times()
        if epoch.announced_ms is not None and epoch.announced_ms <= cut_ms:
            return epoch if epoch.settle_price is None else epoch._replace(settle_price=price)
        ends = [t_ms for t_ms in self._ends if epoch.to_ms is None or t_ms < epoch.to_ms]
        if not ends or not self._has_candles(key, held, epoch):
            return epoch
        return epoch._replace(to_ms=self._random.choice(ends), announced_ms=None, settle_price=price)

    def _has_candles(self, key: PairKey, held: SymbolData, epoch: Epoch) -> bool:
        """Return False where only rows of after the cut tell that a series of an epoch has any."""
        rows: SymbolData | None = held
        if epoch.stem is not None:
            rows = self._data.pairs.get((key[0], market_symbol(epoch.stem)))
        if rows is None:
            return False
        series = (
            [rows.spot]
            if epoch.market == "spot"
            else [rows.perp, *([] if rows.mark is None else [rows.mark])]
        )
        return all(self._known(one, max(epoch.from_ms, self._start_ms)) for one in series)

    def _known(self, series: CandleSeries, from_ms: int) -> bool:
        closed_ms = series.open_ms + series.timeframe_ms
        return bool(((series.open_ms >= from_ms) & (closed_ms <= self._cut_ms)).any())

    def _rate(self, rate: Decimal) -> Decimal:
        return min((rate + Decimal("0.0001")) * self._times(), _MOST_RATE)

    def _times(self) -> int:
        return self._random.randint(2, 50)
