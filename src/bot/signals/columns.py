"""Sub-scores of many settlements at once, in units of 1e-8: the bits of the signals that score one at a time.

Whole numbers are divided once and rounded half-even. The scores of one settlement divide to 40 digits first,
which rounds to the same units: with numbers below 2**62 no quotient comes that close to a tie without being
one. Where a number would be larger the answer is None, and settlements are scored one by one.
"""

from decimal import ROUND_FLOOR, Decimal

import numpy as np

from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.columns import DecimalColumn, Mantissas
from bot.numbers.money import WIDE
from bot.signals.score import SUB_SCORE_PLACES, half_even
from bot.signals.trend import AVERAGE_PLACES

ONE = 10**SUB_SCORE_PLACES
_STABLE = ONE // 2
_MOST = 2**62
_MOST_AVERAGE = 10**18
"""Bound of a moving average in units of its places, and of what it is divided by: they fit 40 digits."""


def rate_levels(rates_8h: DecimalColumn, cap: Decimal) -> IntArray | None:
    """Return `rate_level_score` of each rate."""
    rates, whole = rates_8h.mantissas, _whole(cap)
    if rates.dtype == object or whole is None:
        return None
    shift = SUB_SCORE_PLACES + whole[1] + rates_8h.exponent
    most = _largest(rates) * 10 ** max(shift, 0)
    unit = whole[0] * 10 ** max(-shift, 0)
    if most >= _MOST or unit >= _MOST:
        return None
    return _shares(rates * 10 ** max(shift, 0), unit)


def bases(spots: DecimalColumn, perps: DecimalColumn, priced: BoolArray, cap: Decimal) -> IntArray | None:
    """Return `basis_score` of each pair of prices, 0 where they are not `priced`."""
    exponent, whole = min(spots.exponent, perps.exponent), _whole(cap)
    spot, perp = spots.mantissas_over(exponent), perps.mantissas_over(exponent)
    if whole is None or object in (spot.dtype, perp.dtype):
        return None
    spot = np.where(priced, spot, 1)
    over = np.where(priced, np.maximum(perp - spot, 0), 0)
    scale = 10 ** (whole[1] + SUB_SCORE_PLACES)
    if max(_largest(spot) * whole[0], _largest(over) * scale) >= _MOST:
        return None
    return _shares(over * scale, spot * whole[0])


def streaks(high: BoolArray) -> IntArray:
    """Return how many settlements in a row, up to each, have been high."""
    places = np.arange(len(high))
    return places - np.maximum.accumulate(np.where(high, -1, places))


def persistences(lengths: IntArray, max_periods: int) -> IntArray:
    """Return `persistence_score` of streaks."""
    return _shares(np.minimum(lengths, max_periods) * ONE, max_periods)


def averages(rates_8h: DecimalColumn, span: int) -> IntArray | None:
    """Return the moving average after each rate, in units of its places."""
    excess = -rates_8h.exponent - AVERAGE_PLACES
    unit, scale = 10 ** max(excess, 0), 10 ** max(-excess, 0)
    if rates_8h.mantissas.dtype == object or (span + 1) * unit >= _MOST_AVERAGE:
        return None
    if _largest(rates_8h.mantissas) * scale >= _MOST_AVERAGE:
        return None
    rates = (rates_8h.mantissas * (2 * scale)).tolist()
    if not rates:
        return np.empty(0, dtype=np.int64)
    kept: int = (span - 1) * unit
    divisor: int = (span + 1) * unit
    half = divisor // 2

    # Nothing lies halfway between two multiples of an odd divisor; then a quotient needs half of the steps.
    average = int(half_even(rates[0], 2 * unit))
    found = [average]
    if divisor % 2:
        for rate in rates[1:]:
            average = (rate + kept * average + half) // divisor
            found.append(average)
    else:
        for rate in rates[1:]:
            average = int(half_even(rate + kept * average, divisor))
            found.append(average)
    return np.array(found, dtype=np.int64)


def trends(values: IntArray, span: int, stable_threshold: Decimal) -> IntArray:
    """Return `trend_score` at each of the moving averages `values`, in units of their places."""
    change = np.zeros_like(values)
    change[span:] = values[span:] - values[:-span] if span < len(values) else 0
    still = stable_threshold.scaleb(AVERAGE_PLACES, context=WIDE).to_integral_value(ROUND_FLOOR)
    least = min(int(still), _MOST)
    return np.where(np.abs(change) <= least, _STABLE, np.where(change > 0, ONE, 0))


def volumes_hold(older: Mantissas, newer: Mantissas, known: BoolArray, decline_ratio: Decimal) -> BoolArray:
    """Return `volume_holds` of volumes in one unit; True where they are not known."""
    whole = _whole(decline_ratio) if decline_ratio else (0, 0)
    if whole is None or max(_largest(older) * whole[0], _largest(newer) * 10 ** whole[1]) >= _MOST:
        held = [new >= decline_ratio * old for old, new in zip(older.tolist(), newer.tolist(), strict=True)]
        return np.array(held, dtype=np.bool_) | ~known
    return np.asarray(newer * 10 ** whole[1] >= older * whole[0], dtype=np.bool_) | ~known


def _shares(amounts: IntArray, units: IntArray | int) -> IntArray:
    """Return quotients rounded half-even, at most one."""
    shares: IntArray = np.minimum(half_even(amounts, units), ONE)
    return shares


def _largest(values: Mantissas) -> int:
    return int(np.abs(values).max(initial=0))


def _whole(value: Decimal) -> tuple[int, int] | None:
    """Return the whole number and the places (0 or more) of a value above 0, None if it is large."""
    _, digits, exponent = WIDE.normalize(value).as_tuple()
    places = int(exponent)
    if len(digits) + max(places, 0) > 18 or -places > 18:
        return None
    return int("".join(map(str, digits))) * 10 ** max(places, 0), max(-places, 0)
