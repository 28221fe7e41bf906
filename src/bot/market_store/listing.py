"""Listing of the store: extents, counts, gaps, findings and intervals of every series."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from operator import itemgetter
from typing import Any

import numpy as np
from sqlalchemy import Connection

from bot.market.gaps import Gap, candle_gaps, funding_gaps
from bot.market.intervals import IntervalSpan, interval_spans
from bot.market.quality import (
    Finding,
    candle_findings,
    dead_contract,
    funding_findings,
    interval_undecided,
)
from bot.market.rows import Rows, SeriesKind, candle_series, funding_series
from bot.market_names import market_order
from bot.market_store import sql
from bot.market_store.provenance import Provenance, recorded
from bot.market_store.records import HeldRecords, held_records
from bot.market_store.sql import HeldSegment, HeldSeries, Outline, seal_times
from bot.market_store.summaries import Place, Summary, kept_summaries, rows_digest
from bot.models import HOUR_MS

_NAME = "listing"
_VERSION = 2
"""Format version of the cached summary; raise it to have older caches recomputed."""


@dataclass(frozen=True, slots=True)
class SeriesListing:
    """One series: first and last row (candles: open time), rows held, and rows missing between them.

    `intervals` are the spans of one funding interval each; candles have none.
    """

    kind: str
    timeframe_ms: int
    first_ms: int
    last_ms: int
    rows: int
    missing: int
    gaps: tuple[Gap, ...]
    findings: tuple[Finding, ...] = ()
    imports: tuple[Provenance, ...] = ()
    intervals: tuple[IntervalSpan, ...] = ()

    @property
    def end_ms(self) -> int:
        """Return the end of the last row: a candle ends at its close."""
        return self.last_ms + self.timeframe_ms


@dataclass(frozen=True, slots=True)
class RecordListing:
    """Rows of one kind beside candles and funding: the times of the outermost, and the newest source."""

    kind: str
    first_ms: int
    last_ms: int
    rows: int
    source: str


@dataclass(frozen=True, slots=True)
class SymbolListing:
    """The series of one symbol; `synthetic` says that they are generated.

    `rules` are the exchange's own steps, minimums, maintenance rate and taker fees, where they are known.
    `records` are what else is recorded of it; a symbol may have nothing but them.
    """

    symbol: str
    synthetic: bool
    series: tuple[SeriesListing, ...]
    rules: Mapping[str, str] = field(default_factory=dict)
    records: tuple[RecordListing, ...] = ()


@dataclass(frozen=True, slots=True)
class ExchangeListing:
    """The symbols of one data set, and what is recorded of all of them together."""

    exchange: str
    symbols: tuple[SymbolListing, ...]
    records: tuple[RecordListing, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the listing as JSON values."""
        return asdict(self)


def list_coverage(connection: Connection) -> tuple[list[ExchangeListing], list[Summary]]:
    """Return everything held, by exchange, symbol, kind and timeframe, and what is new to keep.

    Symbols are in the order of lists, inverse markets last.

    Rows are read only of symbols that have changed since their summary was kept; gaps, findings and intervals
    end at a seal, extents and counts are of all that is held.
    """
    outlines = sql.outlines(connection, beyond_seals=True)
    sealed = seal_times(connection)
    held = [one for one in sql.held_series(connection) if one.id in outlines]
    kept = kept_summaries(connection, _NAME)
    imports, rules = recorded(connection, held), sql.published_rules(connection)
    records = _records(connection)
    listed: dict[Place, SymbolListing] = {}
    fresh: list[Summary] = []
    for place, of_symbol in itertools.groupby(held, key=_place):
        series = list(of_symbol)
        digest = rows_digest(_VERSION, series, outlines, sealed.get(place[0]))
        summary = kept.get(place)
        if summary is None or summary.digest != digest:
            summary = Summary(place, _NAME, digest, _worked_out(connection, series))
            fresh.append(summary)
        found = tuple(
            _series(one, outlines[one.id], known, imports.get(one.id, ()))
            for one, known in zip(series, summary.document, strict=True)
        )
        synthetic = any(one.synthetic for one in series)
        listed[place] = SymbolListing(place[1], synthetic, found, rules.get(place, {}))
    for place, of_place in records.items():
        known = listed.get(place, SymbolListing(place[1], of_place[0].synthetic, (), rules.get(place, {})))
        listed[place] = replace(known, records=tuple(map(_record, of_place)))
    return _by_exchange(listed), fresh


def _by_exchange(listed: Mapping[Place, SymbolListing]) -> list[ExchangeListing]:
    exchanges = []
    ordered = sorted(listed, key=lambda place: (place[0], market_order(place[1])))
    for exchange, places in itertools.groupby(ordered, key=itemgetter(0)):
        symbols = [listed[place] for place in places]
        of_all = [one for symbol in symbols if not symbol.symbol for one in symbol.records]
        exchanges.append(
            ExchangeListing(exchange, tuple(one for one in symbols if one.symbol), tuple(of_all))
        )
    return exchanges


def _records(connection: Connection) -> dict[Place, list[HeldRecords]]:
    found: dict[Place, list[HeldRecords]] = {}
    for one in held_records(connection):
        found.setdefault((one.key.exchange, one.key.symbol), []).append(one)
    return found


def _record(held: HeldRecords) -> RecordListing:
    return RecordListing(held.key.kind.value, held.first_ms, held.last_ms, held.count, held.source)


def _place(series: HeldSeries) -> Place:
    return series.key.exchange, series.key.symbol


def _series(
    series: HeldSeries, months: Sequence[Outline], known: Mapping[str, Any], imports: Sequence[Provenance]
) -> SeriesListing:
    gaps = tuple(Gap(*values) for values in known["gaps"])
    return SeriesListing(
        kind=series.key.kind.value,
        timeframe_ms=series.key.timeframe_ms,
        first_ms=months[0].first_ms,
        last_ms=months[-1].last_ms,
        rows=sum(month.rows for month in months),
        missing=sum(gap.missing for gap in gaps),
        gaps=gaps,
        findings=tuple(Finding(**finding) for finding in known["findings"]),
        imports=tuple(imports),
        intervals=tuple(IntervalSpan(*values) for values in known["intervals"]),
    )


def _worked_out(connection: Connection, held: Sequence[HeldSeries]) -> list[dict[str, Any]]:
    months: dict[int, list[HeldSegment]] = {one.id: [] for one in held}
    for month in sql.segments(connection, held):
        months[month.series.id].append(month)
    rows = {one.id: Rows.concat([month.rows() for month in months[one.id]], one.key.kind) for one in held}
    settled = [rows[one.id] for one in held if one.key.kind is SeriesKind.FUNDING]
    funding = settled[0] if settled else Rows.empty(SeriesKind.FUNDING)
    return [_of_series(one, rows[one.id], funding) for one in held]


def _of_series(series: HeldSeries, rows: Rows, funding_rows: Rows) -> dict[str, Any]:
    funding = funding_series(funding_rows)
    kind, timeframe_ms = series.key.kind, series.key.timeframe_ms
    if kind is SeriesKind.FUNDING:
        decided = funding if np.all(funding.interval_hours) else funding[:0]
        gaps = funding_gaps(decided.t_ms, decided.interval_hours * HOUR_MS)
        findings = [*interval_undecided(funding), *funding_findings(funding)]
        intervals = interval_spans(funding.t_ms, funding.interval_hours)
    else:
        candles = candle_series(rows, timeframe_ms)
        gaps = candle_gaps(candles.open_ms, timeframe_ms)
        findings = list(candle_findings(kind.value, candles))
        if kind is SeriesKind.PERP and len(candles):
            findings += dead_contract(candles, funding, int(candles.open_ms[-1]) + timeframe_ms)
        intervals = []
    return {
        "gaps": [[gap.from_ms, gap.to_ms, gap.missing] for gap in gaps],
        "findings": [finding.document() for finding in findings],
        "intervals": [[one.hours, one.from_ms, one.to_ms, one.settlements] for one in intervals],
    }
