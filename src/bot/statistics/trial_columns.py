"""Results of many trials as columns: whole units and float64 from the replay to the stored blocks."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import accumulate
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.statistics.metrics import from_units, money_units
from bot.statistics.trial_metrics import (
    DIGEST_BYTES,
    KNOWN_OF_HEDGES,
    METRICS,
    OF_HEDGES,
    USUAL_METRICS,
    MetricKind,
    TrialSummary,
    is_real,
    metric_kind,
)

MetricColumn = IntArray | FloatArray
DigestArray = npt.NDArray[np.uint8]
"""Digests as bytes, one row each."""

UNDEFINED = int(np.iinfo(np.int64).min)
"""Value of a whole-number column for a metric that a trial does not have; in float64 columns it is NaN."""


@dataclass(frozen=True, slots=True)
class UnfitAmount:
    """Amount of money of a trial that 64 bits of units cannot hold."""

    metric: str
    amount: Decimal


@dataclass(frozen=True, slots=True, eq=False)
class TrialColumns:
    """Results of n trials in their order, one array of length n for each of `METRICS`.

    The columns of `OF_HEDGES` are left out where no trial was replayed as hedges.
    Money is int64 in units of 1e-8 quote, counts are int64, statistics float64; `UNDEFINED` and NaN stand for
    metrics without a value. `ledgers` are the digests of what accounts booked, shape (n, DIGEST_BYTES).
    `unfit` names, by place, trials with an amount beyond 64 bits: their other values mean nothing.
    """

    metrics: Mapping[str, MetricColumn]
    ledgers: DigestArray
    unfit: Mapping[int, UnfitAmount]

    @classmethod
    def of(cls, summaries: Sequence[TrialSummary]) -> Self:
        """Return the results of trials as columns; a summary that several trials share is converted once."""
        distinct = {id(summary): summary for summary in summaries}
        places = {key: place for place, key in enumerate(distinct)}
        own = distinct.values()
        once = cls.of_values([summary.values() for summary in own], (summary.ledger for summary in own))
        if len(distinct) == len(summaries):
            return once
        return once.take(np.array([places[id(summary)] for summary in summaries], dtype=np.int64))

    @classmethod
    def of_values(cls, rows: Sequence[Mapping[str, Any]], ledgers: Iterable[bytes]) -> Self:
        """Return trials given by the values of their metrics, as `TrialSummary.values` has them."""
        unfit: dict[int, UnfitAmount] = {}
        metrics = {name: _column(name, [row[name] for row in rows], unfit) for name in USUAL_METRICS}
        if any(row.get(KNOWN_OF_HEDGES) is not None for row in rows):
            own = {name: _column(name, [row.get(name) for row in rows], unfit) for name in OF_HEDGES}
            metrics |= own
        digests = np.frombuffer(b"".join(ledgers), dtype=np.uint8)
        return cls(metrics, digests.reshape(len(rows), DIGEST_BYTES), unfit)

    @classmethod
    def concatenated(cls, parts: Sequence["TrialColumns"]) -> Self:
        """Return the trials of all parts, one part after the other."""
        parts = [part for part in parts if len(part)]
        if not parts:
            return cls(_no_columns(), np.empty((0, DIGEST_BYTES), dtype=np.uint8), {})
        known = set[str]().union(*(part.metrics for part in parts))
        names = [name for name in METRICS if name in known]
        if len(parts) == 1 and list(parts[0].metrics) == names:
            return cls(parts[0].metrics, parts[0].ledgers, parts[0].unfit)
        metrics = {name: np.concatenate([part.column(name) for part in parts]) for name in names}
        starts = accumulate((len(part) for part in parts), initial=0)
        unfit = {
            start + place: amount
            for start, part in zip(starts, parts, strict=False)
            for place, amount in part.unfit.items()
        }
        return cls(metrics, np.concatenate([part.ledgers for part in parts]), unfit)

    def __len__(self) -> int:
        return len(self.ledgers)

    def take(self, places: IntArray) -> Self:
        """Return the results of the trials at these places, in this order, any of them repeatedly."""
        if np.array_equal(places, np.arange(len(self))):
            return self
        unfit = {}
        if self.unfit:
            listed = enumerate(places.tolist())
            unfit = {at: self.unfit[place] for at, place in listed if place in self.unfit}
        metrics = {name: column[places] for name, column in self.metrics.items()}
        return type(self)(metrics, self.ledgers[places], unfit)

    def column(self, metric: str) -> MetricColumn:
        """Return the column of a metric, without a value in trials that do not have it."""
        return self.metrics[metric] if metric in self.metrics else no_values(metric, len(self))

    def including(self, metric: str) -> Mapping[str, MetricColumn]:
        """Return all columns, that of a metric among them, whether trials have it or not."""
        return self.metrics if metric in self.metrics else {**self.metrics, metric: self.column(metric)}

    def defined(self, metric: str) -> BoolArray:
        """Return the mask of trials for which a metric has a value."""
        return defined(metric, self.column(metric))

    def row(self, place: int) -> dict[str, Any]:
        """Return the metrics of one trial by name: money as Decimal, counts, statistics or None."""
        return {name: metric_value(name, column[place].item()) for name, column in self.metrics.items()}


def defined(metric: str, column: MetricColumn) -> BoolArray:
    """Return the mask of trials for which the column of a metric has a value."""
    return ~np.isnan(column) if is_real(metric) else column != UNDEFINED


def no_values(metric: str, count: int) -> MetricColumn:
    """Return the column of a metric that none of `count` trials has."""
    return np.full(count, np.nan) if is_real(metric) else np.full(count, UNDEFINED, dtype=np.int64)


@cache
def _no_columns() -> Mapping[str, MetricColumn]:
    return MappingProxyType({name: no_values(name, 0) for name in USUAL_METRICS})


def exact_values(metric: str, column: MetricColumn) -> list[Any]:
    """Return the values of a column: money as Decimal, None where the metric has no value."""
    values: list[Any] = column.tolist()
    if metric_kind(metric) is MetricKind.MONEY:
        return [None if units == UNDEFINED else from_units(units) for units in values]
    known = defined(metric, column)
    if known.all():
        return values
    return [value if has else None for value, has in zip(values, known.tolist(), strict=True)]


def metric_value(metric: str, number: Any) -> Any:
    """Return a number of a column, a metric's or another: money as Decimal, None where there is no value."""
    return metric_values(metric, (number,))[0]


def metric_values(metric: str, numbers: Iterable[Any]) -> list[Any]:
    """Return some numbers of a column as `metric_value` does each; their kind is looked up once."""
    if METRICS.get(metric) is MetricKind.MONEY:
        return [None if number == UNDEFINED else from_units(number) for number in numbers]
    if is_real(metric):
        return [None if number == UNDEFINED or math.isnan(number) else number for number in numbers]
    return [None if number == UNDEFINED else number for number in numbers]


def _column(name: str, values: Sequence[Any], unfit: dict[int, UnfitAmount]) -> MetricColumn:
    if is_real(name):
        return np.array(values, dtype=np.float64)
    if METRICS[name] is MetricKind.MONEY:
        values = _units(name, values, unfit)
    return np.array([UNDEFINED if value is None else value for value in values], dtype=np.int64)


def _units(name: str, amounts: Sequence[Decimal | None], unfit: dict[int, UnfitAmount]) -> list[int | None]:
    """Return amounts in units; those that do not fit are noted in `unfit`, the first of each trial."""
    units: list[int | None] = []
    before: Decimal | None = None
    value: int | None = None
    for place, amount in enumerate(amounts):
        if amount is not before:  # neighbours often share one amount, such as that of the hold baseline
            before, value = amount, None if amount is None else money_units(amount)
        if value is not None and abs(value) > -(UNDEFINED + 1):
            assert amount is not None  # noqa: S101 - it has just been converted
            unfit.setdefault(place, UnfitAmount(name, amount))
            units.append(0)
        else:
            units.append(value)
    return units
