"""Merging offered rows into a stored series, month by month."""

from dataclasses import replace

import numpy as np
from sqlalchemy import Connection

from bot.market.merging import Merged, MergeResult, merge_rows, off_grid, overlap_reasons
from bot.market.rows import Rows, SeriesKey, SeriesKind
from bot.market.settlements import Settlements, changed_times, merge_settlements
from bot.market_store import sql
from bot.market_store.changes import ChangeKind, record_times
from bot.market_store.segments import encode, encode_origins, months
from bot.market_store.sql import HeldSegment, HeldSeries
from bot.numbers.arrays import IntArray


def merge_series(
    connection: Connection,
    key: SeriesKey,
    offered: Rows,
    *,
    synthetic: bool = False,
    replace_held: bool = False,
) -> MergeResult:
    """Add the rows that are new to the stored series.

    Refused are rows that contradict a held row, unless `replace_held` lets them take its place, and candles
    that overlap others. Intervals of settlements that no venue states are inferred over the whole series.
    Raises: DataImportError for recorded rows among generated ones, or the reverse.
    """
    if not len(offered):
        return MergeResult(0, 0, 0, ())
    series = sql.lock_series(connection, key, synthetic=synthetic)
    if key.kind is SeriesKind.FUNDING:
        merged = [_merge_settlements(connection, series, offered, replace_held=replace_held)]
        overlapping = np.empty(0, dtype=np.int64)
    else:
        overlapping = _overlapping(connection, series, offered)
        merged = _merge_candles(connection, series, offered, overlapping, replace_held=replace_held)
    for change, times in (
        (ChangeKind.REPLACED, [one.replaced_ms for one in merged]),
        (ChangeKind.REINFERRED, [one.reinferred_ms for one in merged]),
    ):
        record_times(connection, key, change, np.concatenate([np.empty(0, dtype=np.int64), *times]))
    return _total([one.result for one in merged], overlap_reasons(offered.times, overlapping), overlapping)


def read_settlements(connection: Connection, series: HeldSeries) -> Settlements:
    """Return all settlements held of a series; raises StoreError if stored rows are damaged."""
    held = list(sql.segments(connection, [series], beyond_seals=True))
    if not held:
        return Settlements.none()
    return Settlements(
        Rows.concat([month.rows() for month in held], SeriesKind.FUNDING),
        np.concatenate([month.origins() for month in held]),
    )


def write_settlements(
    connection: Connection, series: HeldSeries, kept: Settlements, changed_ms: IntArray
) -> None:
    """Store the months of `kept` that settlements at `changed_ms` belong to, in place of what is held."""
    month_of = months(kept.rows.times)
    for month in np.unique(months(changed_ms)).tolist():
        part = kept.at(month_of == month)
        if len(part.rows):
            sql.put_segment(
                connection, series, replace(encode(part.rows), origins=encode_origins(part.origins))
            )
        else:
            sql.delete_segment(connection, series, month)


def _merge_settlements(
    connection: Connection, series: HeldSeries, offered: Rows, *, replace_held: bool
) -> Merged:
    held = read_settlements(connection, series)
    kept, merged = merge_settlements(held, offered, replace_held=replace_held)
    changed_ms = np.union1d(changed_times(held, kept), merged.replaced_ms)
    write_settlements(connection, series, kept, changed_ms)
    return merged


def _merge_candles(
    connection: Connection, series: HeldSeries, offered: Rows, overlapping: IntArray, *, replace_held: bool
) -> list[Merged]:
    chosen = np.delete(np.arange(len(offered)), overlapping)
    month_of = months(offered.times[chosen])
    held = _held_months(connection, series, month_of)
    return [
        _merge_month(
            connection,
            series,
            held.get(int(month)),
            offered,
            chosen[month_of == month],
            replace_held=replace_held,
        )
        for month in np.unique(month_of)
    ]


def _total(results: list[MergeResult], overlaps: list[tuple[int, str]], overlapping: IntArray) -> MergeResult:
    return MergeResult(
        new=sum(result.new for result in results),
        already_there=sum(result.already_there for result in results),
        refused=len(overlapping) + sum(result.refused for result in results),
        reasons=(*overlaps, *(reason for result in results for reason in result.reasons)),
        replaced=sum(result.replaced for result in results),
        reinferred=sum(result.reinferred for result in results),
    )


def _overlapping(connection: Connection, series: HeldSeries, offered: Rows) -> IntArray:
    extent = sql.extents(connection, [series], beyond_seals=True).get(series.id)
    return off_grid(offered.times, series.key.timeframe_ms, extent[0] if extent else None)


def _held_months(connection: Connection, series: HeldSeries, month_of: IntArray) -> dict[int, HeldSegment]:
    if not len(month_of):
        return {}
    months = int(month_of.min()), int(month_of.max())
    found = sql.segments(connection, [series], between_months=months, beyond_seals=True)
    return {one.segment.month: one for one in found}


def _merge_month(
    connection: Connection,
    series: HeldSeries,
    held: HeldSegment | None,
    offered: Rows,
    chosen: IntArray,
    *,
    replace_held: bool,
) -> Merged:
    kind = series.key.kind
    before = held.rows() if held else Rows.empty(kind)
    merged = merge_rows(before, offered[chosen], kind, replace=replace_held)
    if merged.result.new or merged.result.replaced:
        sql.put_segment(connection, series, encode(merged.rows))
    reasons = tuple((int(chosen[row]), reason) for row, reason in merged.result.reasons)
    return replace(merged, result=replace(merged.result, reasons=reasons))
