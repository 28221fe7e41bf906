"""An hourly random walk of a spot price and its perp premium, in whole numbers alone.

Integers make a seed give the same market on every machine, whatever its floating point.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

RATE_UNIT = 10**8
"""Premiums and rates are whole multiples of 1e-8."""

_RETURN_UNIT = 10**9
_INTEREST = 10_000
_CUSHION = 50_000
_CAP_8H = 750_000
_LEAST_TICKS = 500


@dataclass(frozen=True, slots=True)
class Regime:
    """A mood of the market, for some weeks: mean premium (1e-8), hourly drift (1e-9), volatility (%)."""

    weight: int
    premium: int
    drift: int
    volatility: int


REGIMES = (
    Regime(weight=55, premium=5_000, drift=0, volatility=80),
    Regime(weight=25, premium=78_000, drift=160_000, volatility=110),
    Regime(weight=5, premium=170_000, drift=420_000, volatility=170),
    Regime(weight=15, premium=-75_000, drift=-190_000, volatility=140),
)


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour that has passed: prices in ticks, premium in 1e-8, activity in thousandths of normal."""

    spot: int
    perp: int
    mark: int
    reach_up: int
    reach_down: int
    premium: int
    activity: int


def walk(rng: random.Random, start_ticks: int, hourly_volatility: int, hours: int) -> Iterator[Hour]:
    """Yield `hours` hours; `hourly_volatility` is the usual standard deviation of a return in 1e-9.

    `reach_up` and `reach_down` say how far prices strayed beyond open and close, in 1e-9 of the price.
    """
    price = start_ticks * _RETURN_UNIT
    volatility = hourly_volatility
    premium = 0
    for regime in _moods(rng, hours):
        usual = hourly_volatility * regime.volatility // 100
        change = volatility * _normal(rng) // 1000 + regime.drift + _jump(rng, usual)
        volatility = (10 * usual + 80 * volatility) // 100 + abs(change) // 8
        price = max(price * (_RETURN_UNIT + change) // _RETURN_UNIT, _LEAST_TICKS * _RETURN_UNIT)
        premium += (regime.premium - premium) // 24 + 9 * _normal(rng)
        spot = price // _RETURN_UNIT
        yield Hour(
            spot=spot,
            perp=_times(spot, premium + 8 * _normal(rng)),
            mark=_times(spot, premium),
            reach_up=volatility * abs(_normal(rng)) // 2500,
            reach_down=volatility * abs(_normal(rng)) // 2500,
            premium=premium,
            activity=350 + abs(_normal(rng)) // 2 + 600 * abs(change) // max(usual, 1),
        )


def other_perp(rng: random.Random, hours: Iterable[Hour]) -> Iterator[Hour]:
    """Yield the hours of another perp of the same coin: its premium follows that of `hours`, and strays."""
    apart = 0
    for hour in hours:
        apart += -apart // 24 + 4 * _normal(rng)
        premium = 3 * hour.premium // 4 + apart
        perp, mark = _times(hour.spot, premium + 8 * _normal(rng)), _times(hour.spot, premium)
        yield replace(hour, perp=perp, mark=mark, premium=premium)


def funding_rate(premiums: list[int], interval_hours: int) -> int:
    """Return the rate (1e-8 per interval) that the hourly premiums of an interval lead to.

    As exchanges do: the mean premium, drawn towards the interest rate of 0.01 % per 8 h by up to 0.05 %,
    so that a quiet market settles at exactly that rate.
    """
    mean = sum(premiums) // len(premiums)
    drawn = mean + max(-_CUSHION, min(_CUSHION, _INTEREST - mean))
    return max(-_CAP_8H, min(_CAP_8H, drawn)) * interval_hours // 8


def _moods(rng: random.Random, hours: int) -> Iterator[Regime]:
    weights = [regime.weight for regime in REGIMES]
    left, regime = 0, REGIMES[0]
    for _ in range(hours):
        if not left:
            left = rng.randrange(3 * 24, 28 * 24)
            regime = REGIMES[_pick(rng, weights)]
        left -= 1
        yield regime


def _pick(rng: random.Random, weights: list[int]) -> int:
    drawn = rng.randrange(sum(weights))
    for index, weight in enumerate(weights):
        drawn -= weight
        if drawn < 0:
            return index
    raise AssertionError("a draw below the sum of the weights lies in one of them")


def _normal(rng: random.Random) -> int:
    """Return a draw of mean 0 and standard deviation 1000: coins thrown, and their steps smoothed."""
    return (rng.getrandbits(256).bit_count() - 128) * 125 + rng.getrandbits(7) - 64


def _jump(rng: random.Random, usual: int) -> int:
    if rng.getrandbits(11):
        return 0
    return usual * rng.randrange(5, 11) * rng.choice((-1, 1))


def _times(ticks: int, premium: int) -> int:
    return ticks * (RATE_UNIT + premium) // RATE_UNIT
