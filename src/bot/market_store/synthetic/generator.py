"""Generated markets for users without data: plausible, one for each seed, and always labelled."""

import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy import Connection

from bot.errors import DataImportError
from bot.market.merging import MergeResult
from bot.market.records.contract_life import MARKETS
from bot.market.records.fields import RecordRefusedError
from bot.market.records.kinds import RecordKey, RecordKind
from bot.market.rows import Rows, SeriesKey, SeriesKind
from bot.market.symbols import SECOND_SYNTHETIC_EXCHANGE, SYNTHETIC_EXCHANGE, SYNTHETIC_EXCHANGES
from bot.market_store import sql
from bot.market_store.database import write_transaction
from bot.market_store.records import merge_records
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.records import borrow_rates, brackets, delisted, fee_schedules, lives
from bot.market_store.synthetic.walk import Hour, funding_rate, other_perp, walk
from bot.market_store.writing import merge_series
from bot.models import HOUR_MS, Instrument
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.columns import DecimalColumn
from bot.numbers.money import scaled
from bot.timestamps import parse_time_ms

DEFAULT_SEED = 20_260_101
DEFAULT_START_MS = parse_time_ms("2024-01-01")
DEFAULT_END_MS = parse_time_ms("2026-01-01")
_VOLUME_EXPONENT = -3
_RATE_EXPONENT = -8
_REACH_UNIT = 10**9
_OUTAGES_PER_YEAR = 4
_INVERSE_SHARE = 5
"""Fraction of the linear perp's volume that the inverse one has."""
_SECOND_SHARE = 3
"""Fraction of the first linear perp's volume that the second one has."""
_ELSEWHERE_SHARE = 2
"""Fraction of the first exchange's volume that the second one has."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Profile of a generated pair.

    `tick_exponent` is the power of ten of a price tick, `hourly_volatility` in 1e-9, `hourly_volume` in
    thousandths of the base coin. `fast` pairs settle every 4 h instead of 8 h in the middle of the window,
    those of the second exchange every hour. `inverse` coins have an inverse market as well, those with a
    `second_quote` another linear one in that. `dies` says that the perp of the second exchange is delisted.
    """

    symbol: str
    start_ticks: int
    tick_exponent: int
    hourly_volatility: int
    hourly_volume: int
    instrument: Instrument
    fast: bool = False
    inverse: bool = False
    second_quote: str | None = None
    dies: bool = False
    exchange: str = SYNTHETIC_EXCHANGE

    @property
    def seed_name(self) -> str:
        """Return the name that its random draws begin with, beside the seed."""
        of_first = self.exchange == SYNTHETIC_EXCHANGE
        return self.symbol if of_first else f"{self.symbol}@{self.exchange}"

    @property
    def elsewhere(self) -> "Profile":
        """Return the profile of the linear market on the second exchange, at twice the maintenance rate."""
        rules = replace(self.instrument, mmr=2 * self.instrument.mmr)
        volume = self.hourly_volume // _ELSEWHERE_SHARE
        return replace(self, exchange=SECOND_SYNTHETIC_EXCHANGE, instrument=rules, hourly_volume=volume)

    @property
    def inverse_symbol(self) -> str:
        """Return the perp symbol of the inverse market of its coin."""
        coin = self.symbol.partition("/")[0]
        return f"{coin}/USD:{coin}"

    @property
    def second(self) -> "Profile | None":
        """Return the profile of the coin's linear market in another quote, None without one."""
        if self.second_quote is None:
            return None
        coin, quote = self.symbol.partition("/")[0], self.second_quote
        volume = self.hourly_volume // _SECOND_SHARE
        return replace(self, symbol=f"{coin}/{quote}:{quote}", hourly_volume=volume)


def _rules(step: str, min_notional: str, mmr: str) -> Instrument:
    return Instrument(Decimal(step), Decimal(step), Decimal(min_notional), Decimal(mmr))


PROFILES = (
    Profile("BTC/USDT:USDT", 4_228_000, -2, 4_600_000, 900_000, _rules("0.001", "50", "0.004"), inverse=True),
    Profile(
        "ETH/USDT:USDT",
        228_100,
        -2,
        6_000_000,
        9_000_000,
        _rules("0.001", "20", "0.005"),
        inverse=True,
        second_quote="USDC",
    ),
    Profile("SOL/USDT:USDT", 10_150, -2, 8_500_000, 90_000_000, _rules("0.01", "5", "0.01")),
    Profile(
        "DOGE/USDT:USDT",
        89_500,
        -6,
        9_000_000,
        60_000_000_000,
        _rules("1", "5", "0.01"),
        fast=True,
        dies=True,
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class GeneratedPair:
    """The rows of one generated pair, by kind; candles are hourly."""

    exchange: str
    symbol: str
    instrument: Instrument
    rows: dict[SeriesKind, Rows]
    records: dict[RecordKind, Sequence[Any]]


def generate_pair(profile: Profile, seed: int, start_ms: int, end_ms: int) -> GeneratedPair:
    """Return the linear market of one profile between two full hours; equal arguments give equal rows."""
    return _linear(profile, seed, start_ms, _hours(profile, seed, start_ms, end_ms))


def generate_pairs(profile: Profile, seed: int, start_ms: int, end_ms: int) -> list[GeneratedPair]:
    """Return the linear market of one profile, then the other markets of its coin.

    These are the inverse and the second linear one, where it has such, and the linear one of the second
    exchange.
    """
    hours = _hours(profile, seed, start_ms, end_ms)
    found = [_linear(profile, seed, start_ms, hours)]
    if profile.inverse:
        found.append(_inverse(profile, seed, start_ms, hours))
    second = profile.second
    if second is not None:
        rng = random.Random(f"{seed} {second.symbol}")  # noqa: S311 - a market, not a secret
        found.append(_linear(second, seed, start_ms, list(other_perp(rng, hours))))
    elsewhere = profile.elsewhere
    rng = random.Random(f"{seed} {elsewhere.seed_name}")  # noqa: S311 - a market, not a secret
    found.append(_linear(elsewhere, seed, start_ms, list(other_perp(rng, hours))))
    return found


def _hours(profile: Profile, seed: int, start_ms: int, end_ms: int) -> list[Hour]:
    rng = random.Random(f"{seed} {profile.symbol}")  # noqa: S311 - a market, not a secret
    return list(walk(rng, profile.start_ticks, profile.hourly_volatility, (end_ms - start_ms) // HOUR_MS))


def _linear(profile: Profile, seed: int, start_ms: int, hours: Sequence[Hour]) -> GeneratedPair:
    end_ms = start_ms + len(hours) * HOUR_MS
    traded = _traded(profile, hours)
    spot = _candles(profile, start_ms, hours, "spot", traded * 2 // 5)
    rows = {
        SeriesKind.SPOT: spot[_exchange_up(profile, seed, len(hours))],
        **_perp(profile, start_ms, hours, traded),
    }
    records: dict[RecordKind, Sequence[Any]] = {
        RecordKind.BORROW: borrow_rates(seed, profile.seed_name, profile.hourly_volume, start_ms, end_ms),
        RecordKind.BRACKETS: brackets(profile.instrument.mmr),
        RecordKind.LIFE: lives(start_ms, MARKETS),
    }
    lived = _lived_hours(profile, len(hours))
    if lived < len(hours):
        to_ms, settled = start_ms + lived * HOUR_MS, scaled(hours[lived - 1].mark, profile.tick_exponent)
        records[RecordKind.LIFE] = delisted(start_ms, to_ms, settled)
        rows |= _perp(profile, start_ms, hours[:lived], traded[:lived])
        settlements = rows[SeriesKind.FUNDING]
        rows[SeriesKind.FUNDING] = settlements[settlements.times < to_ms]
    return GeneratedPair(profile.exchange, profile.symbol, profile.instrument, rows, records)


def _lived_hours(profile: Profile, hours: int) -> int:
    """Return how many hours the perp lives: three quarters of them where it is delisted."""
    dies = profile.dies and profile.exchange != SYNTHETIC_EXCHANGE
    return hours * 3 // 4 if dies else hours


def _inverse(profile: Profile, seed: int, start_ms: int, hours: Sequence[Hour]) -> GeneratedPair:
    """Return a perp around the same spot prices with a premium of its own; volume and brackets in coins."""
    rng = random.Random(f"{seed} {profile.inverse_symbol}")  # noqa: S311 - a market, not a secret
    own = list(other_perp(rng, hours))
    records: dict[RecordKind, Sequence[Any]] = {
        RecordKind.BRACKETS: brackets(
            profile.instrument.mmr, profile.start_ticks // 10**-profile.tick_exponent
        ),
        RecordKind.LIFE: lives(start_ms, ["perp"]),
    }
    rows = _perp(profile, start_ms, own, _traded(profile, own) // _INVERSE_SHARE)
    return GeneratedPair(profile.exchange, profile.inverse_symbol, profile.instrument, rows, records)


def _perp(profile: Profile, start_ms: int, hours: Sequence[Hour], traded: IntArray) -> dict[SeriesKind, Rows]:
    return {
        SeriesKind.PERP: _candles(profile, start_ms, hours, "perp", traded),
        SeriesKind.MARK: _candles(profile, start_ms, hours, "mark", 0 * traded),
        SeriesKind.FUNDING: _funding(profile, start_ms, hours),
    }


def _traded(profile: Profile, hours: Sequence[Hour]) -> IntArray:
    return profile.hourly_volume * np.array([hour.activity for hour in hours]) // 1000


def _candles(profile: Profile, start_ms: int, hours: Sequence[Hour], name: str, volume: IntArray) -> Rows:
    times = start_ms + HOUR_MS * np.arange(len(hours), dtype=np.int64)
    closes = np.array([getattr(hour, name) for hour in hours])
    reach = [np.array([getattr(hour, name) for hour in hours]) for name in ("reach_up", "reach_down")]
    opens = np.concatenate([closes[:1], closes[:-1]])
    upper, lower = np.maximum(opens, closes), np.minimum(opens, closes)
    highs = upper + upper * reach[0] // _REACH_UNIT
    lows = lower - lower * reach[1] // _REACH_UNIT
    prices = [DecimalColumn.of(column, profile.tick_exponent) for column in (opens, highs, lows, closes)]
    return Rows(times, (*prices, DecimalColumn.of(volume, _VOLUME_EXPONENT)))


def _exchange_up(profile: Profile, seed: int, hours: int) -> BoolArray:
    """Return for each hour whether the spot exchange traded: it is down some hours a year, for all pairs."""
    of_first = profile.exchange == SYNTHETIC_EXCHANGE
    name = f"{seed} outages" if of_first else f"{seed} outages@{profile.exchange}"
    rng = random.Random(name)  # noqa: S311 - a market, not a secret
    up = np.ones(hours, dtype=np.bool_)
    for _ in range(hours * _OUTAGES_PER_YEAR // (365 * 24)):
        start = rng.randrange(hours)
        up[start : start + rng.randrange(1, 6)] = False
    return up


def _funding(profile: Profile, start_ms: int, hours: Sequence[Hour]) -> Rows:
    times, intervals, rates, marks = [], [], [], []
    for at in range(8, len(hours) + 1):
        interval = _interval_hours(profile, start_ms // HOUR_MS, at, len(hours))
        if (start_ms // HOUR_MS + at) % interval == 0:
            times.append(start_ms + at * HOUR_MS)
            intervals.append(interval)
            rates.append(funding_rate([hour.premium for hour in hours[at - interval : at]], interval))
            marks.append(hours[at - 1].mark)
    return Rows(
        np.array(times, dtype=np.int64),
        (
            DecimalColumn.of(np.array(rates, dtype=np.int64), _RATE_EXPONENT),
            DecimalColumn.of(np.array(intervals, dtype=np.int64), 0),
            DecimalColumn.of(np.array(marks, dtype=np.int64), profile.tick_exponent),
            DecimalColumn.of(np.ones(len(times), dtype=np.int64), 0),
        ),
    )


def _interval_hours(profile: Profile, start: int, at: int, hours: int) -> int:
    if profile.exchange != SYNTHETIC_EXCHANGE:
        return 1
    first, last = ((start + hours * part // 5) // 8 * 8 - start for part in (2, 3))
    return 4 if profile.fast and first < at <= last else 8


def generate(
    store: HistoricalDataStore,
    *,
    seed: int = DEFAULT_SEED,
    start_ms: int = DEFAULT_START_MS,
    end_ms: int = DEFAULT_END_MS,
    exchanges: Collection[str] = SYNTHETIC_EXCHANGES,
    progress: Callable[[int, int], None] | None = None,
) -> MergeResult:
    """Generate all profiles and a fee schedule into each of the generated data sets `exchanges`.

    `progress` hears of how many of how many profiles are done.

    Raises: DataImportError, and stores nothing, if the store holds the market of another seed.
    """
    pairs: list[GeneratedPair] = []
    for done, profile in enumerate(PROFILES, 1):
        pairs += [one for one in generate_pairs(profile, seed, start_ms, end_ms) if one.exchange in exchanges]
        if progress:
            progress(done, len(PROFILES))
    with write_transaction(store.engine) as connection:
        for exchange in exchanges:
            _merge_records(
                connection, RecordKey(exchange, "", RecordKind.FEES), fee_schedules(exchange), seed
            )
        results = [result for pair in pairs for result in _merge_pair(connection, pair, seed)]
    new, already_there = sum(r.new for r in results), sum(r.already_there for r in results)
    return MergeResult(new, already_there, 0, ())


def _merge_pair(connection: Connection, pair: GeneratedPair, seed: int) -> Iterator[MergeResult]:
    sql.put_instrument(connection, pair.exchange, pair.symbol, pair.instrument)
    for kind, rows in pair.rows.items():
        timeframe_ms = 0 if kind is SeriesKind.FUNDING else HOUR_MS
        key = SeriesKey(pair.exchange, pair.symbol, kind, timeframe_ms)
        result = merge_series(connection, key, rows, synthetic=True)
        if result.refused:
            raise _other_seed(seed)
        yield result
    for record_kind, records in pair.records.items():
        _merge_records(connection, RecordKey(pair.exchange, pair.symbol, record_kind), records, seed)


def _merge_records(connection: Connection, key: RecordKey, records: Sequence[Any], seed: int) -> None:
    try:
        merge_records(connection, key, records, "generator", synthetic=True)
    except RecordRefusedError:
        raise _other_seed(seed) from None


def _other_seed(seed: int) -> DataImportError:
    return DataImportError(f"the store holds generated data that seed {seed} does not give")
