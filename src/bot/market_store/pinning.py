"""Cheap digest of the history that runs may read, by which a change of it is noticed."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.market.hedge_data import PairKey, named_pairs
from bot.market.records.contract_life import ContractLife, Epoch
from bot.market.records.kinds import RecordKind
from bot.market.symbols import multiplied
from bot.market_store import sql
from bot.market_store.later_marks import marked_later
from bot.market_store.records import held_records, read_rows, records_digest
from bot.market_store.segments import digest
from bot.market_store.sql import HeldSegment, HeldSeries
from bot.market_store.tables import market_segment
from bot.models import Instrument
from bot.numbers.money import ONE, plain

_REMEMBERED = 10_000
_MONTH = market_segment.c
_MONTHS = (
    sa.select(_MONTH.series_id, _MONTH.month, _MONTH.first_ms, _MONTH.last_ms, _MONTH.digest)
    .where(
        _MONTH.series_id.in_(sa.bindparam("ids", expanding=True)), _MONTH.first_ms <= sa.bindparam("end_ms")
    )
    .order_by(_MONTH.series_id, _MONTH.month)
)


def history_digest(
    connection: Connection,
    exchange: str,
    symbols: Sequence[str],
    end_ms: int,
    reads: Collection[RecordKind] = (),
) -> str:
    """Return a digest of every row and trading rule of `symbols` that is visible at `end_ms`.

    Of what is recorded beside series, the kinds in `reads` count, of the symbols and of the whole exchange.
    Rows that become visible later leave it as it is, but for those of a life, which is read whole, and the
    first mark candle of a contract that a life records. Months are known by their stored digests; only those
    that `end_ms` cuts are decoded, once in a process.
    """
    held = sql.series_of(connection, exchange, symbols_read(symbols))
    rules = sql.instruments(connection, exchange, symbols)
    parts = [
        exchange,
        [[symbol, *_rules(rules.get(symbol, Instrument()))] for symbol in sorted(symbols)],
        _series(connection, held, end_ms),
        *_records(connection, exchange, symbols, end_ms, reads),
        *(_later_marks(connection, exchange, symbols, end_ms) if RecordKind.LIFE in reads else []),
    ]
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


def hedges_digest(
    connection: Connection,
    wanted: Iterable[PairKey],
    end_ms: int,
    reads: Collection[RecordKind] = tuple(RecordKind),
) -> str:
    """Return a digest of all that hedges of the wanted pairs, on several exchanges, read up to `end_ms`.

    Pairs that recorded lives name count, as far as lives are among `reads`; otherwise as `history_digest`.
    """
    pairs = set(wanted)
    parts = []
    for exchange in sorted({exchange for exchange, _ in pairs}):
        symbols = {symbol for other, symbol in pairs if other == exchange}
        if RecordKind.LIFE in reads:
            symbols |= _named_by_lives(connection, exchange, symbols)
        parts.append(history_digest(connection, exchange, sorted(symbols), end_ms, reads))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def pairs_digest(
    connection: Connection,
    exchange: str,
    symbols: Collection[str],
    end_ms: int,
    reads: Collection[RecordKind] = (),
) -> str:
    """Return `history_digest` of pairs, and of the pairs that their lives name.

    Lives count, whatever is in `reads`, where they tell of ends, names or units.
    """
    lived = _epochs(connection, exchange, {*symbols})
    told = [one for one in lived if one.to_ms or one.stem or one.units]
    if not told:
        return history_digest(connection, exchange, sorted(symbols), end_ms, reads)
    named = sorted({*symbols} | named_pairs(told))
    return history_digest(connection, exchange, named, end_ms, {*reads, RecordKind.LIFE})


def _named_by_lives(connection: Connection, exchange: str, symbols: set[str]) -> set[str]:
    return named_pairs(_epochs(connection, exchange, symbols))


def pairs_named_by_lives(connection: Connection, exchange: str) -> Mapping[str, frozenset[str]]:
    """Return the perp symbols of pairs whose rows the recorded lives of a market name, by its symbol."""
    lives = (one for one in held_records(connection, exchange) if one.key.kind is RecordKind.LIFE)
    return {one.key.symbol: frozenset(named_pairs(read_rows(connection, one))) for one in lives}


def _epochs(connection: Connection, exchange: str, symbols: set[str]) -> list[Epoch]:
    """Return the recorded epochs of markets."""
    held = [
        one
        for one in held_records(connection, exchange)
        if one.key.kind is RecordKind.LIFE and one.key.symbol in symbols
    ]
    return [epoch for one in held for epoch in read_rows(connection, one)]


def _records(
    connection: Connection,
    exchange: str,
    symbols: Iterable[str],
    end_ms: int,
    reads: Collection[RecordKind],
) -> list[list[str]]:
    """Return symbol, kind and digest of the recorded rows that are read; nothing where none are held."""
    if not reads:
        return []
    names = {"", *symbols}
    held = [one for one in held_records(connection, exchange) if one.key.symbol in names]
    found = [(one.key, records_digest(connection, one, end_ms)) for one in held if one.key.kind in reads]
    return [[key.symbol, key.kind.value, name] for key, name in found if name is not None]


def _later_marks(
    connection: Connection, exchange: str, symbols: Iterable[str], end_ms: int
) -> list[list[object]]:
    """Return symbol and beginning of the contracts whose mark candles are all later than `end_ms`."""

    def series_of(symbol: str) -> list[HeldSeries]:
        return sql.series_of(connection, exchange, [symbol])

    found: list[list[object]] = []
    for symbol in sorted(symbols):
        perp = [epoch for epoch in _epochs(connection, exchange, {symbol}) if epoch.market == "perp"]
        later = marked_later(connection, symbol, ContractLife(perp), series_of, end_ms) if perp else ()
        found += [[symbol, from_ms] for from_ms in sorted(later)]
    return found


def symbols_read(symbols: Iterable[str]) -> set[str]:
    """Return the symbols and the coins whose spot market may hedge them."""
    coins = (multiplied(symbol) for symbol in symbols)
    return {*symbols, *(coin[1] for coin in coins if coin)}


def _rules(instrument: Instrument) -> list[object]:
    values = (instrument.qty_step, instrument.min_qty, instrument.min_notional, instrument.mmr)
    size = [] if instrument.contract_size == ONE else [plain(instrument.contract_size)]
    return [*map(plain, values), instrument.spot_active, *size]


def _series(connection: Connection, held: Sequence[HeldSeries], end_ms: int) -> list[list[object]]:
    """Return each series as its key and the digests of its months that are visible at `end_ms`."""
    months: dict[int, list[Any]] = {one.id: [] for one in held}
    rows = connection.execute(_MONTHS, {"ids": list(months), "end_ms": end_ms}).all()
    for month in rows:
        months[month.series_id].append(month)
    found: list[list[object]] = []
    for one in held:
        key, latest_ms = one.key, end_ms - one.key.timeframe_ms
        names = [
            month.digest if month.last_ms <= latest_ms else _cut(connection, one, month, latest_ms)
            for month in months[one.id]
            if month.first_ms <= latest_ms
        ]
        found.append([key.symbol, key.kind.value, key.timeframe_ms, names])
    return found


def _cut(connection: Connection, series: HeldSeries, month: Any, latest: int) -> str:
    known = _beginnings(month.digest)
    if latest not in known:
        only = (month.month, month.month)
        [held] = sql.segments(connection, [series], between_months=only, beyond_seals=True)
        known[latest] = _digest_until(held, latest)
    return known[latest]


@lru_cache(maxsize=_REMEMBERED)
def _beginnings(_segment: str) -> dict[int, str]:
    """Return the remembered digests of a stored month: those of its rows up to some moments."""
    return {}


def _digest_until(held: HeldSegment, latest_ms: int) -> str:
    rows = held.rows()
    return digest(rows[: int(rows.times.searchsorted(latest_ms, side="right"))])
