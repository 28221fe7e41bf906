"""Recorded rows and new ones, brought together: what is held stays, contradictions are refused."""

from dataclasses import dataclass

import numpy as np

from bot.data.gaps import Times
from bot.data.rows import Rows, SeriesKind
from bot.money import plain
from bot.timestamps import iso

MAX_REASONS = 1000

Reason = tuple[int, str]
"""The index of a refused row among those offered, and why it is refused."""


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What became of the offered rows: `refused` counts, `reasons` has at least the first thousand."""

    new: int
    already_there: int
    refused: int
    reasons: tuple[Reason, ...]


def merge_rows(held: Rows, offered: Rows, kind: SeriesKind) -> tuple[Rows, MergeResult]:
    """Return all rows ascending, one per time, and the result; the first at a time wins, held ones first."""
    both = Rows.concat([held, offered], kind)
    order = np.argsort(both.times, kind="stable")
    times = both.times[order]
    leads = np.concatenate([[True], times[1:] != times[:-1]]) if len(times) else np.empty(0, dtype=np.bool_)
    lead_of = order[leads][np.cumsum(leads) - 1]
    later, winners = order[~leads], lead_of[~leads]
    differing = [column.mantissas[later] != column.mantissas[winners] for column in both.columns]
    contradicts = np.logical_or.reduce(differing) if differing else np.empty(0, dtype=np.bool_)
    losers, holders = later[contradicts].tolist(), winners[contradicts].tolist()
    reasons = [
        (row - len(held), _contradiction(both, kind, row, holder))
        for row, holder in zip(losers[:MAX_REASONS], holders, strict=False)
    ]
    kept = both[order[leads]]
    new = len(kept) - len(held)
    return kept, MergeResult(new, len(offered) - new - len(losers), len(losers), tuple(reasons))


def _contradiction(rows: Rows, kind: SeriesKind, row: int, winner: int) -> str:
    place = next(i for i, c in enumerate(rows.columns) if c.mantissas[row] != c.mantissas[winner])
    offered, held = (_shown(rows, kind, place, index) for index in (row, winner))
    moment = iso(int(rows.times[row]))
    return f"{kind.columns[place]} {offered} at {moment} contradicts {held}, which is held already"


def _shown(rows: Rows, kind: SeriesKind, place: int, row: int) -> str:
    value = rows.columns[place].decimal(row)
    return "(none)" if kind.columns[place] == "mark_price" and not value else plain(value)


def off_grid(times: Times, timeframe_ms: int, anchor_ms: int | None) -> Times:
    """Return the indices of candles that would overlap the others: those off the grid through `anchor_ms`.

    Without an anchor the grid is the one that most of the candles are on.
    """
    phases = times % timeframe_ms
    if anchor_ms is None:
        found, counts = np.unique(phases, return_counts=True)
        anchor_ms = int(found[np.argmax(counts)])
    return np.flatnonzero(phases != anchor_ms % timeframe_ms)


def overlap_reasons(times: Times, overlapping: Times) -> list[Reason]:
    """Return why the first of the overlapping candles are refused."""
    return [
        (row, f"timestamp_ms {times[row]} ({iso(int(times[row]))}) overlaps the other candles of its series")
        for row in overlapping[:MAX_REASONS].tolist()
    ]
