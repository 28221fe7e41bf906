"""Recorded rows and new ones, brought together: contradictions are refused, or replace what is held."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from bot.market.rows import Rows, SeriesKind
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.money import plain
from bot.timestamps import iso

MAX_REASONS = 1000
_HELD = "which is held already"

Reason = tuple[int, str]
"""The index of a refused row among those offered, and why it is refused."""

_NO_TIMES = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class MergeResult:
    """Result of merging offered rows: `refused` counts, `reasons` has at least the first thousand.

    `replaced` are those that took the place of a held row; `reinferred` are held settlements whose interval
    is another one because of the offered rows.
    """

    new: int
    already_there: int
    refused: int
    reasons: tuple[Reason, ...]
    replaced: int = 0
    reinferred: int = 0

    @property
    def contradicts_held(self) -> bool:
        """True if a row was refused because of one that is held."""
        return any(reason.endswith(_HELD) for _, reason in self.reasons)


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """All rows ascending, one a time, and the result; times of held rows that were replaced or reinferred."""

    rows: Rows
    result: MergeResult
    replaced_ms: IntArray = field(default_factory=_NO_TIMES.copy)
    reinferred_ms: IntArray = field(default_factory=_NO_TIMES.copy)


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Held and offered rows by time, in `order`: the first row at a time (`leads`) wins, the others follow.

    Held rows come first, or if `replace` is set the offered ones. `later` are rows of `both` that another
    one precedes, `winners` those that do.
    """

    both: Rows
    held: BoolArray
    order: IntArray
    leads: BoolArray
    later: IntArray
    winners: IntArray
    replace: bool

    @classmethod
    def of(cls, held: Rows, offered: Rows, kind: SeriesKind, *, replace: bool) -> Self:
        """Return the rows in their order."""
        both = Rows.concat([offered, held] if replace else [held, offered], kind)
        is_held = np.zeros(len(both), dtype=np.bool_)
        is_held[slice(len(offered), None) if replace else slice(len(held))] = True
        order = np.argsort(both.times, kind="stable")
        times = both.times[order]
        leads = np.ones(len(times), dtype=np.bool_)
        leads[1:] = times[1:] != times[:-1]
        lead_of = order[leads][np.cumsum(leads) - 1]
        return cls(both, is_held, order, leads, order[~leads], lead_of[~leads], replace)

    def differing(self, places: tuple[int, ...]) -> BoolArray:
        """Return the mask of `later` rows that differ from their winners in one of these columns."""
        differs = np.zeros(len(self.later), dtype=np.bool_)
        for place in places:
            mantissas = self.both.columns[place].mantissas
            differs |= np.asarray(mantissas[self.later] != mantissas[self.winners], dtype=np.bool_)
        return differs

    def merged(self, contradicts: BoolArray, kind: SeriesKind, rivals: IntArray | None = None) -> Merged:
        """Return the merged rows; `contradicts` masks the `later` rows that contradict their winners.

        `rivals` are the rows that those contradict, where they are not the winners.
        """
        offered = np.flatnonzero(~self.held)
        losers = contradicts & ~self.held[self.later]
        replaced = self.later[contradicts & self.held[self.later]]
        against = self.winners if rivals is None else rivals
        first = int(offered[0]) if len(offered) else 0
        pairs = zip(self.later[losers].tolist(), against[losers].tolist(), strict=True)
        reasons = [
            (row - first, self._contradiction(kind, row, rival)) for row, rival in list(pairs)[:MAX_REASONS]
        ]
        kept = self.both[self.order[self.leads]]
        new, refused = len(kept) - int(np.count_nonzero(self.held)), int(np.count_nonzero(losers))
        already_there = len(offered) - new - refused - len(replaced)
        result = MergeResult(new, already_there, refused, tuple(reasons), replaced=len(replaced))
        return Merged(kept, result, replaced_ms=self.both.times[replaced])

    def _contradiction(self, kind: SeriesKind, row: int, rival: int) -> str:
        place = next(
            at
            for at, (name, column) in enumerate(zip(kind.columns, self.both.columns, strict=True))
            if column.mantissas[row] != column.mantissas[rival]
            and (name != "interval_hours" or (column.mantissas[row] and column.mantissas[rival]))
        )
        offered, other = (_shown(self.both, kind, place, index) for index in (row, rival))
        where = "which the same file says as well" if self.replace else _HELD
        moment = iso(int(self.both.times[row]))
        return f"{kind.columns[place]} {offered} at {moment} contradicts {other}, {where}"


def merge_rows(held: Rows, offered: Rows, kind: SeriesKind, *, replace: bool = False) -> Merged:
    """Return all rows ascending, one a time, and the result.

    The first at a time wins: a held one, or with `replace` the offered one.
    """
    joined = Joined.of(held, offered, kind, replace=replace)
    return joined.merged(joined.differing(tuple(range(len(kind.columns)))), kind)


def _shown(rows: Rows, kind: SeriesKind, place: int, row: int) -> str:
    value = rows.columns[place].decimal(row)
    return "(none)" if kind.columns[place] == "mark_price" and not value else plain(value)


def off_grid(times: IntArray, timeframe_ms: int, anchor_ms: int | None) -> IntArray:
    """Return the indices of candles that would overlap the others: those off the grid through `anchor_ms`.

    Without an anchor the grid is the one that most of the candles are on.
    """
    phases = times % timeframe_ms
    if anchor_ms is None:
        found, counts = np.unique(phases, return_counts=True)
        anchor_ms = int(found[np.argmax(counts)])
    return np.flatnonzero(phases != anchor_ms % timeframe_ms)


def overlap_reasons(times: IntArray, overlapping: IntArray) -> list[Reason]:
    """Return the reasons to refuse the first of the overlapping candles."""
    return [
        (row, f"timestamp_ms {times[row]} ({iso(int(times[row]))}) overlaps the other candles of its series")
        for row in overlapping[:MAX_REASONS].tolist()
    ]
