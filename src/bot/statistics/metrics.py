"""Statistics of equity curves, many at once: exact integers of 1e-8, one row a curve, one column an event.

Sums run strictly from the oldest to the newest value and everything else is one IEEE operation an element,
so every machine, and every number of rows, gives the same bits. Undefined statistics are NaN.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Self, cast

import numpy as np
import numpy.typing as npt
import orjson

from bot.models import DAY_MS
from bot.numbers.arrays import FloatArray, IntArray
from bot.numbers.money import EXACT, MONEY_PLACES, ONE, plain

Units = IntArray | npt.NDArray[np.object_]
DAYS_PER_YEAR = 365
_SAFE_UNITS = 2**62
UNITS_PER_QUOTE = 10**MONEY_PLACES
_UNIT = ONE.scaleb(-MONEY_PLACES)
_UNITS = Decimal(UNITS_PER_QUOTE)


def money_units(amount: Decimal) -> int:
    """Return a booked amount as an integer of 1e-8; raises ValueError if it has more places."""
    scaled = amount.scaleb(MONEY_PLACES, context=EXACT)
    units = int(scaled)
    if units != scaled:
        raise ValueError(f"{plain(amount)} has more than {MONEY_PLACES} places")
    return units


def from_units(units: int) -> Decimal:
    """Return an integer of 1e-8 as an amount."""
    return EXACT.multiply(Decimal(units), _UNIT)


def units_texts(units: Units) -> list[str]:
    """Return integers of 1e-8 as the text that `plain` gives each of their amounts, many times faster.

    Up to 15 digits the shortest text of the nearest float64 is the exact amount, written without an exponent
    from 0.001 on; the others, and whole amounts, which floats write as `1.0`, are written one by one.
    Neighbours that are equal are written once.
    """
    fresh = np.ones(len(units) + 1, dtype=bool)
    fresh[1:-1] = units[1:] != units[:-1]
    if fresh.all():
        return _texts(units)
    places = np.flatnonzero(fresh)
    texts = np.array(_texts(units[places[:-1]]), dtype=object)
    return cast("list[str]", texts.repeat(places[1:] - places[:-1]).tolist())


def _texts(units: Units) -> list[str]:
    if units.dtype == object or not len(units):
        return [plain(from_units(one)) for one in units.tolist()]
    amounts = orjson.dumps(units / UNITS_PER_QUOTE, option=orjson.OPT_SERIALIZE_NUMPY)
    texts = amounts[1:-1].decode().split(",")
    size = np.abs(units)
    odd = np.flatnonzero((size < UNITS_PER_QUOTE // 1000) | (size >= 10**15) | (units % UNITS_PER_QUOTE == 0))
    known = {one: plain(from_units(one)) for one in set(units[odd].tolist())}
    for place, one in zip(odd.tolist(), units[odd].tolist(), strict=True):
        texts[place] = known[one]
    return texts


def amount_units(amounts: Iterable[Decimal]) -> list[int]:
    """Return booked amounts as integers of 1e-8. Call inside `exact()`."""
    units: list[int] = []
    before, value = None, 0
    for amount in amounts:
        if amount is not before:
            before, value = amount, int(amount * _UNITS)
        units.append(value)
    return units


def packed(units: Sequence[int]) -> Units:
    """Return integers of 1e-8 as int64, or as Python integers where differences might not fit."""
    try:
        return fitting(np.array(units, dtype=np.int64))
    except OverflowError:
        return np.array(units, dtype=object)


def fitting(units: Units) -> Units:
    """Return the same integers as int64, or as Python integers where differences might not fit."""
    fits = units.min(initial=0) > -_SAFE_UNITS and units.max(initial=0) < _SAFE_UNITS
    return units.astype(np.int64 if fits else object, copy=False)


def addable(*columns: Units, times: int = 1) -> Sequence[Units]:
    """Return columns that can be added, each so many `times`: as Python integers if a sum might not fit."""
    largest = sum(max(int(one.max(initial=0)), -int(one.min(initial=0))) for one in columns)
    return columns if largest * times < _SAFE_UNITS else [one.astype(object) for one in columns]


@dataclass(frozen=True, eq=False)
class Calendar:
    """The times of n events (ms UTC, ascending), and the last event of each UTC day and month among them.

    Every day from the first event's to the last's counts; one without events repeats the day before.
    """

    times_ms: IntArray
    day_ends: IntArray
    month_ends: IntArray

    @classmethod
    def of(cls, times_ms: IntArray | Sequence[int]) -> Self:
        """Return the calendar of at least one event time."""
        times = np.asarray(times_ms, dtype=np.int64)
        first, last = int(times[0]) // DAY_MS, int(times[-1]) // DAY_MS
        midnights = np.arange(first + 1, last + 2, dtype=np.int64) * DAY_MS
        months = times.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
        month_ends = np.append(np.flatnonzero(np.diff(months)), len(times) - 1)
        return cls(times, np.searchsorted(times, midnights) - 1, month_ends)

    @cached_property
    def moments(self) -> list[int]:
        """The event times as Python integers, ms UTC."""
        return cast("list[int]", self.times_ms.tolist())


def running_peaks(units: Units, initial: int) -> Units:
    """Return the highest value so far of each curve (curves x events), starting at `initial` > 0."""
    return cast("Units", np.maximum(np.maximum.accumulate(units, axis=1), initial))


def drawdowns(units: Units, peaks: Units) -> tuple[Units, FloatArray]:
    """Return the deepest drawdown of each curve, in units and as a share of its peak; they may differ.

    units, and their running `peaks`: curves x events.
    """
    amounts = peaks - units
    return amounts.max(axis=1), drawdown_shares(amounts, peaks).max(axis=1)


def drawdown_shares(amounts: Units, peaks: Units) -> FloatArray:
    """Return drawdowns, in units, as shares of their peaks."""
    return amounts.astype(np.float64) / peaks.astype(np.float64)


def longest_drawdowns_ms(units: Units, peaks: Units, calendar: Calendar) -> IntArray:
    """Return the longest drawdown of each curve, from a peak to its recovery, in ms; 0 if there is none.

    A drawdown that has not recovered lasts to the last event; the first peak counts from the first event.
    """
    times, last = calendar.times_ms, units.shape[1] - 1
    below = np.zeros((len(units), units.shape[1] + 2), dtype=bool)
    below[:, 1:-1] = units < peaks
    curves, turns = np.nonzero(below[:, 1:] != below[:, :-1])
    fell, recovered = turns[::2], turns[1::2]
    longest = np.zeros(len(units), dtype=np.int64)
    lasting = times[np.minimum(recovered, last)] - times[np.maximum(fell - 1, 0)]
    np.maximum.at(longest, curves[::2], lasting)
    return longest


def daily_returns(units: Units, initial: int, calendar: Calendar) -> FloatArray:
    """Return curves x days of returns; a row is NaN if a return is taken on equity that is not positive."""
    closes = units[:, calendar.day_ends]
    before = np.empty_like(closes)
    before[:, 0] = initial
    before[:, 1:] = closes[:, :-1]
    bases = before.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = (closes - before).astype(np.float64) / bases
    returns[(bases <= 0).any(axis=1)] = np.nan
    return cast("FloatArray", returns)


def best_month_units(units: Units, initial: int, calendar: Calendar) -> Units:
    """Return the largest gain of each curve in a UTC month."""
    closes = units[:, calendar.month_ends]
    gains = closes.copy()
    gains[:, 0] -= initial
    gains[:, 1:] -= closes[:, :-1]
    return cast("Units", gains.max(axis=1))


def best_share(best: int, total: int) -> float | None:
    """Return the largest of some gains over their total, in units; None unless the total is a profit."""
    return float(best) / float(total) if total > 0 else None


def settlements_to_break_even(fees: int, trades: int, funding: int, payments: int) -> float | None:
    """Return the number of average settlements that repay the costs of an average trade; amounts in units.

    `fees` are the costs counted: fees and slippage for a break-even, fees alone for the metric of runs.
    None without trades, or where the average settlement earns nothing.
    """
    if not trades or not payments or funding <= 0:
        return None
    return (fees / trades) / (funding / payments)


def finite(value: float) -> float | None:
    """Return `value`, or None where it is NaN or infinite."""
    return value if math.isfinite(value) else None


def ratio(numerators: FloatArray, denominators: FloatArray) -> FloatArray:
    """Return quotients; NaN at a zero denominator."""
    quotients = np.full(len(denominators), np.nan)
    np.divide(numerators, denominators, out=quotients, where=denominators != 0)
    return quotients
