"""Settlements in the store: their rows, and how the interval of each is known."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from bot.market.intervals import IntervalOrigin, Origins, inferred_hours
from bot.market.merging import Joined, Merged
from bot.market.rows import FUNDING_COLUMNS, Rows, SeriesKind
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.columns import DecimalColumn

_FUNDING = SeriesKind.FUNDING
_HOURS = FUNDING_COLUMNS.index("interval_hours")
_OTHERS = tuple(place for place in range(len(FUNDING_COLUMNS)) if place != _HOURS)


@dataclass(frozen=True, slots=True, eq=False)
class Settlements:
    """n settlements of a series, ascending and distinct, each with its interval (0 while undecided)."""

    rows: Rows
    origins: Origins

    @classmethod
    def none(cls) -> Self:
        """Return no settlements."""
        return cls(Rows.empty(_FUNDING), np.empty(0, dtype=np.uint8))

    def stated(self) -> IntArray:
        """Return the intervals in hours that stay as they are, 0 for those that are inferred."""
        return np.where(self.origins == IntervalOrigin.INFERRED, 0, hours_of(self.rows))

    def inferred(self) -> "Settlements":
        """Return these settlements with their intervals inferred anew over the whole series."""
        hours = inferred_hours(self.rows.times.tolist(), self.stated().tolist())
        return Settlements(_with_hours(self.rows, np.array(hours, dtype=np.int64)), self.origins)

    def at(self, index: BoolArray) -> "Settlements":
        """Return the settlements where `index` is true."""
        return Settlements(self.rows[index], self.origins[index])


def hours_of(rows: Rows) -> IntArray:
    """Return the interval in hours of each settlement, 0 where it is not stated or not decided."""
    return np.asarray(rows.columns[_HOURS].mantissas, dtype=np.int64)


def changed_times(held: Settlements, kept: Settlements) -> IntArray:
    """Return the times of settlements that only one of the two has, or with another interval or origin."""
    common, before, after = np.intersect1d(
        held.rows.times, kept.rows.times, assume_unique=True, return_indices=True
    )
    differs = hours_of(held.rows)[before] != hours_of(kept.rows)[after]
    differs |= held.origins[before] != kept.origins[after]
    only_one = np.setxor1d(held.rows.times, kept.rows.times, assume_unique=True)
    return np.union1d(only_one, common[differs])


def merge_settlements(
    held: Settlements, offered: Rows, *, replace_held: bool = False
) -> tuple[Settlements, Merged]:
    """Return all settlements with their intervals inferred over the whole series, and the result.

    An interval that is stated (offered rows: one that is not 0) takes the place of an inferred one; two that
    differ contradict each other. Whatever is inferred depends on the settlements and on what is stated of
    them, and not on how they came in.
    """
    held_stated = held.stated()
    if replace_held:
        # A row that is offered again without an interval may be inferred, if nobody knows that it was stated.
        again = np.isin(held.rows.times, offered.times) & (held.origins == IntervalOrigin.UNRECORDED)
        held_stated = np.where(again, 0, held_stated)
    # In both parts an interval of 0 is one that nobody states, so that what was inferred contradicts nothing.
    joined = Joined.of(_with_hours(held.rows, held_stated), offered, _FUNDING, replace=replace_held)
    stated = hours_of(joined.both)
    differs = joined.differing(_OTHERS)
    telling = _telling(joined, stated, differs)
    kept_hours = np.where(telling < 0, 0, stated[telling])
    groups = np.cumsum(joined.leads)[~joined.leads] - 1
    rivals = telling[groups]
    against = differs | ((stated[joined.later] > 0) & (stated[joined.later] != kept_hours[groups]))
    merged = joined.merged(against, _FUNDING, np.where(differs, joined.winners, rivals))
    origins = _origins(joined, held, stated, kept_hours, against)
    kept = Settlements(_with_hours(merged.rows, kept_hours), origins).inferred()
    moved = reinferred_times(held, kept, merged.replaced_ms)
    result = replace(merged.result, reinferred=len(moved))
    return kept, Merged(kept.rows, result, merged.replaced_ms, moved)


def _telling(joined: Joined, stated: IntArray, differs: BoolArray) -> IntArray:
    """Return for each kept settlement the row that states its interval, -1 where none does.

    It is the first one that agrees in everything else; a held one also where it is replaced.
    """
    agrees = np.ones(len(joined.both), dtype=np.bool_)
    agrees[joined.later] = ~differs
    if joined.replace:
        agrees |= joined.held
    groups = np.cumsum(joined.leads) - 1
    candidates = np.flatnonzero((stated[joined.order] > 0) & agrees[joined.order])
    found, first = np.unique(groups[candidates], return_index=True)
    telling = np.full(int(np.count_nonzero(joined.leads)), -1, dtype=np.int64)
    telling[found] = joined.order[candidates[first]]
    return telling


def _origins(
    joined: Joined, held: Settlements, stated: IntArray, kept_hours: IntArray, refused: BoolArray
) -> Origins:
    """Return the origin of each kept interval: unrecorded ones become stated once a venue states them."""
    origins = np.where(kept_hours > 0, IntervalOrigin.STATED, IntervalOrigin.INFERRED).astype(np.uint8)
    unrecorded = held.rows.times[held.origins == IntervalOrigin.UNRECORDED]
    if not len(unrecorded):
        return origins
    times = joined.both.times[joined.order[joined.leads]]
    accepted = ~joined.held & (stated > 0)
    accepted[joined.later[refused]] = False
    only = np.isin(times, unrecorded) & ~np.isin(times, joined.both.times[accepted])
    origins[only & (kept_hours > 0)] = IntervalOrigin.UNRECORDED
    return origins


def reinferred_times(held: Settlements, kept: Settlements, replaced_ms: IntArray) -> IntArray:
    """Return the times of held settlements that are still there as they were, but with another interval."""
    common, before, after = np.intersect1d(
        held.rows.times, kept.rows.times, assume_unique=True, return_indices=True
    )
    hours = hours_of(held.rows)[before]
    # A settlement that waited for its neighbours had no interval that anything could depend on.
    moved = (hours != hours_of(kept.rows)[after]) & (hours > 0)
    return np.setdiff1d(common[moved], replaced_ms)


def _with_hours(rows: Rows, hours: IntArray) -> Rows:
    columns = list(rows.columns)
    columns[_HOURS] = DecimalColumn.of(hours, 0)
    return Rows(rows.times, tuple(columns))
