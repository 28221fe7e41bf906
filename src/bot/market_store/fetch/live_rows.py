"""Exact rows from ccxt's unified answers of a live market; every number arrives as text."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bot.market.intervals import inferred_hours
from bot.market.rows import Rows, SeriesKind, funding_values
from bot.market.rules import RowRefusedError, check_candle, check_funding, market_number, settlement_ms
from bot.models import HOUR_MS
from bot.numbers.money import exact

_log = logging.getLogger(__name__)
_DEFAULT_INTERVAL_HOURS = 8


def candle_rows(candles: Iterable[Sequence[Any]], kind: SeriesKind, coins: int = 1) -> Rows:
    """Return hourly candles (time, open, high, low, close, volume) in units of `coins`, a power of ten."""
    times, values = [], []
    for candle in candles:
        try:
            row = _candle(candle, coins)
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
    hours = inferred_hours([*known_ms, *times])
    values = [
        funding_values(found[t_ms][0], interval or _DEFAULT_INTERVAL_HOURS, found[t_ms][1])
        for t_ms, interval in zip(times, hours[len(known_ms) :], strict=True)
    ]
    return Rows.of(times, values, SeriesKind.FUNDING)


def _candle(candle: Sequence[Any], coins: int) -> tuple[Decimal, ...]:
    names = ("open", "high", "low", "close", "volume")
    numbers = [market_number(str(value or 0), name) for name, value in zip(names, candle[1:6], strict=True)]
    with exact():
        row = (*(number * coins for number in numbers[:4]), numbers[4] / coins)
    check_candle(int(candle[0]), HOUR_MS, row)
    return row


def _rate(record: Mapping[str, Any]) -> tuple[Decimal, Decimal | None]:
    rate = market_number(str(record["fundingRate"]), "funding_rate")
    told = (record.get("info") or {}).get("markPrice")
    mark = market_number(str(told), "mark_price") if told else None
    check_funding(rate, _DEFAULT_INTERVAL_HOURS, mark)
    return rate, mark
