"""Recorded rows and new ones, brought together: what is held stays, contradictions are refused."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.data.rows import Rows, SeriesKind
from bot.models import HOUR_MS
from bot.money import plain
from bot.timestamps import iso

Refused = tuple[int, str]
"""The index of an offered row, and the reason."""


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What became of the offered rows."""

    new: int
    already_there: int
    refused: tuple[Refused, ...]


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
    refused = [
        (int(row) - len(held), _contradiction(both, kind, int(row), int(winner)))
        for row, winner in zip(later[contradicts], winners[contradicts], strict=True)
    ]
    kept = both[order[leads]]
    new = len(kept) - len(held)
    return kept, MergeResult(new, len(offered) - new - len(refused), tuple(refused))


def _contradiction(rows: Rows, kind: SeriesKind, row: int, winner: int) -> str:
    place = next(i for i, c in enumerate(rows.columns) if c.mantissas[row] != c.mantissas[winner])
    offered, held = (_shown(rows, kind, place, index) for index in (row, winner))
    moment = iso(int(rows.times[row]))
    return f"{kind.columns[place]} {offered} at {moment} contradicts {held}, which is held already"


def _shown(rows: Rows, kind: SeriesKind, place: int, row: int) -> str:
    value = rows.columns[place].decimal(row)
    return "(none)" if kind.columns[place] == "mark_price" and not value else plain(value)


def off_grid(times: npt.NDArray[np.int64], timeframe_ms: int, anchor_ms: int | None) -> list[Refused]:
    """Return the candles that would overlap the others: those off the grid through `anchor_ms`.

    Without an anchor the grid is the one that most of the candles are on.
    """
    phases = times % timeframe_ms
    if anchor_ms is None:
        found, counts = np.unique(phases, return_counts=True)
        anchor_ms = int(found[np.argmax(counts)]) if len(found) else 0
    first_open = iso(anchor_ms % timeframe_ms)[11:19]
    return [
        (
            int(row),
            f"{iso(int(times[row]))} overlaps the candles of {timeframe_ms / HOUR_MS:g} h from {first_open}",
        )
        for row in np.flatnonzero(phases != anchor_ms % timeframe_ms)
    ]
