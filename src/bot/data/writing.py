"""Merging offered rows into a stored series, month by month."""

from dataclasses import replace

import numpy as np
from sqlalchemy import Connection

from bot.data import sql
from bot.data.gaps import Times
from bot.data.merging import MergeResult, merge_rows, off_grid, overlap_reasons
from bot.data.rows import Rows, SeriesKey
from bot.data.segments import encode, months
from bot.data.sql import HeldSegment, HeldSeries


def merge_series(
    connection: Connection, key: SeriesKey, offered: Rows, *, synthetic: bool = False
) -> MergeResult:
    """Add the rows that are new to the stored series; what is held already stays as it is.

    Refused are rows that contradict a held row, and candles that overlap others.
    Raises: DataImportError for recorded rows among generated ones, or the reverse.
    """
    if not len(offered):
        return MergeResult(0, 0, 0, ())
    series = sql.lock_series(connection, key, synthetic=synthetic)
    overlapping = _overlapping(connection, series, offered)
    chosen = np.delete(np.arange(len(offered)), overlapping)
    month_of = months(offered.times[chosen])
    held = _held_months(connection, series, month_of)
    results = [
        _merge_month(connection, series, held.get(int(month)), offered, chosen[month_of == month])
        for month in np.unique(month_of)
    ]
    return MergeResult(
        new=sum(result.new for result in results),
        already_there=sum(result.already_there for result in results),
        refused=len(overlapping) + sum(result.refused for result in results),
        reasons=(
            *overlap_reasons(offered.times, overlapping),
            *(reason for result in results for reason in result.reasons),
        ),
    )


def _overlapping(connection: Connection, series: HeldSeries, offered: Rows) -> Times:
    if not series.key.timeframe_ms:
        return np.empty(0, dtype=np.int64)
    extent = sql.extents(connection, [series]).get(series.id)
    return off_grid(offered.times, series.key.timeframe_ms, extent[0] if extent else None)


def _held_months(connection: Connection, series: HeldSeries, month_of: Times) -> dict[int, HeldSegment]:
    if not len(month_of):
        return {}
    found = sql.segments(connection, [series], between_months=(int(month_of.min()), int(month_of.max())))
    return {one.segment.month: one for one in found}


def _merge_month(
    connection: Connection, series: HeldSeries, held: HeldSegment | None, offered: Rows, chosen: Times
) -> MergeResult:
    kind = series.key.kind
    merged, result = merge_rows(held.rows() if held else Rows.empty(kind), offered[chosen], kind)
    if result.new:
        sql.put_segment(connection, series, encode(merged))
    reasons = tuple((int(chosen[row]), reason) for row, reason in result.reasons)
    return replace(result, reasons=reasons)
