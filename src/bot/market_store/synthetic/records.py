"""Generated borrow rates, margin brackets and lives of the generated pairs, in whole numbers alone."""

import random
from decimal import Decimal

from bot.accounting.brackets import Bracket, Brackets
from bot.market.records.borrow_rates import BorrowRate
from bot.market.records.bracket_history import DatedBrackets
from bot.market.records.contract_life import MARKETS, Epoch
from bot.models import DAY_MS
from bot.numbers.money import ZERO, exact, scaled

_RATE_EXPONENT = -9
_USUAL_RATE = 4_000
"""In 1e-9 an hour: 3.5 % a year."""
_LEAST_RATE = 300
_LENT_HOURS = 2
"""Hours of usual trading that lenders offer."""
_TIERS = ((50_000, 1), (500_000, 2), (5_000_000, 5), (None, 10))
"""Caps in quote, and maintenance rates in multiples of the lowest bracket's."""


def borrow_rates(seed: int, symbol: str, hourly_volume: int, start_ms: int, end_ms: int) -> list[BorrowRate]:
    """Return a rate a day that strays around a usual one; `hourly_volume` in thousandths of the coin."""
    rng = random.Random(f"{seed} {symbol} borrow")  # noqa: S311 - a market, not a secret
    rates, rate = [], _USUAL_RATE
    most = scaled(hourly_volume * _LENT_HOURS, -3)
    for from_ms in range(start_ms, end_ms, DAY_MS):
        rates.append(BorrowRate(from_ms, scaled(rate, _RATE_EXPONENT), most))
        rate = max(_LEAST_RATE, rate + (_USUAL_RATE - rate) // 8 + rng.randrange(-900, 901))
    return rates


def brackets(mmr: Decimal) -> list[DatedBrackets]:
    """Return brackets that always hold, the lowest with a maintenance rate."""
    found: list[Bracket] = []
    with exact():
        for cap, times in _TIERS:
            rate, amount = mmr * times, ZERO
            if found:
                below = found[-1]
                amount = below.amount + (below.cap or ZERO) * (rate - below.mmr)
            found.append(Bracket(None if cap is None else Decimal(cap), rate, amount, 1 // (2 * rate)))
    return [DatedBrackets(0, Brackets(found))]


def lives(start_ms: int) -> list[Epoch]:
    """Return lives of both markets that begin with the first row and do not end."""
    return [Epoch(market, start_ms) for market in MARKETS]
