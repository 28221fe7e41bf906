"""Recorded history of a pair, read as of a moment: only closed candles, only settled funding."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import cast

import numpy as np

from bot.accounting import formulas
from bot.market.contract_end import derived_end_ms
from bot.market.gaps import missing_settlements
from bot.market.series import CandleSeries, SymbolData
from bot.models import HOUR_MS, ContractEnd, FundingRate, Instrument, MarkCandle, SettlementView, Ticker
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.columns import DecimalColumn, Mantissas
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import EXACT, scaled

_HOURS_8 = Decimal(8)
_VOLUME_CANDLES = 24
_LIMIT = 2**63


@dataclass(frozen=True, slots=True)
class _VolumesAsOf:
    """The volumes of the first `closed` candles of a running sum; later ones cannot be asked for."""

    _running: Mantissas
    _exponent: int
    _closed: int

    def base_volume(self, newest: int, skip: int) -> Decimal | None:
        last = self._closed - max(skip, 0)
        first = last - max(newest, 0)
        if first < 0:
            return None
        return scaled(int(self._running[last]) - int(self._running[first]), self._exponent)


@dataclass(frozen=True, slots=True, eq=False)
class VolumeColumns:
    """The volumes of candles at n moments, at each of those that had closed by then: `closed` of them."""

    running: Mantissas
    exponent: int
    closed: IntArray

    def base_volumes(self, newest: int, skip: int) -> tuple[Mantissas, BoolArray]:
        """Return `base_volume` of each moment, whole over `exponent`, and the mask of those with one."""
        first, last = self.closed - skip - newest, self.closed - skip
        known = first >= 0
        found = self.running[np.where(known, last, 0)] - self.running[np.where(known, first, 0)]
        return cast("Mantissas", found), known


@dataclass(frozen=True, slots=True, eq=False)
class PairSeries:
    """Columns of one pair at n moments, equal to its tickers and views.

    `settles` says where the pair settles, `pays` where there is a mark price to pay on as well; elsewhere any
    rate may stand. `has_high` says where a mark candle has closed since the moment before, `marks_closed` how
    many have closed by then; `paid_mark` is the mark price that funding is paid on. Where there is no price
    yet nothing is fresh, and any number may stand.
    """

    settles: BoolArray
    pays: BoolArray
    interval_hours: IntArray
    fresh: BoolArray
    has_high: BoolArray
    spot: DecimalColumn
    perp: DecimalColumn
    mark: DecimalColumn
    high: DecimalColumn
    paid_mark: DecimalColumn
    rate: DecimalColumn
    rate_8h: DecimalColumn
    volume_24h: DecimalColumn
    volumes: VolumeColumns
    marks_closed: IntArray

    @property
    def unit_funding(self) -> ExactArray:
        """Cash that each settlement moves on a short of one unit."""
        return formulas.unit_funding(ExactArray.of(self.paid_mark), ExactArray.of(self.rate))


@dataclass(frozen=True, slots=True, eq=False)
class MarkColumns:
    """Candles of a pair's marks, when each closed and its high; beside them the closes of those of spot."""

    closed_ms: IntArray
    high: DecimalColumn
    spot_closed_ms: IntArray
    spot: DecimalColumn


class PairHistory:
    """Recorded history of one pair. A candle counts from its close on; index -1 means none has closed yet."""

    def __init__(self, data: SymbolData, instrument: Instrument, max_price_age_ms: Decimal) -> None:
        self.symbol = data.symbol
        self.instrument = instrument
        self.funding = data.funding
        self._max_age_ms = int(max_price_age_ms)
        marks = data.perp if data.mark is None else data.mark
        self._spot, self._perp, self._mark = data.spot.close, data.perp.close, marks.close
        self._mark_high = marks.high
        self._spot_closed = _close_times(data.spot)
        self._perp_closed = _one_of(self._spot_closed, _close_times(data.perp))
        self._mark_closed = _one_of(self._perp_closed, _close_times(marks))
        self._base_volume = _running_sums(data.perp.volume.mantissas)
        self._perp_volume_exponent = data.perp.volume.exponent
        self._quote_volume = _recent_quote_volumes(data.perp)
        self._perp_candles = data.perp
        self._quote_exponent = data.perp.volume.exponent + data.perp.close.exponent

    def records(self, from_ms: int, until_ms: int) -> Iterator[FundingRate]:
        """Yield the settlements in [from_ms, until_ms), each with its own mark price if it has one."""
        part = slice(*np.searchsorted(self.funding.t_ms, [from_ms, until_ms]).tolist())
        for t_ms, rate, hours, mark, has_mark in zip(
            self.funding.t_ms[part].tolist(),
            self.funding.rates.decimals(part),
            self.funding.interval_hours[part].tolist(),
            self.funding.marks.decimals(part),
            self.funding.has_mark[part].tolist(),
            strict=True,
        ):
            yield FundingRate(
                self.symbol, t_ms, rate, hours, mark if has_mark else None, _rate_8h(rate, hours)
            )

    def tickers(self, times: IntArray) -> list[Ticker]:
        """Return the ticker as of each of `times` (ms UTC, ascending)."""
        spot_at, perp_at, mark_at = self._newest(times)
        spots, perps = _closes(self._spot, spot_at), _closes(self._perp, perp_at)
        marks = _closes(self._mark, mark_at)
        fresh = self._is_fresh(self._spot_closed, spot_at, times)
        fresh &= self._is_fresh(self._perp_closed, perp_at, times)
        return [
            Ticker(self.symbol, t_ms, spot, perp, perp if mark is None else mark, is_fresh, volume)
            for t_ms, spot, perp, mark, is_fresh, volume in zip(
                times.tolist(), spots, perps, marks, fresh.tolist(), self._volumes(perp_at), strict=True
            )
        ]

    def series(self, times: IntArray) -> PairSeries:
        """Return the columns of the pair at `times` (ms UTC, ascending)."""
        spot_at, perp_at, mark_at = self._newest(times)
        settles, settled = self._settled(times)
        perp = _rows(self._perp, perp_at)
        has_mark_candle = mark_at >= 0
        mark = _either(has_mark_candle, _rows(self._mark, mark_at), perp)
        has_mark = self.funding.has_mark[settled]
        fresh = self._is_fresh(self._spot_closed, spot_at, times)
        if perp_at is not spot_at:
            fresh &= self._is_fresh(self._perp_closed, perp_at, times)
        has_high, highs = self._highs_between(mark_at + 1)
        rate, hours = _rows(self.funding.rates, settled), self.funding.interval_hours[settled]
        return PairSeries(
            settles=settles,
            pays=settles & (has_mark | has_mark_candle | (perp_at >= 0)),
            interval_hours=hours,
            fresh=fresh,
            has_high=has_high,
            spot=_rows(self._spot, spot_at),
            perp=perp,
            mark=mark,
            high=highs,
            paid_mark=_either(has_mark, _rows(self.funding.marks, settled), mark),
            rate=rate,
            rate_8h=_rates_8h(rate, hours),
            volume_24h=DecimalColumn(self._quote_volume[perp_at + 1], self._quote_exponent),
            volumes=VolumeColumns(self._base_volume, self._perp_volume_exponent, perp_at + 1),
            marks_closed=mark_at + 1,
        )

    def mark_columns(self) -> MarkColumns:
        """Return the candles of the mark series, and what liquidations sell spot at."""
        return MarkColumns(self._mark_closed, self._mark_high, self._spot_closed, self._spot)

    def view(self, record: FundingRate, ticker: Ticker) -> SettlementView:
        """Return the settlement view of a record, given the ticker of its time."""
        funding = record if record.mark_price is not None else replace(record, mark_price=ticker.mark)
        closed = int(np.searchsorted(self._perp_closed, record.t_ms, side="right"))
        volumes = _VolumesAsOf(self._base_volume, self._perp_volume_exponent, closed)
        return SettlementView(funding, ticker, self.instrument, volumes)

    def price_age_ms(self, t_ms: int) -> int | None:
        """Return the age at `t_ms` of the older of the two newest prices, None without both."""
        closed = (self._spot_closed, self._perp_closed)
        newest = [int(np.searchsorted(times, t_ms, side="right")) - 1 for times in closed]
        if min(newest) < 0:
            return None
        return max(t_ms - int(times[at]) for times, at in zip(closed, newest, strict=True))

    def contract_end(self, window_end_ms: int) -> ContractEnd | None:
        """Return the end of the contract as the candles up to `window_end_ms` tell it, None if it lives."""
        ended_ms = derived_end_ms(self._perp_candles, window_end_ms)
        if ended_ms is None:
            return None
        [ticker] = self.tickers(np.array([ended_ms], dtype=np.int64))
        return ContractEnd(ticker)

    def missing_settlements(self, until_ms: int) -> IntArray:
        """Return due times of settlements up to `until_ms` that are not recorded, ascending (ms UTC)."""
        settled = slice(int(np.searchsorted(self.funding.t_ms, until_ms, side="right")))
        intervals_ms = self.funding.interval_hours[settled] * HOUR_MS
        return missing_settlements(self.funding.t_ms[settled], intervals_ms, until_ms)

    def mark_highs(self, times: IntArray) -> list[Decimal | None]:
        """Return, for each of `times` but the first, the highest mark price since the time before.

        Candles that closed in (times[i-1], times[i]] count; None where there is none, and at the first.
        """
        has_high, highs = self._highs_between(_newest(self._mark_closed, times) + 1)
        pairs = zip(has_high.tolist(), highs.mantissas.tolist(), strict=True)
        return [scaled(peak, highs.exponent) if known else None for known, peak in pairs]

    def mark_candles(self, after_ms: int, until_ms: int) -> Iterator[MarkCandle]:
        """Yield the mark series' candles that closed in (after_ms, until_ms], oldest first."""
        low, high = np.searchsorted(self._mark_closed, [after_ms, until_ms], side="right").tolist()
        closed = self._mark_closed[low:high]
        highs = self._mark_high.decimals(slice(low, high))
        for closed_ms, top, ticker in zip(closed.tolist(), highs, self.tickers(closed), strict=True):
            yield MarkCandle(closed_ms, top, ticker)

    def _settled(self, times: IntArray) -> tuple[BoolArray, IntArray]:
        """Return where the pair settles at `times`, and the record of each; elsewhere any record."""
        records = self.funding.t_ms
        settled = np.minimum(np.searchsorted(records, times), len(records) - 1)
        return records[settled] == times, settled

    def _is_fresh(self, closed: IntArray, index: IntArray, times: IntArray) -> BoolArray:
        if not len(closed):
            return np.zeros(len(times), dtype=bool)
        return (index >= 0) & (times - closed[index] <= self._max_age_ms)

    def _newest(self, times: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Return the newest candles of spot, perp and mark as of each of `times` (ms UTC, ascending)."""
        spot_at = _newest(self._spot_closed, times)
        perp_at = spot_at if self._perp_closed is self._spot_closed else _newest(self._perp_closed, times)
        mark_at = perp_at if self._mark_closed is self._perp_closed else _newest(self._mark_closed, times)
        return spot_at, perp_at, mark_at

    def _highs_between(self, bounds: IntArray) -> tuple[BoolArray, DecimalColumn]:
        """Return the highest mark between two numbers of candles that have closed, and where there is one."""
        highs, known = self._mark_high, np.zeros(len(bounds), dtype=np.bool_)
        np.greater(bounds[1:], bounds[:-1], out=known[1:])
        peaks = np.zeros(len(bounds), dtype=highs.mantissas.dtype)
        if known.any():
            begins = bounds[:-1] if known[1:].all() else bounds[:-1][known[1:]]
            peaks[known] = np.maximum.reduceat(highs.mantissas[: bounds[-1]], begins)
        return known, DecimalColumn(cast("Mantissas", peaks), highs.exponent)

    def _volumes(self, perp_at: IntArray) -> list[Decimal]:
        return [scaled(volume, self._quote_exponent) for volume in self._quote_volume[perp_at + 1].tolist()]


def _close_times(candles: CandleSeries) -> IntArray:
    return candles.open_ms + candles.timeframe_ms


def _one_of(known: IntArray, other: IntArray) -> IntArray:
    """Return `other`, as `known` itself where both hold the same: then both are searched at once."""
    return known if np.array_equal(known, other) else other


def _newest(closed: IntArray, times: IntArray) -> IntArray:
    return np.searchsorted(closed, times, side="right") - 1


def _closes(column: DecimalColumn, index: IntArray) -> list[Decimal | None]:
    if not len(column):
        return [None] * len(index)
    return [
        None if at < 0 else price for at, price in zip(index.tolist(), column.decimals(index), strict=True)
    ]


def _rows(column: DecimalColumn, index: IntArray) -> DecimalColumn:
    """Return the rows at `index`; where that is -1, any."""
    if not len(column):
        return DecimalColumn(np.zeros(len(index), dtype=np.int64), column.exponent)
    return DecimalColumn(column.mantissas[index], column.exponent)


def _either(first: BoolArray, ones: DecimalColumn, others: DecimalColumn) -> DecimalColumn:
    exponent = min(ones.exponent, others.exponent)
    if first.all():
        return DecimalColumn(ones.mantissas_over(exponent), exponent)
    chosen = np.where(first, ones.mantissas_over(exponent), others.mantissas_over(exponent))
    return DecimalColumn(cast("Mantissas", chosen), exponent)


def _rates_8h(rates: DecimalColumn, hours: IntArray) -> DecimalColumn:
    if rates.mantissas.dtype != object and not (8 % hours).any():
        return DecimalColumn(rates.mantissas * (8 // hours), rates.exponent)
    pairs = zip(rates.decimals(), hours.tolist(), strict=True)
    return DecimalColumn.from_decimals([_rate_8h(rate, each) for rate, each in pairs])


def _rate_8h(rate: Decimal, hours: int) -> Decimal:
    return EXACT.divide(EXACT.multiply(rate, _HOURS_8), Decimal(hours))


def _recent_quote_volumes(perp: CandleSeries) -> Mantissas:
    """Return, for no candle and then as of each, price x volume of the newest 24 (fewer, if fewer).

    Running sums may wrap round in 64 bits; the difference of two is right where it fits itself.
    """
    volumes, closes = perp.volume.mantissas, perp.close.mantissas
    if _largest(volumes) * _largest(closes) * _VOLUME_CANDLES >= _LIMIT:
        volumes = volumes.astype(object)
    running = _from_zero(volumes * closes)
    oldest = np.maximum(np.arange(len(running)) - _VOLUME_CANDLES, 0)
    return cast("Mantissas", running - running[oldest])


def _running_sums(amounts: Mantissas) -> Mantissas:
    """Return the sums of the first 0, 1, 2, ... amounts."""
    if _largest(amounts) * len(amounts) >= _LIMIT:
        amounts = amounts.astype(object)
    return _from_zero(amounts)


def _from_zero(amounts: Mantissas) -> Mantissas:
    return cast("Mantissas", np.concatenate(([0], np.cumsum(amounts))))


def _largest(amounts: Mantissas) -> int:
    return int(np.abs(amounts).max(initial=0))
