"""Figures of every pair with stored funding, for choosing a trade."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy import Connection

from bot.config.parameters import AccountParameters
from bot.errors import InvalidInputError, UnknownSymbolError
from bot.market.coverage import check_decided
from bot.market.quality import undecided
from bot.market.rows import Rows, SeriesKind, candle_series, funding_series
from bot.market.series import CandleSeries, FundingSeries
from bot.market_store import sql
from bot.market_store.pair_figures.basis import BasisFigures, basis_at, basis_figures
from bot.market_store.pair_figures.funding import FundingFigures, funding_figures
from bot.market_store.series_selection import chosen_series, in_units, spot_units
from bot.market_store.sql import HeldSegment, HeldSeries, Outline
from bot.market_store.summaries import Place, Summary, kept_summaries, rows_digest
from bot.models import DAY_MS, HOUR_MS
from bot.notation import quoted
from bot.numbers.arrays import FloatArray
from bot.numbers.money import dec, plain
from bot.timestamps import parse_time_ms

WINDOWS_DAYS = (30, 90, 365, 0)
"""Windows of a pair's figures, in its newest days; 0 is all that is held."""

_NAME = "pairs"
_VERSION = 1
_LEGS = (SeriesKind.FUNDING, SeriesKind.SPOT, SeriesKind.PERP)
_MAX_AGE_MS = int(AccountParameters.model_fields["max_price_age_hours"].default * HOUR_MS)
"""Older prices make no basis, as they make no decision of a run."""

Outlines = Mapping[int, Sequence[Outline]]


@dataclass(frozen=True, slots=True)
class Pair:
    """One pair in a window; `basis` is None where no settlement of it finds fresh prices of both legs."""

    exchange: str
    symbol: str
    synthetic: bool
    funding: FundingFigures
    basis: BasisFigures | None


@dataclass(frozen=True, slots=True, eq=False)
class PairSeries:
    """The settlements of a pair in a window, and the basis at each of them, NaN where it is not known."""

    exchange: str
    symbol: str
    synthetic: bool
    funding: FundingSeries
    basis: FloatArray

    def figures(self) -> Pair:
        """Return the figures of these settlements; raises UnknownSymbolError without any."""
        funding = funding_figures(self.funding)
        if funding is None:
            raise UnknownSymbolError.of("symbol", f"no funding of {quoted(self.symbol)} is held")
        return Pair(self.exchange, self.symbol, self.synthetic, funding, basis_figures(self.basis))


def list_pairs(connection: Connection, days: int) -> tuple[list[Pair], list[Summary]]:
    """Return the figures of all pairs over their newest `days`, and what is new to keep.

    Raises: InvalidInputError unless `days` is one of `WINDOWS_DAYS`.
    """
    check_window(days)
    outlines, held = _held(connection)
    kept = kept_summaries(connection, _NAME)
    found, fresh = [], []
    for place in sorted({_place(one) for one in held if one.key.kind is SeriesKind.FUNDING}):
        market = [one for one in held if one.key.exchange == place[0]]
        read = _may_be_read(market, place[1])
        digest = rows_digest(_VERSION, read, outlines)
        summary = kept.get(place)
        if summary is None or summary.digest != digest:
            months = _Months(connection)
            summary = Summary(place, _NAME, digest, _documents(months, market, outlines, place))
            fresh.append(summary)
        if summary.document:
            synthetic = any(one.synthetic for one in read)
            found.append(_pair(place, summary.document[str(days)], synthetic=synthetic))
    return found, fresh


@dataclass(frozen=True, slots=True)
class Dates:
    """Settlements from `start_ms` to `end_ms`, either None for the first or last that is held."""

    start_ms: int | None = None
    end_ms: int | None = None

    def __bool__(self) -> bool:
        """Return True if any bound is given."""
        return self.start_ms is not None or self.end_ms is not None

    @classmethod
    def of(cls, start: str, end: str) -> "Dates":
        """Parse two dates or times, each empty for no bound; raises InvalidInputError."""
        start_ms, end_ms = _moment("start", start), _moment("end", end)
        if start_ms is not None and end_ms is not None and start_ms >= end_ms:
            raise InvalidInputError.of("start", f"{start} is not before the end, {end}")
        return cls(start_ms, end_ms)


ANY_DATES = Dates()


def _moment(name: str, text: str) -> int | None:
    try:
        return parse_time_ms(text.strip()) if text.strip() else None
    except ValueError as error:
        raise InvalidInputError.of(name, str(error)) from error


def pair_series(
    connection: Connection, exchange: str, symbol: str, days: int, dates: Dates = ANY_DATES
) -> PairSeries:
    """Return the settlements of a pair over its newest `days` or between `dates`, with the basis at each.

    Raises: UnknownSymbolError if no funding of it is held; InsufficientDataError while its intervals are not
    known; InvalidInputError as `list_pairs`, and for dates without a settlement.
    """
    check_window(days)
    outlines, held = _held(connection, exchange)
    if not any(one.key.symbol == symbol and one.key.kind is SeriesKind.FUNDING for one in held):
        raise UnknownSymbolError.of(
            "symbol", f"no funding of {quoted(symbol)} is held for {quoted(exchange)}"
        )
    series = _series(_Months(connection), held, outlines, (exchange, symbol), days, dates)
    if dates and not len(series.funding):
        raise InvalidInputError.of("start, end", f"no settlement of {symbol} is held between these dates")
    check_decided("symbol", symbol, series.funding)
    return series


def check_window(days: int) -> None:
    """Raise InvalidInputError unless figures are kept for the newest `days`."""
    if days not in WINDOWS_DAYS:
        known = ", ".join(str(one) for one in WINDOWS_DAYS)
        raise InvalidInputError.of("days", f"{days} is none of {known} (0: all that is held)")


def _held(connection: Connection, exchange: str | None = None) -> tuple[Outlines, list[HeldSeries]]:
    outlines = sql.outlines(connection, exchange)
    return outlines, [one for one in sql.held_series(connection, exchange) if one.id in outlines]


def _place(series: HeldSeries) -> Place:
    return series.key.exchange, series.key.symbol


def _may_be_read(market: Sequence[HeldSeries], symbol: str) -> list[HeldSeries]:
    """Return every series from which one of the windows may be read."""
    legs = {one.key for one in chosen_series(market, {}, symbol, None)}
    places = {(key.symbol, key.kind) for key in legs if key.kind in _LEGS}
    return [one for one in market if (one.key.symbol, one.key.kind) in places]


class _Months:
    """The stored months of some series, each read and decoded once for all windows."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._held: dict[int, list[HeldSegment]] = {}
        self._rows: dict[tuple[int, int], Rows] = {}

    def rows(self, series: HeldSeries, first_ms: int, last_ms: int) -> Rows:
        """Return the rows of the months that touch [first_ms, last_ms]."""
        if series.id not in self._held:
            self._held[series.id] = list(sql.segments(self._connection, [series]))
        inside = [
            one
            for one in self._held[series.id]
            if one.segment.last_ms >= first_ms and one.segment.first_ms <= last_ms
        ]
        return Rows.concat([self._decoded(one) for one in inside], series.key.kind)

    def _decoded(self, held: HeldSegment) -> Rows:
        name = held.series.id, held.segment.month
        if name not in self._rows:
            self._rows[name] = held.rows()
        return self._rows[name]


def _series(
    months: _Months,
    market: Sequence[HeldSeries],
    outlines: Outlines,
    place: Place,
    days: int,
    dates: Dates = ANY_DATES,
) -> PairSeries:
    symbol = place[1]
    extents = {series_id: (months[0].first_ms, months[-1].last_ms) for series_id, months in outlines.items()}
    own = [one for one in market if one.key.symbol == symbol and one.key.kind is SeriesKind.FUNDING]
    last_ms = extents[own[0].id][1]
    first_ms = last_ms - days * DAY_MS + 1 if days and not dates else extents[own[0].id][0]
    if dates.start_ms is not None:
        first_ms = max(first_ms, dates.start_ms)
    if dates.end_ms is not None:
        last_ms = min(last_ms, dates.end_ms)
    chosen = {
        one.key.kind: one
        for one in chosen_series(market, extents, symbol, (first_ms, last_ms))
        if one.key.kind in _LEGS
    }
    settled = months.rows(chosen[SeriesKind.FUNDING], first_ms, last_ms)
    funding = funding_series(settled)[
        slice(*np.searchsorted(settled.times, [first_ms, last_ms + 1]).tolist())
    ]
    spot, perp = (
        _candles(months, chosen.get(kind), first_ms, last_ms) for kind in (SeriesKind.SPOT, SeriesKind.PERP)
    )
    spot = in_units(spot, spot_units(symbol, chosen.values()))
    synthetic = any(one.synthetic for one in chosen.values())
    return PairSeries(*place, synthetic, funding, basis_at(funding.t_ms, spot, perp, _MAX_AGE_MS))


def _candles(months: _Months, series: HeldSeries | None, first_ms: int, last_ms: int) -> CandleSeries:
    if series is None:
        return candle_series(Rows.empty(SeriesKind.SPOT), HOUR_MS)
    # The first settlements of the window see candles that opened before it.
    before_ms = series.key.timeframe_ms + _MAX_AGE_MS
    rows = months.rows(series, first_ms - before_ms, last_ms)
    return candle_series(rows, series.key.timeframe_ms)


def _documents(
    months: _Months, market: Sequence[HeldSeries], outlines: Outlines, place: Place
) -> dict[str, Any]:
    """Return the figures by window; none while intervals are not known, so that rates cannot be compared."""
    series = {days: _series(months, market, outlines, place, days) for days in WINDOWS_DAYS}
    if any(undecided(one.funding) for one in series.values()):
        return {}
    return {str(days): _document(one) for days, one in series.items()}


def _document(series: PairSeries) -> dict[str, Any]:
    pair = series.figures()
    return {
        "funding": {**asdict(pair.funding), "total": plain(pair.funding.total)},
        "basis": None if pair.basis is None else asdict(pair.basis),
    }


def _pair(place: Place, document: Mapping[str, Any], *, synthetic: bool) -> Pair:
    total: Decimal = dec(document["funding"]["total"])
    funding = FundingFigures(**{**document["funding"], "total": total})
    basis = document["basis"]
    return Pair(*place, synthetic, funding, None if basis is None else BasisFigures(**basis))
