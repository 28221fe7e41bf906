"""Contracts of the markets that hedges trade: rows that are theirs, in the units of a hedge."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import accumulate
from operator import mul
from typing import NamedTuple

import numpy as np

from bot.market.gaps import missing_settlements
from bot.market.records.contract_life import ContractLife, Epoch, RecordedContract
from bot.market.series import CandleSeries, SymbolData
from bot.market.symbols import market_symbol
from bot.models import HOUR_MS
from bot.numbers.columns import DecimalColumn
from bot.numbers.money import WIDE

EVER = -(10**18)
"""Beginning of an epoch that no life records."""
_DAY_OF_CANDLES = 24


class Record(NamedTuple):
    """Settlement of a perp: `rate` is a fraction per interval, `mark` the exchange's own price if given."""

    t_ms: int
    rate: Decimal
    interval_hours: int
    mark: Decimal | None


class RunningSums:
    """Sums of whole amounts times `10**exponent` up to each place of a column, exact."""

    __slots__ = ("_exponent", "_sums")

    def __init__(self, whole: Iterable[int], exponent: int) -> None:
        self._sums = list(accumulate(whole, initial=0))
        self._exponent = exponent

    def between(self, first: int, stop: int) -> Decimal:
        """Return the sum of the amounts at the places from `first` to below `stop`."""
        return Decimal(self._sums[stop] - self._sums[first]).scaleb(self._exponent, context=WIDE)


class Candles:
    """Candles of one contract, ascending by their distinct close times, ms UTC; volume in base units.

    Columns become numbers when they are first asked for: few runs look at all of them.
    """

    def __init__(self, parts: Sequence[CandleSeries]) -> None:
        closed = [part.open_ms + part.timeframe_ms for part in parts]
        self.closed_ms: list[int] = np.concatenate(closed).tolist() if closed else []
        self._parts = parts

    @cached_property
    def highs(self) -> list[Decimal]:
        """Highest prices."""
        return DecimalColumn.concat([part.high for part in self._parts]).decimals()

    @cached_property
    def lows(self) -> list[Decimal]:
        """Lowest prices."""
        return DecimalColumn.concat([part.low for part in self._parts]).decimals()

    @cached_property
    def closes(self) -> list[Decimal]:
        """Last prices."""
        return DecimalColumn.concat([part.close for part in self._parts]).decimals()

    @cached_property
    def volumes(self) -> RunningSums:
        """Base volumes."""
        column = self._volume
        return RunningSums(column.mantissas.tolist(), column.exponent)

    @cached_property
    def turnovers(self) -> RunningSums:
        """Quote volumes at the last prices."""
        column, closes = self._volume, DecimalColumn.concat([part.close for part in self._parts])
        amounts = map(mul, column.mantissas.tolist(), closes.mantissas.tolist())
        return RunningSums(amounts, column.exponent + closes.exponent)

    @property
    def _volume(self) -> DecimalColumn:
        return DecimalColumn.concat([part.volume for part in self._parts])

    def count(self, t_ms: int) -> int:
        """Return how many have closed by `t_ms`."""
        return bisect_right(self.closed_ms, t_ms)

    def close(self, t_ms: int) -> Decimal | None:
        """Return the close of the newest closed candle, however old."""
        count = bisect_right(self.closed_ms, t_ms)
        return self.closes[count - 1] if count else None

    def age_ms(self, t_ms: int) -> int | None:
        """Return how long ago the newest closed candle closed."""
        count = bisect_right(self.closed_ms, t_ms)
        return t_ms - self.closed_ms[count - 1] if count else None

    def between(self, after_ms: int, until_ms: int) -> range:
        """Return the places of the candles that close in (after_ms, until_ms]."""
        return range(self.count(after_ms), self.count(until_ms))

    def nth_after(self, t_ms: int, count: int) -> int | None:
        """Return when the `count`-th candle after `t_ms` closes, None if the rows end before."""
        place = self.count(t_ms) + count - 1
        return self.closed_ms[place] if place < len(self.closed_ms) else None

    def first_from(self, t_ms: int) -> int | None:
        """Return when the first candle at or after `t_ms` closes, None if the rows end before."""
        place = bisect_left(self.closed_ms, t_ms)
        return self.closed_ms[place] if place < len(self.closed_ms) else None


@dataclass(frozen=True, slots=True, eq=False)
class Contract:
    """One contract of a market, for ever (`to_ms` None) or until its recorded end.

    `trades` is its trade series, `marks` its mark series, `records` its settlements. Prices and volumes are
    in the units of a hedge. `from_ms` is its recorded beginning, else its first stored row; `announced_ms`
    and `settle_price` are those of its end. `factors` are units of the market in one of
    the hedge, by the beginning of their epoch.
    """

    from_ms: int
    to_ms: int | None
    announced_ms: int | None
    settle_price: Decimal | None
    trades: Candles
    marks: Candles
    records: tuple[Record, ...]
    settled_ms: list[int] = field(default_factory=list)
    factors: tuple[tuple[int, Decimal], ...] = ()

    def lives(self, t_ms: int) -> bool:
        """Return whether it is traded at `t_ms`: its end is outside."""
        return self.from_ms <= t_ms and not self.has_ended(t_ms)

    def has_ended(self, t_ms: int) -> bool:
        """Return whether its end has come."""
        return self.to_ms is not None and self.to_ms <= t_ms

    def end_announced(self, t_ms: int) -> bool:
        """Return whether its end is known at `t_ms`."""
        return self.announced_ms is not None and self.announced_ms <= t_ms

    def price(self, t_ms: int) -> Decimal | None:
        """Return the close of the newest closed trade candle."""
        return self.trades.close(t_ms)

    def known_price(self, t_ms: int) -> Decimal:
        """Return the price of a contract that is held, and so has one."""
        price = self.trades.close(t_ms)
        if price is None:
            raise ValueError(f"no candle has closed by {t_ms}")
        return price

    def is_fresh(self, t_ms: int, max_age_ms: Decimal) -> bool:
        """Return whether the newest trade candle closed recently enough to trade on."""
        age_ms = self.trades.age_ms(t_ms)
        return age_ms is not None and age_ms <= max_age_ms

    def mark(self, t_ms: int) -> Decimal | None:
        """Return the close of the newest closed mark candle, before the first the trade price."""
        mark = self.marks.close(t_ms)
        return self.price(t_ms) if mark is None else mark

    def known_mark(self, t_ms: int) -> Decimal:
        """Return the mark price of a contract that is held."""
        mark = self.marks.close(t_ms)
        return self.known_price(t_ms) if mark is None else mark

    def factor(self, t_ms: int) -> Decimal:
        """Return how many units of the market one of the hedge is at `t_ms`."""
        return next(
            (factor for from_ms, factor in reversed(self.factors) if from_ms <= t_ms), self.factors[0][1]
        )

    def record_at(self, t_ms: int) -> Record | None:
        """Return the settlement at `t_ms`, None if it does not settle then."""
        newest = self.newest_record(t_ms)
        return newest if newest is not None and newest.t_ms == t_ms else None

    def newest_record(self, t_ms: int) -> Record | None:
        """Return the newest settlement by `t_ms`."""
        count = bisect_right(self.settled_ms, t_ms)
        return self.records[count - 1] if count else None

    def missing_settlements(self, until_ms: int) -> list[int]:
        """Return when settlements fell due by `until_ms` that are not recorded; after its end none do."""
        count = bisect_right(self.settled_ms, until_ms)
        last_ms = until_ms if self.to_ms is None else min(until_ms, self.to_ms - 1)
        hours = np.array([record.interval_hours for record in self.records[:count]], dtype=np.int64)
        times = np.array(self.settled_ms[:count], dtype=np.int64)
        found: list[int] = missing_settlements(times, hours * HOUR_MS, last_ms).tolist()
        return found

    def day_volume(self, t_ms: int) -> Decimal:
        """Return the base volume of the 24 newest closed trade candles, fewer if fewer exist."""
        count = self.trades.count(t_ms)
        return self.trades.volumes.between(max(0, count - _DAY_OF_CANDLES), count)

    def day_turnover(self, t_ms: int) -> Decimal:
        """Return the quote volume of the 24 newest closed trade candles, fewer if fewer exist."""
        count = self.trades.count(t_ms)
        return self.trades.turnovers.between(max(0, count - _DAY_OF_CANDLES), count)

    def base_volume(self, t_ms: int, newest: int, skip: int) -> Decimal | None:
        """Return the base volume of `newest` closed candles before the `skip` newest, None if fewer."""
        stop = self.trades.count(t_ms) - skip
        return None if stop < newest else self.trades.volumes.between(stop - newest, stop)


class MarketRows(NamedTuple):
    """Rows of the stems of one market: its own, and those of other pairs, by symbol, that epochs name."""

    own: SymbolData
    stems: Mapping[str, SymbolData]
    is_perp: bool
    life: ContractLife | None

    def of(self, epoch: Epoch) -> SymbolData | None:
        """Return the rows of the stem of an epoch, None if it is not held."""
        return self.own if epoch.stem is None else self.stems.get(market_symbol(epoch.stem))


def contracts_of(rows: MarketRows, units: Decimal, unit_coins: Decimal) -> tuple[Contract, ...]:
    """Return the contracts of a market, oldest first; one for ever without a recorded life.

    A unit of the hedge is `units` coins, one of the market `unit_coins` where an epoch does not say.
    """
    if rows.life is None:
        return (_contract(rows, RecordedContract((Epoch("", EVER),)), units, unit_coins),)
    return tuple(_contract(rows, one, units, unit_coins) for one in rows.life.contracts)


def _contract(rows: MarketRows, recorded: RecordedContract, units: Decimal, unit_coins: Decimal) -> Contract:
    trades: list[CandleSeries] = []
    marks: list[CandleSeries] = []
    records: list[Record] = []
    begins: list[int] = []
    factors: list[tuple[int, Decimal]] = []
    # Rows that are held but not visible yet decide as well which series it is.
    has_marks = rows.is_perp and recorded.from_ms in rows.own.marked_later
    for epoch in recorded.epochs:
        factor = units / (unit_coins if epoch.units is None else epoch.units)
        factors.append((epoch.from_ms, factor))
        data = rows.of(epoch)
        if data is None:
            continue
        power = factor.adjusted()
        series = data.perp if rows.is_perp else data.spot
        trades.append(_owned(series, epoch, power))
        if rows.is_perp:
            if data.mark is not None:
                marks.append(_owned(data.mark, epoch, power))
                begins += _first(data.mark.open_ms.tolist())
                has_marks = has_marks or any(map(len, marks)) or rows.life is None
            records += _records(data, epoch, factor)
            begins += _first(data.funding.t_ms.tolist())
        begins += _first(series.open_ms.tolist())
    series_of_trades = Candles(trades)
    settle_price = recorded.settle_price
    if settle_price is not None:
        settle_price *= factors[-1][1]
    return Contract(
        from_ms=min(begins, default=EVER) if recorded.from_ms == EVER else recorded.from_ms,
        to_ms=recorded.to_ms,
        announced_ms=recorded.epochs[-1].announced_ms,
        settle_price=settle_price,
        trades=series_of_trades,
        marks=Candles(marks) if has_marks else series_of_trades,
        records=tuple(records),
        settled_ms=[record.t_ms for record in records],
        factors=tuple(factors),
    )


def _first(times: list[int]) -> list[int]:
    return times[:1]


def _owned(series: CandleSeries, epoch: Epoch, power: int) -> CandleSeries:
    """Return the candles that open and close within an epoch, prices times ten to the `power`."""
    closed_ms = series.open_ms + series.timeframe_ms
    first = int(np.searchsorted(series.open_ms, epoch.from_ms))
    stop = len(series) if epoch.to_ms is None else int(np.searchsorted(closed_ms, epoch.to_ms, side="right"))
    own = series[first : max(first, stop)]
    if not power:
        return own
    opens, highs, lows, closes = (column.scaled(power) for column in (own.open, own.high, own.low, own.close))
    return CandleSeries(own.timeframe_ms, own.open_ms, opens, highs, lows, closes, own.volume.scaled(-power))


def _records(data: SymbolData, epoch: Epoch, factor: Decimal) -> list[Record]:
    funding = data.funding
    marks, rates = funding.marks.decimals(), funding.rates.decimals()
    hours, known = funding.interval_hours.tolist(), funding.has_mark.tolist()
    return [
        Record(t_ms, rates[place], hours[place], marks[place] * factor if known[place] else None)
        for place, t_ms in enumerate(funding.t_ms.tolist())
        if epoch.owns_settlement(t_ms)
    ]
