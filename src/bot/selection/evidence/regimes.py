"""Regimes of funding: days by the mean rate of the month before, at fixed edges that know no later day."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate

from bot.models import DAY_MS
from bot.numbers.arrays import FloatArray, IntArray
from bot.selection.days.whole_returns import whole_returns
from bot.selection.sharpe import PowerSums

LOOKBACK_DAYS = 30
FEWEST_DAYS = 30
EDGES = tuple(map(Fraction, ("0", "0.00005", "0.00015", "0.0003")))
"""Mean rates per 8 hours at which the next regime begins."""


class Regime(StrEnum):
    """Level of funding before a day, in ascending order; unknown without a settlement."""

    NEGATIVE = "negative"
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    EXTREME = "extreme"
    UNKNOWN = "unknown"


_ASCENDING = tuple(Regime)


def regimes(
    first_day_ms: int, days: int, times_ms: Sequence[int], rates_8h: Sequence[Decimal]
) -> list[Regime]:
    """Return the regime of each day from the midnight `first_day_ms` on.

    Settlements, of all symbols of a run, are in ascending order of time; those before the first day count.
    """
    sums = [Fraction(0), *accumulate(map(Fraction, rates_8h))]
    found = []
    for midnight in range(first_day_ms, first_day_ms + days * DAY_MS, DAY_MS):
        first = bisect_left(times_ms, midnight - LOOKBACK_DAYS * DAY_MS)
        end = bisect_left(times_ms, midnight)
        found.append(_regime((sums[end] - sums[first]) / (end - first)) if end > first else Regime.UNKNOWN)
    return found


@dataclass(frozen=True, slots=True)
class RegimeResult:
    """Results of the days of one regime, amounts in units of 1e-8; `sharpe` is daily, None below 30 days."""

    regime: Regime
    days: int
    pnl: int
    sharpe: float | None
    trades: int
    trades_net: int


def by_regime(
    found: Sequence[Regime], pnl: IntArray, returns: FloatArray, entries: Iterable[tuple[int, int]]
) -> list[RegimeResult]:
    """Return the results of each regime that occurs; `entries` are the day and net P&L of each trade."""
    trades = list(entries)
    whole = whole_returns(returns[None, :]).values[0]
    results = []
    for regime in Regime:
        days = [day for day, one in enumerate(found) if one == regime]
        nets = [net for day, net in trades if found[day] == regime]
        if days:
            ratio = PowerSums.of(whole[days]).sharpe if len(days) >= FEWEST_DAYS else None
            results.append(RegimeResult(regime, len(days), int(pnl[days].sum()), ratio, len(nets), sum(nets)))
    return results


def _regime(mean_rate: Fraction) -> Regime:
    return _ASCENDING[bisect_right(EDGES, mean_rate)]
