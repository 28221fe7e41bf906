"""One value for many trials: best, mean, median or worst of each group, exact where the metric is."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from bot.numbers.arrays import BoolArray
from bot.statistics.trial_columns import MetricColumn
from bot.statistics.trial_metrics import PLATEAU, metric_kind
from sweeps.spec.metrics import Direction, MetricKind, natural_direction
from sweeps.spec.spec import SweepSpec
from sweeps.storage.columns import money_of_units

Indices = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]
_HALF_BITS = 32
_LOW_HALF = (1 << _HALF_BITS) - 1
_SMALL = 1 << 16
_FITTING = 1 << 29
_AT_ONCE = 65_536
"""Trials that are looked at together where all would take memory for nothing."""


class Aggregate(StrEnum):
    """Aggregate of the trials behind one value."""

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
    values: MetricColumn
    ids: Indices
    size: int

    @property
    def counts(self) -> Indices:
        """Number of trials in each group."""
        return np.bincount(self.ids, minlength=self.size)


@dataclass(frozen=True, slots=True, eq=False)
class Summaries:
    """The groups that have trials, ascending, side by side: a `Summary` each, of the same meaning.

    `values` are as the metric is stored (money in units of 1e-8); medians and means of counts are floats.
    """

    metric: str
    groups: Indices
    values: MetricColumn
    numbers: Indices
    counts: Indices

    @property
    def is_money(self) -> bool:
        """True if the values are amounts of money."""
        return metric_kind(self.metric) is MetricKind.MONEY

    def one_by_one(self) -> "list[Summary]":
        """Return the summaries with exact amounts."""
        values = self.values.tolist()
        if self.is_money:
            values = [money_of_units(units) for units in values]
        rows = zip(self.groups.tolist(), values, self.numbers.tolist(), self.counts.tolist(), strict=True)
        return [Summary(*row) for row in rows]


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
    own = metric in {objective.metric, PLATEAU}  # a plateau is a value of the objective
    direction = objective.direction if own else natural_direction(metric)
    return direction is Direction.MAXIMIZE


def eligible_first(groups: Groups, eligible: BoolArray) -> tuple[Groups, BoolArray]:
    """Return groups without the ineligible trials of those that have eligible ones, and which have.

    A group of ineligible trials alone keeps them, so that its value is not hidden; it is not to win.
    """
    having = np.bincount(groups.ids[eligible], minlength=groups.size) > 0
    kept = eligible | ~having[groups.ids]
    if not kept.all():
        groups = replace(
            groups, numbers=groups.numbers[kept], values=groups.values[kept], ids=groups.ids[kept]
        )
    return groups, having


def summarize(groups: Groups, aggregate: Aggregate) -> Summaries:
    """Return the summaries of the groups that have trials."""
    counts = groups.counts
    held = np.flatnonzero(counts)
    if not len(held):
        return Summaries(groups.metric, held, groups.values, groups.numbers, held)
    if aggregate is Aggregate.MEDIAN:
        values, places = _medians(groups, held)
    else:
        places = _extremes(groups, high=groups.maximize != (aggregate is Aggregate.WORST))[held]
        values = groups.values[places]
    if aggregate is Aggregate.MEAN:
        values = _means(groups, held, counts[held])
    return Summaries(groups.metric, held, values, groups.numbers[places], counts[held])


def group_levels(groups: Groups, aggregate: Aggregate) -> MetricColumn:
    """Return the value of every group to sort by, as it is shown; groups without trials have 0."""
    shown = summarize(groups, aggregate)
    levels = np.zeros_like(shown.values, shape=groups.size)
    levels[shown.groups] = shown.values
    return cast("MetricColumn", levels)


def worst_ones(groups: Groups) -> Places:
    """Return the place of each group's worst trial, the first of equal ones."""
    return _extremes(groups, high=not groups.maximize)


def worse_middles(groups: Groups) -> Places:
    """Return the place of each group's middle trial, of two the worse one, the first of equal ones."""
    _, second = _middles(groups)
    return _first_with(groups, groups.values, groups.values[second])


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


def _first_with(groups: Groups, keys: MetricColumn, wanted: npt.NDArray[Any]) -> Places:
    """Return the place of each group's first trial that has the key wanted of the group."""
    places = np.zeros(groups.size, dtype=np.intp)
    for first in range(0, len(keys), _AT_ONCE)[::-1]:  # of several, the last that is assigned stays
        some = slice(first, first + _AT_ONCE)
        ids = groups.ids[some]
        shown = np.flatnonzero(keys[some] == wanted[ids])[::-1]
        places[ids[shown]] = first + shown
    return places


def _medians(groups: Groups, held: Indices) -> tuple[MetricColumn, Places]:
    first, second = (places[held] for places in _middles(groups))
    low, high = groups.values[first], groups.values[second]
    if metric_kind(groups.metric) is MetricKind.STATISTIC:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(low == high, low, (low + high) / 2), first
    low, high = low.astype(np.int64, copy=False), high.astype(np.int64, copy=False)
    # Halved before they are added up: the sum of two can leave 64 bits.
    whole, half = (low & high) + ((low ^ high) >> 1), (low ^ high) & 1
    return whole + (half & whole if metric_kind(groups.metric) is MetricKind.MONEY else half / 2), first


def _means(groups: Groups, held: Indices, counts: Indices) -> MetricColumn:
    if metric_kind(groups.metric) is MetricKind.STATISTIC:
        totals = np.bincount(groups.ids, weights=groups.values, minlength=groups.size)[held]
        return np.asarray(totals / counts)
    totals = _whole_totals(groups, held)
    if metric_kind(groups.metric) is MetricKind.MONEY:
        return _half_even(totals, counts)
    return np.asarray(totals / counts, dtype=np.float64)


def _whole_totals(groups: Groups, held: Indices) -> Any:
    """Return the exact totals of whole numbers, as objects where 64 bits do not hold them."""
    # In two halves, each of which float64 adds up exactly.
    whole = groups.values.astype(np.int64, copy=False)
    high = np.bincount(groups.ids, weights=whole >> _HALF_BITS, minlength=groups.size)[held]
    low = np.bincount(groups.ids, weights=whole & _LOW_HALF, minlength=groups.size)[held]
    fits = max(np.abs(high).max(), low.max() / _LOW_HALF) < _FITTING
    kind = np.int64 if fits else object
    return high.astype(np.int64).astype(kind) * (1 << _HALF_BITS) + low.astype(np.int64).astype(kind)


def _half_even(totals: Any, counts: Indices) -> Indices:
    """Return totals divided by counts, rounded to the nearest whole number, halves to the even one."""
    whole, twice = totals // counts, totals % counts * 2
    return np.asarray(whole + ((twice > counts) | ((twice == counts) & (whole % 2 == 1))), dtype=np.int64)
