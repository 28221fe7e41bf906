"""What ccxt's unified answers mean, as exact rows and trading rules; every number arrives as text."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.data.intervals import inferred_hours
from bot.data.rows import Rows, SeriesKind, funding_values
from bot.data.rules import RowRefusedError, check_candle, check_funding, market_number, settlement_ms
from bot.models import HOUR_MS, Instrument
from bot.money import ONE, dec, exact
from bot.paper.feed import Listing

_log = logging.getLogger(__name__)
_DEFAULT_INTERVAL_HOURS = 8


@dataclass(frozen=True, slots=True)
class Units:
    """How an exchange counts: base coin in one contract of its volumes, coins of spot in one unit of a pair.

    The coins are a power of ten, 1 for all but multiplier contracts such as 1000PEPE.
    """

    contract_size: Decimal = ONE
    coins: Decimal = ONE


def listing(
    spot: Mapping[str, Any], perp: Mapping[str, Any], *, has_mark: bool, coins: Decimal = ONE
) -> Listing:
    """Return the rules of a pair from its two markets, those of the coarser leg, in units of the perp."""
    size, usual = contract_size(perp), Instrument()
    kinds = [SeriesKind.SPOT, SeriesKind.PERP, *([SeriesKind.MARK] if has_mark else [])]
    instrument = Instrument(
        qty_step=_coarser([(_step(spot), ONE / coins), (_step(perp), size)], usual.qty_step),
        min_qty=_coarser(
            [(_limit(spot, "amount"), ONE / coins), (_limit(perp, "amount"), size)], usual.min_qty
        ),
        min_notional=_coarser([(_limit(spot, "cost"), ONE), (_limit(perp, "cost"), ONE)], usual.min_notional),
        mmr=usual.mmr,
        spot_active=spot.get("active") is not False,
    )
    return Listing(instrument, dict.fromkeys(kinds, HOUR_MS))


def contract_size(perp: Mapping[str, Any]) -> Decimal:
    """Return how much base coin one contract is."""
    return dec(perp.get("contractSize") or 1)


def candle_rows(candles: Iterable[Sequence[Any]], kind: SeriesKind, units: Units) -> Rows:
    """Return hourly candles (time, open, high, low, close, volume) in units of the pair."""
    times, values = [], []
    for candle in candles:
        try:
            row = _candle(candle, units)
        except RowRefusedError as error:
            _log.warning("a %s candle is left out: %s", kind.value, error)
            continue
        times.append(int(candle[0]))
        values.append(row)
    return Rows.of(times, values, kind)


def settlements(
    records: Iterable[Mapping[str, Any]], from_ms: int, until_ms: int, known_ms: Sequence[int]
) -> Rows:
    """Return funding records with times in [from_ms, until_ms], each with its interval.

    Intervals are read off the times, `known_ms` being those of the settlements before.
    """
    found: dict[int, tuple[Decimal, Decimal | None]] = {}
    for record in records:
        try:
            t_ms = settlement_ms(int(record["timestamp"]))
            rate, mark = _rate(record)
        except RowRefusedError as error:
            _log.warning("a settlement is left out: %s", error)
            continue
        if from_ms <= t_ms <= until_ms:
            found.setdefault(t_ms, (rate, mark))
    times = sorted(found)
    hours = inferred_hours([*known_ms, *times]) or [_DEFAULT_INTERVAL_HOURS] * len(times)
    values = [
        funding_values(found[t_ms][0], interval, found[t_ms][1])
        for t_ms, interval in zip(times, hours[len(known_ms) :], strict=True)
    ]
    return Rows.of(times, values, SeriesKind.FUNDING)


def _candle(candle: Sequence[Any], units: Units) -> tuple[Decimal, ...]:
    names = ("open", "high", "low", "close", "volume")
    numbers = [market_number(str(value or 0), name) for name, value in zip(names, candle[1:6], strict=True)]
    with exact():
        prices = [number * units.coins for number in numbers[:4]]
        row = (*prices, numbers[4] * units.contract_size / units.coins)
    check_candle(int(candle[0]), HOUR_MS, row)
    return row


def _rate(record: Mapping[str, Any]) -> tuple[Decimal, Decimal | None]:
    rate = market_number(str(record["fundingRate"]), "funding_rate")
    told = (record.get("info") or {}).get("markPrice")
    mark = market_number(str(told), "mark_price") if told else None
    check_funding(rate, _DEFAULT_INTERVAL_HOURS, mark)
    return rate, mark


def _step(market: Mapping[str, Any]) -> Any:
    return (market.get("precision") or {}).get("amount")


def _limit(market: Mapping[str, Any], name: str) -> Any:
    return ((market.get("limits") or {}).get(name) or {}).get("min")


def _coarser(told: Iterable[tuple[Any, Decimal]], usual: Decimal) -> Decimal:
    return max((dec(str(value)) * unit for value, unit in told if value), default=usual)
