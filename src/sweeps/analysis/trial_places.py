"""Finished trials in an order: those of a page after a place, or all of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self, TypedDict, Unpack, cast

import numpy as np
import sqlalchemy as sa

from bot.errors import InvalidInputError
from bot.numbers.arrays import BoolArray, IntArray
from bot.statistics.trial_columns import MetricColumn, no_values
from sweeps.analysis.equal_results import ALIKE, alike_groups
from sweeps.analysis.judged.judged_columns import with_judged
from sweeps.analysis.ranking import NUMBER, Order, Place, smallest
from sweeps.analysis.scenarios import ranked_at, scenarios_for
from sweeps.analysis.selection import Selection
from sweeps.lifecycle.trial_marks import marks_of
from sweeps.spec.axis_positions import Numbers, value_ranks
from sweeps.spec.scenarios import Scenarios
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import Measured
from sweeps.storage.states import TrialState
from sweeps.storage.stored_trials import failed_numbers

BY_NUMBER = Order(NUMBER, descending=False)


class TrialsAsked(TypedDict, total=False):
    """Finished trials of a sweep as a reader asks for them.

    `sort` names orders by comma, `filters` axes and metrics with a value or a range each, as text. With
    `distinct`, completed trials of equal results are one, but for those with a mark.
    """

    sort: str | None
    filters: Mapping[str, str] | None
    state: TrialState | None
    scenarios: Scenarios | None
    distinct: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Trials asked for: the chosen ones in `state`, sorted by `orders`, the first of which counts most.

    By a metric, the trials that settings stand at over `scenarios` come first. With `distinct`, completed
    trials that booked the very same are one: that of the lowest number among those that come first, or all
    that have a mark.
    """

    orders: Sequence[Order]
    chosen: Selection
    state: TrialState | None
    scenarios: Scenarios
    distinct: bool = False

    @classmethod
    def parse(cls, spec: SweepSpec, **asked: Unpack[TrialsAsked]) -> Self:
        """Return what is asked for; raises InvalidInputError for what a sweep does not have."""
        return cls(
            Order.parse_all(spec, asked.get("sort")),
            Selection.parse(spec.space, asked.get("filters") or {}),
            asked.get("state"),
            scenarios_for(spec, asked.get("scenarios")),
            asked.get("distinct", False),
        )

    @property
    def cursor_order(self) -> Order:
        """The order in whose terms a cursor is: by number where several are asked for."""
        return self.orders[0] if len(self.orders) == 1 else BY_NUMBER

    @property
    def first(self) -> Order:
        """The order that counts most."""
        return self.orders[0]

    def ranked(self, spec: SweepSpec, done: Measured) -> BoolArray:
        """Return the mask of completed trials that are ranked before the others."""
        first, metric = done.eligible, self.first.metric
        if metric and self.scenarios.axes:
            cells = spec.space.cells_of(done.numbers)
            left = self.chosen.of(self.scenarios.axes).keeps_cells(spec.space, cells)
            first = first & left
            first[left] &= ranked_at(spec, self.scenarios, metric, done.only(left), cells[left])
        return first

    def failed(self, connection: sa.Connection, sweep_id: int, place: Place | None, most: int) -> Numbers:
        """Return the failed trials that can be on a page; by a metric they come last, by number."""
        if self.distinct or self.state not in {None, TrialState.FAILED} or self.chosen.metrics:
            return np.empty(0, dtype=np.int64)
        if self.first.metric is None or self.chosen.axes or len(self.orders) > 1:
            return failed_numbers(connection, sweep_id)
        among = place is not None and place.ineligible and place.value is None
        after = place.number if place is not None and among else -1
        return failed_numbers(connection, sweep_id, after=after, most=most)


class Found(NamedTuple):
    """A trial at its place, and how many of those asked for booked the very same; None if not asked."""

    place: Place
    equal: int | None


@dataclass(frozen=True, slots=True)
class _Finished:
    """Finished trials by number, what they are sorted by, where that has a value, and which come last.

    There is a column of values and a mask for each order. `groups` are equal where results are, and
    `equal` counts those, once they are folded into one.
    """

    numbers: Numbers
    sorted_by: Sequence[MetricColumn]
    defined: Sequence[BoolArray]
    last: BoolArray
    groups: IntArray | None = None
    equal: IntArray | None = None

    def only(self, kept: BoolArray | IntArray) -> "_Finished":
        return _Finished(
            self.numbers[kept],
            [values[kept] for values in self.sorted_by],
            [known[kept] for known in self.defined],
            self.last[kept],
            None if self.groups is None else self.groups[kept],
            None if self.equal is None else self.equal[kept],
        )

    def beside(self, others: "_Finished") -> "_Finished":
        """Return these trials and others, by number."""
        numbers = np.concatenate([self.numbers, others.numbers])
        order = np.argsort(numbers, kind="stable")
        return _Finished(
            numbers[order],
            [_joined(*pair)[order] for pair in zip(self.sorted_by, others.sorted_by, strict=True)],
            [np.concatenate(pair)[order] for pair in zip(self.defined, others.defined, strict=True)],
            np.concatenate([self.last, others.last])[order],
        )

    def folded(self, groups: IntArray, marked: Collection[int]) -> "_Finished":
        """Return one trial of each group and all marked ones, by number, with the size of their group."""
        is_marked = np.isin(self.numbers, list(marked))
        order = np.lexsort((self.numbers, ~is_marked, self.last, groups))
        ordered = groups[order]
        kept = is_marked[order]
        kept[:1] = True
        kept[1:] |= ordered[1:] != ordered[:-1]
        _, own, counts = np.unique(ordered, return_inverse=True, return_counts=True)
        by_number = np.argsort(self.numbers[order[kept]], kind="stable")
        return replace(self.only(order[kept][by_number]), equal=counts[own[kept]][by_number])

    def by_one_key(self, orders: Sequence[Order]) -> "_Finished":
        """Return the trials sorted by one whole number, ascending, in place of several columns."""
        key = np.zeros(len(self.numbers), dtype=np.int64)
        for order, values, known in zip(orders, self.sorted_by, self.defined, strict=True):
            _, ranks = np.unique(order.keys(values[known]), return_inverse=True)
            own = np.full(len(values), len(ranks), dtype=np.int64)
            own[known] = ranks
            _, key = np.unique(key * (len(ranks) + 1) + own, return_inverse=True)
        every = np.ones(len(self.numbers), dtype=np.bool_)
        return replace(self, sorted_by=[key.astype(np.int64)], defined=[every])


def found_places(
    connection: sa.Connection,
    sweep_id: int,
    spec: SweepSpec,
    wanted: Wanted,
    place: Place | None = None,
    most: int | None = None,
) -> list[Found]:
    """Return up to `most` of the trials wanted, all without, after a `place` in their order.

    Raises: InvalidInputError where they are sorted by several, and the trial at `place` is none of them.
    """
    count = spec.trial_count if most is None else most
    finished = _finished(connection, sweep_id, spec, wanted, place, count)
    order = wanted.first
    if len(wanted.orders) > 1:
        finished, order = finished.by_one_key(wanted.orders), BY_NUMBER
        place = None if place is None else _placed(finished, place)
    places = _next_places(finished, order, place, count)
    if finished.equal is None:
        return [Found(one, None) for one in places]
    rows = np.searchsorted(finished.numbers, [one.number for one in places])
    return [Found(one, equal) for one, equal in zip(places, finished.equal[rows].tolist(), strict=True)]


def _placed(finished: _Finished, place: Place) -> Place:
    """Return the place that a trial has now."""
    row = int(np.searchsorted(finished.numbers, place.number))
    if row == len(finished.numbers) or finished.numbers[row] != place.number:
        raise InvalidInputError.of("cursor", f"trial {place.number} is no longer in this list")
    return Place(int(finished.sorted_by[0][row]), place.number, bool(finished.last[row]))


def _finished(
    connection: sa.Connection,
    sweep_id: int,
    spec: SweepSpec,
    wanted: Wanted,
    place: Place | None,
    count: int,
) -> _Finished:
    chosen = wanted.chosen
    metrics = [*(order.metric for order in wanted.orders if order.metric), *chosen.metrics]
    metrics = list(dict.fromkeys((*metrics, *(ALIKE if wanted.distinct else ()))))
    completed = wanted.state in {None, TrialState.COMPLETED}
    done = with_judged(connection, sweep_id, spec, metrics) if completed else Measured.nothing(metrics)
    first = wanted.ranked(spec, done)
    if chosen.metrics:
        kept = chosen.keeps_values(done)
        done, first = done.only(kept), first[kept]
    found = _sorted_by(spec, wanted.orders, done.numbers, done, first)
    if wanted.distinct:
        found = replace(found, groups=alike_groups(done))
    failed = wanted.failed(connection, sweep_id, place, count)
    if len(failed):
        nobody = np.zeros(len(failed), dtype=np.bool_)
        found = found.beside(_sorted_by(spec, wanted.orders, failed, None, nobody))
    if chosen.axes:
        found = found.only(chosen.keeps_cells(spec.space, spec.space.cells_of(found.numbers)))
    return found if found.groups is None else found.folded(found.groups, marks_of(connection, sweep_id))


def _sorted_by(
    spec: SweepSpec, orders: Sequence[Order], numbers: Numbers, done: Measured | None, first: BoolArray
) -> _Finished:
    """Return trials with what they are sorted by; `done` has their metrics, None where they have none.

    By a metric, those that are not `first` come last.
    """
    columns = [_column(spec, order, numbers, done) for order in orders]
    last = ~first if orders[0].metric else np.zeros(len(numbers), dtype=np.bool_)
    return _Finished(numbers, [values for values, _ in columns], [known for _, known in columns], last)


def _joined(one: MetricColumn, other: MetricColumn) -> MetricColumn:
    return cast("MetricColumn", np.concatenate([one, other]))  # both are of one kind


def _column(
    spec: SweepSpec, order: Order, numbers: Numbers, done: Measured | None
) -> tuple[MetricColumn, BoolArray]:
    if order.metric and done is None:
        return no_values(order.metric, len(numbers)), np.zeros(len(numbers), dtype=np.bool_)
    if order.metric and done is not None:
        return done.values[order.metric], done.defined(order.metric)
    if order.name != NUMBER:
        return value_ranks(spec.space, spec.space.cells_of(numbers), order.name)
    return numbers, np.ones(len(numbers), dtype=np.bool_)


def _next_places(finished: _Finished, order: Order, place: Place | None, count: int) -> list[Place]:
    """Return up to `count` places after `place`: first the eligible ones, then the others."""
    places: list[Place] = []
    for ineligible in (False, True):
        if len(places) == count or (place is not None and place.ineligible and not ineligible):
            continue
        after = place if place is not None and place.ineligible == ineligible else None
        those = finished.last == ineligible
        found = _in_order(finished, those, order, after, count - len(places))
        places += [Place(value, number, ineligible) for value, number in found]
    return places


def _in_order(
    finished: _Finished, those: BoolArray, order: Order, place: Place | None, count: int
) -> list[tuple[int | float | None, int]]:
    """Return value and number of up to `count` of those trials after `place`: those without one last."""
    defined = finished.defined[0]
    with_value = those & defined
    numbers, held = finished.numbers[with_value], finished.sorted_by[0][with_value]
    keys = order.keys(held)
    if place is not None:
        later = place.after(order, keys, numbers)
        numbers, held, keys = numbers[later], held[later], keys[later]
    chosen = smallest(keys, count)
    rows = zip(held[chosen].tolist(), numbers[chosen].tolist(), strict=True)
    found: list[tuple[int | float | None, int]] = list(rows)
    if len(found) < count:
        others = finished.numbers[those & ~defined]
        if place is not None and place.value is None:
            others = others[others > place.number]
        found += [(None, number) for number in others[: count - len(found)].tolist()]
    return found
