"""One value for many trials: best, mean, median or worst of each group, exact where the metric is."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.money import EXACT, book
from sweeps.blocks import Column
from sweeps.columns import money_of_units
from sweeps.metrics import METRICS, Direction, MetricKind, natural_direction
from sweeps.spec import SweepSpec

Indices = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]
_HALF_BITS = 32
_LOW_HALF = (1 << _HALF_BITS) - 1
_SMALL = 1 << 16


class Aggregate(StrEnum):
    """How the trials behind one value become it."""

    BEST = "best"
    MEAN = "mean"
    MEDIAN = "median"
    WORST = "worst"


@dataclass(frozen=True, slots=True)
class Groups:
    """Trials by ascending number with the value of one metric each, and the group each belongs to, from 0."""

    metric: str
    maximize: bool
    numbers: Indices
    values: Column
    ids: Indices
    size: int

    @property
    def counts(self) -> Indices:
        """How many trials are in each group."""
        return np.bincount(self.ids, minlength=self.size)


@dataclass(frozen=True, slots=True)
class Summary:
    """One group: its value, the trial that shows it (for a mean, the best one), and how many it sums up."""

    group: int
    value: Decimal | float | int
    number: int
    count: int


def is_maximized(spec: SweepSpec, metric: str) -> bool:
    """Return whether more of a metric is better: as the objective says, else as it is usually wanted."""
    objective = spec.objective
    direction = objective.direction if metric == objective.metric else natural_direction(metric)
    return direction is Direction.MAXIMIZE


def summarize(groups: Groups, aggregate: Aggregate) -> list[Summary]:
    """Return one summary for each group that has trials, in order of groups."""
    held = np.flatnonzero(groups.counts)
    if not len(held):
        return []
    if aggregate is Aggregate.MEDIAN:
        values, places = _medians(groups, held)
    else:
        places = _extremes(groups, high=groups.maximize != (aggregate is Aggregate.WORST))[held]
        values = _exact(groups.metric, groups.values[places].tolist())
    if aggregate is Aggregate.MEAN:
        values = _means(groups, held)
    numbers, counts = groups.numbers[places].tolist(), groups.counts[held].tolist()
    return [Summary(*row) for row in zip(held.tolist(), values, numbers, counts, strict=True)]


def group_levels(groups: Groups, aggregate: Aggregate) -> npt.NDArray[np.float64]:
    """Return the value of every group as a float to sort by; groups without trials have none of meaning."""
    if aggregate is Aggregate.MEAN:
        totals = np.bincount(groups.ids, weights=groups.values, minlength=groups.size)
        return np.asarray(totals / np.maximum(groups.counts, 1))
    if aggregate is Aggregate.MEDIAN:
        first, second = _middles(groups)
        return np.asarray((groups.values[first].astype(np.float64) + groups.values[second]) / 2)
    shown = _extremes(groups, high=groups.maximize != (aggregate is Aggregate.WORST))
    return groups.values[shown].astype(np.float64)


def _extremes(groups: Groups, *, high: bool) -> Places:
    """Return the place of each group's highest or lowest trial, the first of equal ones."""
    keys = -groups.values if high else groups.values
    most = np.inf if keys.dtype.kind == "f" else np.iinfo(np.int64).max
    least = np.full(groups.size, most, keys.dtype)
    np.minimum.at(least, groups.ids, keys)
    return _first_with(groups, keys, least)


def _middles(groups: Groups) -> tuple[Places, Places]:
    """Return the places of each group's two middle trials, the better one first; of odd groups, one twice."""
    keys = -groups.values if groups.maximize else groups.values
    order = np.argsort(keys)
    ids = groups.ids[order]
    order = order[np.argsort(ids.astype(np.uint16) if groups.size <= _SMALL else ids, kind="stable")]
    counts = groups.counts
    starts = np.minimum(np.cumsum(counts) - counts, max(len(order) - 1, 0))
    first, second = order[starts + np.maximum(counts - 1, 0) // 2], order[starts + counts // 2]
    return _first_with(groups, keys, keys[first]), second


def _first_with(groups: Groups, keys: Column, wanted: npt.NDArray[Any]) -> Places:
    """Return the place of each group's first trial that has the key wanted of the group."""
    shown = np.flatnonzero(keys == wanted[groups.ids])[::-1]
    places = np.zeros(groups.size, dtype=np.intp)
    places[groups.ids[shown]] = shown
    return places


def _medians(groups: Groups, held: Indices) -> tuple[list[Any], Places]:
    first, second = (places[held] for places in _middles(groups))
    pairs = zip(groups.values[first].tolist(), groups.values[second].tolist(), strict=True)
    return [_middle(groups.metric, *pair) for pair in pairs], first


def _means(groups: Groups, held: Indices) -> list[Any]:
    number = groups.counts[held].tolist()
    if METRICS[groups.metric] is MetricKind.STATISTIC:
        totals = np.bincount(groups.ids, weights=groups.values, minlength=groups.size)[held].tolist()
        return [total / count for total, count in zip(totals, number, strict=True)]
    # In two halves, each of which float64 adds up exactly: whole sums would leave 64 bits.
    whole = groups.values.astype(np.int64, copy=False)
    high = np.bincount(groups.ids, weights=whole >> _HALF_BITS, minlength=groups.size)[held]
    low = np.bincount(groups.ids, weights=whole & _LOW_HALF, minlength=groups.size)[held]
    sums = [(int(top) << _HALF_BITS) + int(rest) for top, rest in zip(high, low, strict=True)]
    return [_mean(groups.metric, total, count) for total, count in zip(sums, number, strict=True)]


def _exact(metric: str, values: list[Any]) -> list[Any]:
    return [money_of_units(value) for value in values] if _is_money(metric) else values


def _middle(metric: str, first: Any, second: Any) -> Decimal | float | int:
    if first != second:
        return _mean(metric, first + second, 2)
    value: Decimal | float | int = money_of_units(first) if _is_money(metric) else first
    return value


def _mean(metric: str, total: Any, count: int) -> Decimal | float:
    if _is_money(metric):
        return book(EXACT.divide(money_of_units(total), Decimal(count)))
    return float(total / count)


def _is_money(metric: str) -> bool:
    return METRICS[metric] is MetricKind.MONEY
