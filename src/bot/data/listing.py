"""What the store holds, for people: extents, counts and gaps of every series."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from bot.data import sql
from bot.data.gaps import Gap, candle_gaps, funding_gaps
from bot.data.provenance import Provenance, recorded
from bot.data.quality import Finding, candle_findings, dead_contract, funding_findings
from bot.data.rows import Rows, SeriesKind, candle_series, funding_series
from bot.data.sql import HeldSegment, HeldSeries
from bot.models import HOUR_MS


@dataclass(frozen=True, slots=True)
class SeriesListing:
    """One series: first and last row (candles: open time), rows held, and rows missing between them."""

    kind: str
    timeframe_ms: int
    first_ms: int
    last_ms: int
    rows: int
    missing: int
    gaps: tuple[Gap, ...]
    findings: tuple[Finding, ...] = ()
    imports: tuple[Provenance, ...] = ()


@dataclass(frozen=True, slots=True)
class SymbolListing:
    """The series of one symbol; `synthetic` says that they are generated.

    `rules` are the exchange's own steps, minimums, maintenance rate and taker fees, where they are known.
    """

    symbol: str
    synthetic: bool
    series: tuple[SeriesListing, ...]
    rules: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExchangeListing:
    """The symbols of one data set."""

    exchange: str
    symbols: tuple[SymbolListing, ...]

    def document(self) -> dict[str, Any]:
        """Return the listing as JSON values."""
        return asdict(self)


def list_coverage(connection: Connection) -> list[ExchangeListing]:
    """Return everything held, sorted by exchange, symbol, kind and timeframe."""
    held = sql.held_series(connection)
    return [
        ExchangeListing(
            exchange,
            tuple(
                _symbol(connection, symbol, list(of_symbol))
                for symbol, of_symbol in itertools.groupby(of_exchange, key=lambda one: one.key.symbol)
            ),
        )
        for exchange, of_exchange in itertools.groupby(held, key=lambda one: one.key.exchange)
    ]


def _symbol(connection: Connection, symbol: str, held: list[HeldSeries]) -> SymbolListing:
    months: dict[int, list[HeldSegment]] = {one.id: [] for one in held}
    for month in sql.segments(connection, held):
        months[month.series.id].append(month)
    held = [one for one in held if months[one.id]]
    imports = recorded(connection, held)
    found = _findings(held, months)
    listed = tuple(
        replace(
            _series(one, months[one.id]),
            imports=tuple(imports.get(one.id, ())),
            findings=tuple(found.get(one.id, ())),
        )
        for one in held
    )
    exchange = held[0].key.exchange if held else ""
    rules = sql.published_rules(connection, exchange, symbol)
    return SymbolListing(symbol, any(one.synthetic for one in held), listed, rules)


def _findings(held: list[HeldSeries], months: Mapping[int, list[HeldSegment]]) -> dict[int, list[Finding]]:
    rows = {one.id: Rows.concat([month.rows() for month in months[one.id]], one.key.kind) for one in held}
    funded = [rows[one.id] for one in held if one.key.kind is SeriesKind.FUNDING]
    funding = funding_series(funded[0] if funded else Rows.empty(SeriesKind.FUNDING))
    found: dict[int, list[Finding]] = {}
    for one in held:
        if one.key.kind is SeriesKind.FUNDING:
            found[one.id] = list(funding_findings(funding))
            continue
        candles = candle_series(rows[one.id], one.key.timeframe_ms)
        found[one.id] = list(candle_findings(one.key.kind.value, candles))
        if one.key.kind is SeriesKind.PERP:
            found[one.id] += dead_contract(candles, funding)
    return found


def _series(series: HeldSeries, months: list[HeldSegment]) -> SeriesListing:
    kind, timeframe_ms = series.key.kind, series.key.timeframe_ms
    find = _funding_gaps if kind is SeriesKind.FUNDING else _candle_gaps
    gaps = tuple(find(months, timeframe_ms))
    return SeriesListing(
        kind=kind.value,
        timeframe_ms=timeframe_ms,
        first_ms=months[0].segment.first_ms,
        last_ms=months[-1].segment.last_ms,
        rows=sum(month.segment.rows for month in months),
        missing=sum(gap.missing for gap in gaps),
        gaps=gaps,
    )


def _funding_gaps(months: Iterable[HeldSegment], _timeframe_ms: int) -> list[Gap]:
    funding = funding_series(Rows.concat([month.rows() for month in months], SeriesKind.FUNDING))
    return funding_gaps(funding.t_ms, funding.interval_hours * HOUR_MS)


def _candle_gaps(months: Iterable[HeldSegment], timeframe_ms: int) -> list[Gap]:
    # A month whose count fits its extent has no hole; only the others are decoded.
    known: list[npt.NDArray[np.int64]] = []
    for month in months:
        first, last = month.segment.first_ms, month.segment.last_ms
        whole = month.segment.rows == (last - first) // timeframe_ms + 1
        known.append(np.arange(first, last + 1, timeframe_ms) if whole else month.rows().times)
    return candle_gaps(np.concatenate(known), timeframe_ms)
