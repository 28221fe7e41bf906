"""Funding rates that rest at no fixed value, for a fair measure.

The generated markets settle, as exchanges do, at exactly 0.01 % in quiet times. Thresholds then tell few
trials apart, which helps whatever shares work between them. Rates here wander around the mean of a regime.
"""

from dataclasses import replace

import numpy as np

from bot.market.rows import Rows, SeriesKind
from bot.market_store.synthetic.generator import GeneratedPair
from bot.numbers.columns import DecimalColumn

_RATE_EXPONENT = -8
_MEANS = (0.00010, 0.00003, 0.00032, -0.00004)
_WEIGHTS = (0.5, 0.25, 0.15, 0.1)
_STAY = 1 - 1 / 45
_MEMORY = 0.8
_SHOCK = 0.00005


def unpinned(pair: GeneratedPair, seed: int = 1) -> GeneratedPair:
    """Return the pair with other rates at the same settlements; equal arguments give equal rates."""
    funding = pair.rows[SeriesKind.FUNDING]
    rates = DecimalColumn.of(wandering_rates(len(funding), seed), _RATE_EXPONENT)
    rows = Rows(funding.times, (rates, *funding.columns[1:]))
    return replace(pair, rows={**pair.rows, SeriesKind.FUNDING: rows})


def wandering_rates(count: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return `count` rates in 1e-8."""
    random = np.random.default_rng(seed)
    stays = random.random(count) < _STAY
    regimes = random.choice(len(_MEANS), size=count, p=_WEIGHTS)
    shocks = random.normal(0, _SHOCK, count)
    rates = np.empty(count)
    regime, deviation = 0, 0.0
    for at in range(count):
        regime = regime if stays[at] else regimes[at]
        deviation = _MEMORY * deviation + shocks[at]
        rates[at] = _MEANS[regime] + deviation
    return np.rint(rates * 10**-_RATE_EXPONENT).astype(np.int64)
