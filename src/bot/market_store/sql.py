"""Statements on the market tables, each for an open connection.

Nothing is read from the day on at which an exchange is sealed: `segments`, `outlines` and `extents` end
there, `refuse_sealed` refuses a run. Only writers, counts and the look at a holdout read beyond.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import sqlalchemy as sa

from bot.errors import DataImportError, SealedError
from bot.market.intervals import Origins
from bot.market.rows import Rows, SeriesKey, SeriesKind
from bot.market_store.database import insert_or_skip
from bot.market_store.segments import Segment, decode, decode_origins
from bot.market_store.tables import (
    fee_rate,
    instrument,
    market_segment,
    market_series,
    market_summary,
    seal,
)
from bot.models import Instrument
from bot.numbers.money import ONE, plain
from bot.timestamps import iso

_DECIMALS = ("qty_step", "min_qty", "min_notional", "mmr")


class PublishedFees(NamedTuple):
    """Taker fee rates of a pair's legs as an exchange publishes them; None where it does not."""

    spot_taker: Decimal | None
    perp_taker: Decimal | None


@dataclass(frozen=True, slots=True)
class HeldSeries:
    """A series in the store."""

    id: int
    key: SeriesKey
    synthetic: bool


class Outline(NamedTuple):
    """A stored month without its rows: extent in ms, how many, and the digest that names them."""

    first_ms: int
    last_ms: int
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class HeldSegment:
    """A stored month, still encoded, and the series it belongs to; read up to `latest_ms`, None for all."""

    series: HeldSeries
    segment: Segment
    latest_ms: int | None = None

    def rows(self) -> Rows:
        """Return the decoded rows that may be read; raises StoreError if they are damaged."""
        rows = decode(self.segment.payload, self.segment.digest, self._name())
        if self.latest_ms is None or self.segment.last_ms <= self.latest_ms:
            return rows
        return rows[: int(rows.times.searchsorted(self.latest_ms, side="right"))]

    def origins(self) -> Origins:
        """Return the origins of the intervals of its settlements; raises StoreError if they are damaged."""
        return decode_origins(self.segment.origins, self.segment.rows, self._name())

    def _name(self) -> str:
        key, month = self.series.key, self.segment.month
        return f"{key.exchange} {key.symbol} {key.kind}, month {month // 100}-{month % 100:02}"


_EXCHANGES = sa.select(market_series.c.exchange).distinct().order_by(market_series.c.exchange)
_SERIES = sa.select(market_series).order_by(
    *(market_series.c[name] for name in ("exchange", "symbol", "kind", "timeframe_ms"))
)
_SERIES_OF_EXCHANGE = _SERIES.where(market_series.c.exchange == sa.bindparam("of_exchange"))
_SERIES_OF_SYMBOLS = _SERIES_OF_EXCHANGE.where(
    market_series.c.symbol.in_(sa.bindparam("of_symbols", expanding=True))
)
_INSTRUMENTS = sa.select(instrument).where(
    instrument.c.exchange == sa.bindparam("of_exchange"),
    instrument.c.symbol.in_(sa.bindparam("of_symbols", expanding=True)),
)
_OUTLINES = sa.select(
    market_segment.c.series_id, *(market_segment.c[name] for name in Outline._fields)
).order_by(market_segment.c.series_id, market_segment.c.month)
_OUTLINES_OF_SERIES = _OUTLINES.where(market_segment.c.series_id.in_(sa.bindparam("ids", expanding=True)))
_SEALS = (
    sa.select(seal.c.exchange, sa.func.min(seal.c.from_ms).label("from_ms"))
    .where(seal.c.opened_ms.is_(None))
    .group_by(seal.c.exchange)
)


def exchanges(connection: sa.Connection) -> list[str]:
    """Return the names of all data sets, sorted."""
    return list(connection.scalars(_EXCHANGES))


def held_series(connection: sa.Connection, exchange: str | None = None) -> list[HeldSeries]:
    """Return all series, or those of one data set, by exchange, symbol, kind and timeframe."""
    query = _SERIES if exchange is None else _SERIES_OF_EXCHANGE
    return [_series(row) for row in connection.execute(query, {"of_exchange": exchange})]


def series_of(connection: sa.Connection, exchange: str, symbols: Iterable[str]) -> list[HeldSeries]:
    """Return the series of some symbols of a data set, in the order of `held_series`."""
    which = {"of_exchange": exchange, "of_symbols": sorted(set(symbols))}
    return [_series(row) for row in connection.execute(_SERIES_OF_SYMBOLS, which)]


def _series(row: sa.Row[tuple[object, ...]]) -> HeldSeries:
    key = SeriesKey(row.exchange, row.symbol, SeriesKind(row.kind), row.timeframe_ms)
    return HeldSeries(row.id, key, row.synthetic)


def lock_series(connection: sa.Connection, key: SeriesKey, *, synthetic: bool) -> HeldSeries:
    """Return the series, created if it is new and kept from other writers until the transaction ends.

    Raises: DataImportError if recorded rows would land among generated ones, or the reverse.
    """
    values: dict[str, object] = {name: getattr(key, name) for name in SeriesKey.__slots__}
    query = sa.select(market_series).where(*(market_series.c[n] == v for n, v in values.items()))
    found = None
    while found is None:  # one that is there may be deleted before it is locked
        connection.execute(insert_or_skip(connection, market_series).values(**values, synthetic=synthetic))
        found = connection.execute(query.with_for_update()).one_or_none()
    if found.synthetic != synthetic:
        held, offered = ("generated", "recorded") if found.synthetic else ("recorded", "generated")
        raise DataImportError(
            f"{key.exchange} {key.symbol} {key.kind} holds {held} data, which {offered} data cannot join"
        )
    return _series(found)


def lock_held(connection: sa.Connection, series: Iterable[HeldSeries]) -> list[HeldSeries]:
    """Return those of the series that are still there, kept from other writers until the transaction ends."""
    table = market_series.c
    query = sa.select(market_series).where(table.id.in_([one.id for one in series])).order_by(table.id)
    return [_series(row) for row in connection.execute(query.with_for_update())]


def seal_times(connection: sa.Connection) -> Mapping[str, int]:
    """Return the midnight (ms UTC) from which on each sealed exchange is closed."""
    return {row.exchange: row.from_ms for row in connection.execute(_SEALS)}


def refuse_sealed(connection: sa.Connection, exchange: str, end_ms: int, field: str = "end") -> None:
    """Do nothing if `end_ms` lies before the seal of an exchange; raises SealedError that names the field."""
    refuse_reached(seal_times(connection), exchange, end_ms, field)


def refuse_reached(seals: Mapping[str, int], exchange: str, end_ms: int, field: str = "end") -> None:
    """Do as `refuse_sealed` does, with the seals that `seal_times` gave."""
    from_ms = seals.get(exchange)
    if from_ms is not None and end_ms >= from_ms:
        raise SealedError.of(field, sealed_words(exchange, end_ms, from_ms))


def sealed_words(exchange: str, end_ms: int, from_ms: int) -> str:
    """Return the refusal of a run that reaches a seal."""
    return f"{iso(end_ms)} is sealed: {exchange} is closed from {iso(from_ms)[:10]} on; end before that day"


def segments(
    connection: sa.Connection,
    series: Iterable[HeldSeries],
    *,
    until_ms: int | None = None,
    between_months: tuple[int, int] | None = None,
    beyond_seals: bool = False,
) -> Iterator[HeldSegment]:
    """Yield the stored months of `series`, each ascending: all, or those that begin by `until_ms`.

    They end at the seals of their exchanges, unless what is read is shown to nobody (`beyond_seals`).
    """
    by_id = {one.id: one for one in series}
    latest = _latest(by_id.values(), {} if beyond_seals else seal_times(connection))
    table = market_segment.c
    query = (
        sa.select(market_segment)
        .where(table.series_id.in_(list(by_id)))
        .order_by(table.series_id, table.month)
    )
    if until_ms is not None:
        query = query.where(table.first_ms <= until_ms)
    if between_months is not None:
        query = query.where(table.month.between(*between_months))
    for series_id, *values in connection.execute(query):
        segment, latest_ms = Segment(*values), latest.get(series_id)
        if latest_ms is None or segment.first_ms <= latest_ms:
            yield HeldSegment(by_id[series_id], segment, latest_ms)


def _latest(series: Iterable[HeldSeries], seals: Mapping[str, int]) -> dict[int, int]:
    """Return the time of the last row that may be read of each sealed series: candles close by the seal."""
    return {
        one.id: seals[one.key.exchange] - max(one.key.timeframe_ms, 1)
        for one in series
        if one.key.exchange in seals
    }


def outlines(
    connection: sa.Connection,
    exchange: str | None = None,
    *,
    series: Iterable[HeldSeries] | None = None,
    seals: Mapping[str, int] | None = None,
    beyond_seals: bool = False,
) -> dict[int, list[Outline]]:
    """Return the stored months of every series, of one data set's or of `series`, ascending, by its id.

    They end at the seals of their exchanges as those of `segments` do, which are asked for where `seals` are
    left out; the digest of a month that a seal cuts names the cut as well, its extent and count stay those
    that are stored where nothing is known of the rest.
    """
    series = None if series is None else list(series)
    ids = [] if series is None else [one.id for one in series]
    query = _OUTLINES if series is None else _OUTLINES_OF_SERIES
    if exchange is not None:
        query = query.join(market_series).where(market_series.c.exchange == exchange)
    found: dict[int, list[Outline]] = {}
    for row in connection.execute(query, {"ids": ids}).all():
        found.setdefault(row[0], []).append(Outline._make(row[1:]))
    known = [] if beyond_seals else series if series is not None else held_series(connection, exchange)
    if seals is None:
        seals = {} if beyond_seals else seal_times(connection)
    for series_id, latest_ms in _latest(known, seals).items():
        months = [
            _until(month, latest_ms) for month in found.pop(series_id, ()) if month.first_ms <= latest_ms
        ]
        if months:
            found[series_id] = months
    return found


def _until(month: Outline, latest_ms: int) -> Outline:
    if month.last_ms <= latest_ms:
        return month
    return month._replace(last_ms=latest_ms, digest=f"{month.digest}<={latest_ms}")


def extents(
    connection: sa.Connection, series: Iterable[HeldSeries], *, beyond_seals: bool = False
) -> Mapping[int, tuple[int, int]]:
    """Return the first and last time of each series, by its id; they end at seals as `segments` do."""
    series, table = list(series), market_segment.c
    latest = _latest(series, {} if beyond_seals else seal_times(connection))
    query = (
        sa.select(table.series_id, sa.func.min(table.first_ms), sa.func.max(table.last_ms))
        .where(table.series_id.in_([one.id for one in series]))
        .group_by(table.series_id)
    )
    found = {
        series_id: (first, min(last, latest.get(series_id, last)))
        for series_id, first, last in connection.execute(query)
    }
    return {series_id: extent for series_id, extent in found.items() if extent[0] <= extent[1]}


def delete_segment(connection: sa.Connection, series: HeldSeries, month: int) -> None:
    """Forget a month."""
    table = market_segment.c
    this_month = (table.series_id == series.id) & (table.month == month)
    connection.execute(market_segment.delete().where(this_month))


def delete_segments(connection: sa.Connection, series: HeldSeries, from_ms: int, until_ms: int) -> None:
    """Forget the months all of whose rows are in [from_ms, until_ms)."""
    table = market_segment.c
    inside = (table.first_ms >= from_ms) & (table.last_ms < until_ms)
    connection.execute(market_segment.delete().where(table.series_id == series.id, inside))


def delete_empty_series(connection: sa.Connection, series: Iterable[HeldSeries]) -> None:
    """Forget those of the series that have no rows, and what is kept about symbols without any series."""
    table = market_series.c
    held = sa.exists().where(market_segment.c.series_id == table.id)
    ids = [one.id for one in series]
    connection.execute(market_series.delete().where(table.id.in_(ids), ~held))
    for exchange, symbol in {(one.key.exchange, one.key.symbol) for one in series}:
        still = sa.exists().where(table.exchange == exchange, table.symbol == symbol)
        kept = (market_summary.c.exchange == exchange) & (market_summary.c.symbol == symbol)
        connection.execute(market_summary.delete().where(kept, ~still))


def delete_rules(connection: sa.Connection, exchange: str, symbols: Iterable[str]) -> None:
    """Forget the trading rules and fees of symbols."""
    for table in (instrument, fee_rate):
        these = (table.c.exchange == exchange) & table.c.symbol.in_(sorted(symbols))
        connection.execute(table.delete().where(these))


def put_segment(connection: sa.Connection, series: HeldSeries, segment: Segment) -> None:
    """Store a month in place of what is held for it."""
    delete_segment(connection, series, segment.month)
    values = {name: getattr(segment, name) for name in Segment.__slots__}
    connection.execute(market_segment.insert().values(series_id=series.id, **values))


def instruments(connection: sa.Connection, exchange: str, symbols: Iterable[str]) -> dict[str, Instrument]:
    """Return the trading rules known for some symbols of a data set."""
    rows = connection.execute(_INSTRUMENTS, {"of_exchange": exchange, "of_symbols": sorted(set(symbols))})
    return {
        row.symbol: Instrument(
            **{name: Decimal(getattr(row, name)) for name in _DECIMALS},
            spot_active=row.spot_active,
            contract_size=ONE if row.contract_size is None else Decimal(row.contract_size),
        )
        for row in rows
    }


def put_instrument(connection: sa.Connection, exchange: str, symbol: str, rules: Instrument) -> None:
    """Store the trading rules of a symbol in place of those held."""
    this_symbol = (instrument.c.exchange == exchange) & (instrument.c.symbol == symbol)
    connection.execute(instrument.delete().where(this_symbol))
    values: dict[str, str | None] = {name: plain(getattr(rules, name)) for name in _DECIMALS}
    size = None if rules.contract_size == ONE else plain(rules.contract_size)
    values = {**values, "exchange": exchange, "symbol": symbol, "contract_size": size}
    connection.execute(instrument.insert().values(**values, spot_active=rules.spot_active))


def put_fees(connection: sa.Connection, exchange: str, symbol: str, fees: PublishedFees) -> None:
    """Store the published taker fees of a symbol in place of those held."""
    this_symbol = (fee_rate.c.exchange == exchange) & (fee_rate.c.symbol == symbol)
    connection.execute(fee_rate.delete().where(this_symbol))
    values = {name: None if fee is None else plain(fee) for name, fee in fees._asdict().items()}
    connection.execute(fee_rate.insert().values(exchange=exchange, symbol=symbol, **values))


def published_rules(connection: sa.Connection) -> dict[tuple[str, str], dict[str, str]]:
    """Return the trading rules and fees that are known, as text, by exchange and symbol."""
    known: dict[tuple[str, str], dict[str, str]] = {}
    for table, names in ((instrument, (*_DECIMALS, "contract_size")), (fee_rate, PublishedFees._fields)):
        for row in connection.execute(sa.select(table)):
            of_symbol = known.setdefault((row.exchange, row.symbol), {})
            of_symbol.update({name: getattr(row, name) for name in names if getattr(row, name) is not None})
    return known
