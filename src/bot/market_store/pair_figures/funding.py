"""Figures of recorded funding: level, spread and persistence. Pure functions over settlements.

Sums of rates are exact; statistics of single rates are floats. Rates are compared per 8 hours, because the
interval of a contract may change.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm

import numpy as np

from bot.accounting.fees import FeeSchedule
from bot.market.series import FundingSeries
from bot.market_store.segments import months
from bot.models import HOUR_MS
from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.numbers.money import EXACT
from bot.statistics.metrics import DAYS_PER_YEAR, settlements_to_break_even

HOURS_PER_YEAR = 24 * DAYS_PER_YEAR
_FILLS_OF_A_ROUND_TRIP = 4
_MOST_BINS = 48
_STEPS = (1, 2, 5)
_NEARLY_ALL = (0.005, 0.995)


@dataclass(frozen=True, slots=True)
class FundingFigures:
    """Figures of n settlements: what they paid a short of constant notional, and statistics of the rates.

    `total` is the sum of the rates and `hours` that of their intervals, so that holes in the record dilute
    nothing. `persistence` is the share of positive rates among those that follow a positive one;
    `autocorrelation` that of neighbours; `longest_negative` the most negative settlements in a row.
    Percentiles are rates that occurred. None is what too few settlements do not define.
    """

    settlements: int
    first_ms: int
    last_ms: int
    hours: int
    interval_hours: int
    total: Decimal
    carry_per_year: float
    mean_8h: float
    deviation_8h: float | None
    lowest_8h: float
    percentile_5_8h: float
    median_8h: float
    percentile_95_8h: float
    highest_8h: float
    positive_share: float
    persistence: float | None
    autocorrelation: float | None
    longest_negative: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """Counts of rates per 8 h in equal bins, the first from `start` on; the outermost hold all beyond."""

    start: Decimal
    width: Decimal
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MonthOfFunding:
    """One calendar month (yyyymm, UTC): settlements, the sum of their rates and that of their intervals."""

    month: int
    settlements: int
    total: Decimal
    hours: int

    @property
    def carry_per_year(self) -> float:
        """Return the month's carry per year."""
        return carry_per_year(self.total, self.hours)


def funding_figures(funding: FundingSeries) -> FundingFigures | None:
    """Return the figures of ascending settlements, None without any."""
    if not len(funding):
        return None
    rates, hours = rates_8h(funding), int(funding.interval_hours.sum())
    total = total_rate(funding)
    mean = EXACT.divide(EXACT.multiply(total, Decimal(8)), Decimal(hours))
    lowest, low, median, high, highest = np.percentile(rates, [0, 5, 50, 95, 100], method="inverted_cdf")
    return FundingFigures(
        settlements=len(funding),
        first_ms=int(funding.t_ms[0]),
        last_ms=int(funding.t_ms[-1]),
        hours=hours,
        interval_hours=int(funding.interval_hours[-1]),
        total=total,
        carry_per_year=carry_per_year(total, hours),
        mean_8h=float(mean),
        deviation_8h=float(np.std(rates, ddof=1)) if len(rates) > 1 else None,
        lowest_8h=float(lowest),
        percentile_5_8h=float(low),
        median_8h=float(median),
        percentile_95_8h=float(high),
        highest_8h=float(highest),
        positive_share=float(np.count_nonzero(rates > 0) / len(rates)),
        persistence=_persistence(rates),
        autocorrelation=next(iter(autocorrelations(rates, 1)), None),
        longest_negative=_longest_run(rates < 0),
    )


def total_rate(funding: FundingSeries) -> Decimal:
    """Return the exact sum of the rates: what a short of constant notional earned, as a share of it."""
    return Decimal(sum(funding.rates.mantissas.tolist())).scaleb(funding.rates.exponent, context=EXACT)


def carry_per_year(total: Decimal, hours: int) -> float:
    """Return `total`, settled over `hours`, scaled to a year of 365 days, without compounding."""
    return float(EXACT.divide(EXACT.multiply(total, Decimal(HOURS_PER_YEAR)), Decimal(hours)))


def rates_8h(funding: FundingSeries) -> FloatArray:
    """Return the rates per 8 hours, oldest first."""
    rates = funding.rates.mantissas.astype(np.float64) / 10.0**-funding.rates.exponent
    return np.asarray(rates * 8 / funding.interval_hours, dtype=np.float64)


def autocorrelations(values: FloatArray, lags: int) -> list[float]:
    """Return the sample autocorrelation at lags 1, 2, ...: fewer of short series, none of constant ones."""
    if len(values) < 2 or values.max() == values.min():
        return []
    away = values - values.mean()
    spread = float(away @ away)
    return [float(away[lag:] @ away[:-lag]) / spread for lag in range(1, min(lags, len(values) - 1) + 1)]


def distribution(funding: FundingSeries) -> Distribution | None:
    """Return the rates per 8 h in bins of a round width, nearly all of them within; None without any.

    A rate on the edge of two bins belongs to the upper one.
    """
    if not len(funding):
        return None
    # As integers over one denominator: a rate must not miss its bin by a rounding.
    hours = funding.interval_hours.tolist()
    common = lcm(*set(hours))
    unit = Fraction(10) ** funding.rates.exponent / common
    exact = [
        8 * mantissa * (common // interval)
        for mantissa, interval in zip(funding.rates.mantissas.tolist(), hours, strict=True)
    ]
    ordered = sorted(exact)
    low, high = (ordered[round(share * (len(ordered) - 1))] for share in _NEARLY_ALL)
    width = _round_width((high - low) * unit / _MOST_BINS)
    ratio = Fraction(width) / unit
    bins = [rate * ratio.denominator // ratio.numerator for rate in (low, high, *exact)]
    first, last = bins[:2]
    counts = [0] * (last - first + 1)
    for at in bins[2:]:
        counts[min(max(at, first), last) - first] += 1
    return Distribution(EXACT.multiply(Decimal(first), width), width, tuple(counts))


def months_of_funding(funding: FundingSeries) -> list[MonthOfFunding]:
    """Return each calendar month that has settlements, oldest first."""
    names = months(funding.t_ms)
    found = []
    for month in np.unique(names).tolist():
        rows = slice(*np.searchsorted(names, [month, month + 1]).tolist())
        part = funding[rows]
        found.append(MonthOfFunding(month, len(part), total_rate(part), int(part.interval_hours.sum())))
    return found


@dataclass(frozen=True, slots=True)
class RateBox:
    """Box plot of the rates per 8 h of one group: 5th percentile, quartiles, 95th percentile.

    `group` is an hour of the UTC day, or a month as year * 100 + month.
    """

    group: int
    settlements: int
    low: float
    first: float
    median: float
    third: float
    high: float


def boxes_by_hour(funding: FundingSeries) -> list[RateBox]:
    """Return a box for each hour of the UTC day at which anything settled, midnight first."""
    return _boxes(funding, funding.t_ms // HOUR_MS % 24)


def boxes_by_month(funding: FundingSeries) -> list[RateBox]:
    """Return a box for each month that has settlements, oldest first."""
    return _boxes(funding, months(funding.t_ms))


def _boxes(funding: FundingSeries, groups: IntArray) -> list[RateBox]:
    rates, found = rates_8h(funding), []
    for group in np.unique(groups).tolist():
        own = rates[groups == group]
        found.append(RateBox(group, len(own), *np.percentile(own, [5, 25, 50, 75, 95]).tolist()))
    return found


def round_trip_cost(fees: FeeSchedule, slippage: Decimal) -> Decimal:
    """Return the cost of opening and closing both legs, as a share of the notional: fees and slippage."""
    return fees.round_trip + _FILLS_OF_A_ROUND_TRIP * slippage


def settlements_to_repay(cost: Decimal, total: Decimal, settlements: int) -> float | None:
    """Return the number of average settlements that repay `cost`; None if the average earns nothing."""
    exponent = min(int(amount.as_tuple().exponent) for amount in (cost, total))
    whole_cost, whole_total = (int(amount.scaleb(-exponent, context=EXACT)) for amount in (cost, total))
    return settlements_to_break_even(whole_cost, 1, whole_total, settlements)


def _persistence(rates: FloatArray) -> float | None:
    after_positive = rates[1:][rates[:-1] > 0]
    return float(np.count_nonzero(after_positive > 0) / len(after_positive)) if len(after_positive) else None


def _longest_run(marked: BoolArray) -> int:
    edges = np.diff(np.concatenate([[0], marked.astype(np.int8), [0]]))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return int((stops - starts).max(initial=0))


def _round_width(least: Fraction) -> Decimal:
    """Return the smallest 1, 2 or 5 times a power of ten that is not below `least`."""
    power = -18
    while True:
        for step in _STEPS:
            if step * Fraction(10) ** power >= least:
                return Decimal(step).scaleb(power)
        power += 1
