"""Load the history a run may read from stored months."""

import difflib
import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from sqlalchemy import Connection

from bot.errors import UnknownExchangeError, UnknownSymbolError
from bot.market.coverage import check_decided
from bot.market.hedge_data import HedgeData, PairKey, named_pairs
from bot.market.records.kinds import RecordKind
from bot.market.records.recorded import RecordedRows
from bot.market.rows import Rows, SeriesKind, candle_series, funding_series
from bot.market.series import CandleSeries, HeldRange, MarketData, SymbolData
from bot.market.symbols import SECOND_SYNTHETIC_EXCHANGE, inverse_symbol
from bot.market_store import sql
from bot.market_store.later_marks import marked_later
from bot.market_store.records import records_of, rows_digest, rows_until
from bot.market_store.segments import digest
from bot.market_store.series_selection import Extents, Window, chosen_series, in_units, own_series, spot_units
from bot.market_store.sql import HeldSegment, HeldSeries, refuse_sealed
from bot.models import HOUR_MS, Instrument
from bot.notation import quoted
from bot.numbers.money import plain


@dataclass(frozen=True, slots=True, eq=False)
class _Visible:
    series: HeldSeries
    rows: Rows
    digests: tuple[str, ...]


def load_market(
    connection: Connection,
    exchange: str | None,
    symbols: Sequence[str],
    end_ms: int,
    start_ms: int | None = None,
    *,
    beyond_seals: bool = False,
    reads: Collection[RecordKind] = (),
) -> MarketData:
    """Return the whole history up to `end_ms` of `symbols`, in their order, and nothing later.

    Of what is recorded beside series, the kinds in `reads` are loaded, and only they enter fingerprints.
    Where a leg is held in several timeframes, the one that suits the window from `start_ms` on is taken.
    Raises: UnknownExchangeError, UnknownSymbolError; SealedError if it ends in sealed days, unless it is the
    look at a holdout (`beyond_seals`); InsufficientDataError while funding intervals are not known;
    StoreError if stored rows are damaged.
    """
    exchange = resolve_exchange(connection, exchange)
    if not beyond_seals:
        refuse_sealed(connection, exchange, end_ms)
    for symbol in symbols:
        if inverse_symbol(symbol) is not None:
            raise UnknownSymbolError.of("symbols", no_spot_perp(symbol))
    held = sql.held_series(connection, exchange)
    extents = sql.extents(connection, held, beyond_seals=True)
    window = None if start_ms is None else (start_ms, end_ms)
    chosen = {symbol: chosen_series(held, extents, symbol, window) for symbol in symbols}
    for symbol, series in chosen.items():
        if not series:
            raise UnknownSymbolError.of("symbols", no_such_symbol(symbol, exchange, held))
    rules = sql.instruments(connection, exchange, symbols)
    loaded = tuple(
        _with_records(
            _load_symbol(connection, symbol, series, rules.get(symbol, Instrument()), end_ms, extents),
            _recorded(connection, exchange, symbol, end_ms, reads),
        )
        for symbol, series in chosen.items()
    )
    for data in loaded:
        check_decided("symbols", data.symbol, data.funding)
    of_all = _recorded(connection, exchange, "", end_ms, reads)
    named = [exchange, *(one.fingerprint for one in loaded), *_digests(of_all)]
    has_lives = any(_tells_of_life(connection, exchange, data, end_ms) for data in loaded)
    return MarketData(exchange, end_ms, loaded, _hash(named), of_all, has_lives)


def _tells_of_life(connection: Connection, exchange: str, data: SymbolData, end_ms: int) -> bool:
    """Return whether recorded lives of a pair tell more than that its rows are those of one contract."""
    lives = _recorded(connection, exchange, data.symbol, end_ms, [RecordKind.LIFE]).lives()
    perp = [
        *data.funding.t_ms[:1],
        *data.perp.open_ms[:1],
        *([] if data.mark is None else data.mark.open_ms[:1]),
    ]
    firsts = {"perp": perp, "spot": [*data.spot.open_ms[:1]]}
    return any(life.tells_more_than(min(firsts[market], default=end_ms)) for market, life in lives.items())


def load_hedges(
    connection: Connection,
    exchange: str,
    wanted: Collection[PairKey],
    end_ms: int,
    start_ms: int | None = None,
    *,
    beyond_seals: bool = False,
    reads: Collection[RecordKind] = tuple(RecordKind),
) -> HedgeData:
    """Return what is held up to `end_ms` of the wanted pairs, on several exchanges; `exchange` is the run's.

    Pairs of which nothing is held are left out. Those that recorded lives name by `stem` come with them.
    Timeframes are chosen, and recorded kinds read, as `load_market` does.
    Raises: SealedError if it ends in sealed days of one of the exchanges, unless it is the look at a holdout
    (`beyond_seals`); InsufficientDataError while funding intervals are not known; StoreError if stored rows
    are damaged.
    """
    exchanges = sorted({exchange, *(one for one, _ in wanted)})
    if not beyond_seals:
        for one in exchanges:
            refuse_sealed(connection, one, end_ms)
    window = None if start_ms is None else (start_ms, end_ms)
    pairs: dict[PairKey, SymbolData] = {}
    of_exchanges: dict[str, RecordedRows] = {}
    for one in exchanges:
        held = _HeldPairs.of(connection, one, window, end_ms, reads)
        symbols = {symbol for other, symbol in wanted if other == one}
        found = held.pairs(symbols)
        lives = (life for data in found.values() for life in data.recorded.lives().values())
        found |= held.pairs(named_pairs(epoch for life in lives for epoch in life.epochs) - found.keys())
        for symbol, data in found.items():
            where = symbol if one == exchange else f"{symbol}@{one}"
            check_decided("symbols", where, data.funding)
            pairs[one, symbol] = data
        of_all = _recorded(connection, one, "", end_ms, reads)
        if of_all.rows:
            of_exchanges[one] = of_all
    named = [
        exchange,
        [[*key, data.fingerprint] for key, data in sorted(pairs.items())],
        [[one, *_digests(rows)] for one, rows in of_exchanges.items()],
    ]
    return HedgeData(exchange, end_ms, pairs, of_exchanges, _hash(named))


@dataclass(frozen=True, slots=True, eq=False)
class _HeldPairs:
    """Series of one exchange, to load single pairs of, as recorded."""

    connection: Connection
    exchange: str
    window: Window | None
    end_ms: int
    reads: Collection[RecordKind]
    held: Sequence[HeldSeries]
    extents: Extents

    @classmethod
    def of(
        cls,
        connection: Connection,
        exchange: str,
        window: Window | None,
        end_ms: int,
        reads: Collection[RecordKind],
    ) -> Self:
        held = sql.held_series(connection, exchange)
        extents = sql.extents(connection, held, beyond_seals=True)
        return cls(connection, exchange, window, end_ms, reads, held, extents)

    def pairs(self, symbols: Iterable[str]) -> dict[str, SymbolData]:
        """Return the pairs of which anything is held, by symbol."""
        found, names = {}, sorted(symbols)
        known = sql.instruments(self.connection, self.exchange, names)
        for symbol in names:
            series = self._own_series(symbol)
            recorded = _recorded(self.connection, self.exchange, symbol, self.end_ms, self.reads)
            if series or recorded.rows:
                rules = known.get(symbol, Instrument())
                data = _load_symbol(self.connection, symbol, series, rules, self.end_ms, self.extents)
                found[symbol] = self._with_later_marks(_with_records(data, recorded))
        return found

    def _with_later_marks(self, data: SymbolData) -> SymbolData:
        life = data.recorded.lives().get("perp")
        if life is None:
            return data
        later = marked_later(self.connection, data.symbol, life, self._own_series, self.end_ms)
        if not later:
            return data
        return replace(data, marked_later=later, fingerprint=_hash([data.fingerprint, sorted(later)]))

    def _own_series(self, symbol: str) -> list[HeldSeries]:
        return own_series(self.held, self.extents, symbol, self.window)


def resolve_exchange(connection: Connection, exchange: str | None) -> str:
    """Return the data set meant: the one named, or else the only one held.

    The second generated one, which is there for hedges of two exchanges, is meant by its name alone.
    Raises: UnknownExchangeError listing what is held.
    """
    held = sql.exchanges(connection)
    usual = [one for one in held if one != SECOND_SYNTHETIC_EXCHANGE] or held
    if exchange is None and len(usual) == 1:
        return usual[0]
    if exchange in held:
        return str(exchange)
    known = f"held are {', '.join(held)}" if held else "no market data has been imported yet"
    named = "none is named" if exchange is None else f"{quoted(exchange)} is not held"
    raise UnknownExchangeError.of("exchange", f"{named}; {known}")


def no_spot_perp(symbol: str) -> str:
    """Return that an inverse market is no pair of a linear perp and its spot market."""
    return f"{quoted(symbol)} is an inverse market, which structure inverse is for, not spot_perp"


def no_such_symbol(symbol: str, exchange: str, held: Iterable[HeldSeries]) -> str:
    """Return that a symbol is not held, beside the names that are nearest to it."""
    known = sorted({one.key.symbol for one in held})
    near = difflib.get_close_matches(symbol, known, n=3, cutoff=0.4)
    hint = f"nearest are {', '.join(near)}" if near else f"held are {', '.join(known[:20])}"
    return f"{quoted(symbol)} is not held for {exchange}; {hint}"


def _recorded(
    connection: Connection, exchange: str, symbol: str, end_ms: int, reads: Collection[RecordKind]
) -> RecordedRows:
    """Return the rows of the kinds in `reads` up to `end_ms`; an empty symbol is a whole exchange."""
    found: dict[RecordKind, tuple[Any, ...]] = {}
    held = records_of(connection, exchange, symbol, reads) if reads else {}
    for kind, records in held.items():
        visible = rows_until(connection, records, end_ms)
        if visible:
            found[kind] = tuple(visible)
    return RecordedRows(found)


def _with_records(data: SymbolData, recorded: RecordedRows) -> SymbolData:
    if not recorded.rows:
        return data
    named = [data.fingerprint, *_digests(recorded)]
    return replace(data, recorded=recorded, fingerprint=_hash(named))


def _digests(recorded: RecordedRows) -> list[list[str | None]]:
    """Return kind and digest of recorded rows; without any a fingerprint is that of the series alone."""
    return [[kind.value, rows_digest(kind, rows)] for kind, rows in sorted(recorded.rows.items())]


def _load_symbol(
    connection: Connection,
    symbol: str,
    chosen: list[HeldSeries],
    rules: Instrument,
    end_ms: int,
    extents: Extents,
) -> SymbolData:
    months: dict[int, list[HeldSegment]] = {one.id: [] for one in chosen}
    for month in sql.segments(connection, chosen, until_ms=end_ms, beyond_seals=True):
        months[month.series.id].append(month)
    visible = {one.key.kind: _visible(one, months[one.id], end_ms) for one in chosen}
    units = spot_units(symbol, chosen)
    return SymbolData(
        symbol=symbol,
        instrument=rules,
        funding=funding_series(_rows(visible, SeriesKind.FUNDING)),
        spot=in_units(_candles(visible, SeriesKind.SPOT), units),
        perp=_candles(visible, SeriesKind.PERP),
        mark=_candles(visible, SeriesKind.MARK) if SeriesKind.MARK in visible else None,
        fingerprint=_fingerprint(symbol, rules, visible, units),
        synthetic=any(one.synthetic for one in chosen),
        spot_units=units,
        held=tuple(HeldRange(one.key.kind.value, *extents[one.id]) for one in chosen if one.id in extents),
    )


def _visible(series: HeldSeries, months: Sequence[HeldSegment], end_ms: int) -> _Visible:
    latest_ms = end_ms - series.key.timeframe_ms
    parts, digests = [], []
    for month in months:
        rows = month.rows()
        name = month.segment.digest
        if month.segment.last_ms > latest_ms:
            rows = rows[: int(np.searchsorted(rows.times, latest_ms, side="right"))]
            name = digest(rows)
        if len(rows):
            parts.append(rows)
            digests.append(name)
    return _Visible(series, Rows.concat(parts, series.key.kind), tuple(digests))


def _rows(visible: dict[SeriesKind, _Visible], kind: SeriesKind) -> Rows:
    return visible[kind].rows if kind in visible else Rows.empty(kind)


def _candles(visible: dict[SeriesKind, _Visible], kind: SeriesKind) -> CandleSeries:
    timeframe_ms = visible[kind].series.key.timeframe_ms if kind in visible else HOUR_MS
    return candle_series(_rows(visible, kind), timeframe_ms)


def _fingerprint(symbol: str, rules: Instrument, visible: dict[SeriesKind, _Visible], units: int) -> str:
    values = [plain(value) for value in (rules.qty_step, rules.min_qty, rules.min_notional, rules.mmr)]
    series = [
        [kind.value, visible[kind].series.key.timeframe_ms, list(visible[kind].digests)]
        for kind in sorted(visible)
    ]
    scaled = [] if units == 1 else [units]
    return _hash([symbol, values, rules.spot_active, series, *scaled])


def _hash(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()
