"""Rows of any recorded series in one shape: times and exact columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import numpy as np

from bot.market.series import CandleSeries, FundingSeries
from bot.numbers.arrays import IntArray
from bot.numbers.columns import DecimalColumn, Index
from bot.numbers.money import ONE, ZERO

CANDLE_COLUMNS = ("open", "high", "low", "close", "volume")
FUNDING_COLUMNS = ("funding_rate", "interval_hours", "mark_price", "has_mark")


class SeriesKind(StrEnum):
    """Kind of a recorded series; all but funding are candles."""

    FUNDING = "funding"
    SPOT = "spot"
    PERP = "perp"
    MARK = "mark"

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the value columns."""
        return FUNDING_COLUMNS if self is SeriesKind.FUNDING else CANDLE_COLUMNS


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """Key of a series: `symbol` is the perp symbol for every kind; funding has timeframe 0."""

    exchange: str
    symbol: str
    kind: SeriesKind
    timeframe_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """n rows in any order: times in ms UTC, and the columns that `SeriesKind.columns` names."""

    times: IntArray
    columns: tuple[DecimalColumn, ...]

    @classmethod
    def empty(cls, kind: SeriesKind) -> "Rows":
        """Return no rows."""
        return cls(np.empty(0, dtype=np.int64), tuple(DecimalColumn.concat([]) for _ in kind.columns))

    @classmethod
    def of(cls, times: Sequence[int], values: Sequence[tuple[Decimal, ...]], kind: SeriesKind) -> "Rows":
        """Return rows of the times and, for each, the values of the columns of `kind`."""
        if not values:
            return cls.empty(kind)
        columns = tuple(DecimalColumn.from_decimals(column) for column in zip(*values, strict=True))
        return cls(np.array(times, dtype=np.int64), columns)

    @classmethod
    def concat(cls, parts: Sequence["Rows"], kind: SeriesKind) -> "Rows":
        """Return the rows of all parts, in their order."""
        if not parts:
            return cls.empty(kind)
        columns = zip(*(part.columns for part in parts), strict=True)
        return cls(
            np.concatenate([part.times for part in parts]),
            tuple(DecimalColumn.concat(column) for column in columns),
        )

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, index: Index) -> "Rows":
        """Return the rows at `index`."""
        return Rows(self.times[index], tuple(column[index] for column in self.columns))


def funding_values(rate: Decimal, interval_hours: int, mark: Decimal | None) -> tuple[Decimal, ...]:
    """Return the column values of one settlement."""
    return rate, Decimal(interval_hours), ZERO if mark is None else mark, ZERO if mark is None else ONE


def candle_series(rows: Rows, timeframe_ms: int) -> CandleSeries:
    """Return ascending rows of candles as a series."""
    return CandleSeries(timeframe_ms, rows.times, *rows.columns)


def funding_series(rows: Rows) -> FundingSeries:
    """Return ascending rows of funding as a series."""
    rates, hours, marks, has_mark = rows.columns
    return FundingSeries(
        rows.times,
        rates,
        np.asarray(hours.mantissas, dtype=np.int64),
        marks,
        np.asarray(has_mark.mantissas, dtype=np.bool_),
    )
