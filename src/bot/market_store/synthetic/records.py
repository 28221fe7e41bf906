"""Generated borrow rates, margin brackets, lives and fee schedules, in whole numbers alone."""

import random
from collections.abc import Iterable
from decimal import Decimal

from bot.accounting.brackets import Bracket, Brackets
from bot.market.records.borrow_rates import BorrowRate
from bot.market.records.bracket_history import DatedBrackets
from bot.market.records.contract_life import Epoch
from bot.market.records.fee_rows import FeeRow
from bot.market.symbols import SECOND_SYNTHETIC_EXCHANGE, SYNTHETIC_EXCHANGE
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
_VOLUMES = (0, 1_000_000, 10_000_000)
_FEES = {
    SYNTHETIC_EXCHANGE: {
        "spot": ((100, 100), (90, 100), (80, 90)),
        "linear": ((20, 55), (16, 50), (14, 45)),
        "inverse": ((20, 50), (16, 45), (14, 40)),
    },
    SECOND_SYNTHETIC_EXCHANGE: {
        "spot": ((40, 70), (30, 60), (20, 50)),
        "linear": ((15, 45), (12, 40), (8, 35)),
    },
}
"""Maker and taker rates in 1e-5 of each exchange, by tier."""
_ANNOUNCED_DAYS = 7
"""Days between the announcement of an end and the end."""


def borrow_rates(seed: int, market: str, hourly_volume: int, start_ms: int, end_ms: int) -> list[BorrowRate]:
    """Return a rate a day that strays around a usual one; `hourly_volume` in thousandths of the coin."""
    rng = random.Random(f"{seed} {market} borrow")  # noqa: S311 - a market, not a secret
    rates, rate = [], _USUAL_RATE
    most = scaled(hourly_volume * _LENT_HOURS, -3)
    for from_ms in range(start_ms, end_ms, DAY_MS):
        rates.append(BorrowRate(from_ms, scaled(rate, _RATE_EXPONENT), most))
        rate = max(_LEAST_RATE, rate + (_USUAL_RATE - rate) // 8 + rng.randrange(-900, 901))
    return rates


def brackets(mmr: Decimal, coin_price: int = 1) -> list[DatedBrackets]:
    """Return brackets that always hold, the lowest with a maintenance rate.

    With the price of a coin in quote, caps are whole coins, as an inverse market counts them.
    """
    found: list[Bracket] = []
    with exact():
        for quote, times in _TIERS:
            rate, amount = mmr * times, ZERO
            if found:
                below = found[-1]
                amount = below.amount + (below.cap or ZERO) * (rate - below.mmr)
            cap = None if quote is None else Decimal(-(-quote // coin_price))
            found.append(Bracket(cap, rate, amount, 1 // (2 * rate)))
    return [DatedBrackets(0, Brackets(found))]


def lives(start_ms: int, markets: Iterable[str]) -> list[Epoch]:
    """Return lives of markets that begin with the first row and do not end."""
    return [Epoch(market, start_ms) for market in markets]


def delisted(start_ms: int, end_ms: int, settle_price: Decimal) -> list[Epoch]:
    """Return the lives of a perp whose end is announced a week ahead, and of a spot market that goes on."""
    announced_ms = max(start_ms, end_ms - _ANNOUNCED_DAYS * DAY_MS)
    return [Epoch("perp", start_ms, end_ms, announced_ms, settle_price), Epoch("spot", start_ms)]


def fee_schedules(exchange: str) -> list[FeeRow]:
    """Return fee rows that always hold, of three tiers of each kind of market of a generated exchange."""
    return [
        FeeRow(0, market, f"VIP{tier}", Decimal(least), scaled(maker, -5), scaled(taker, -5))
        for market, rates in _FEES[exchange].items()
        for tier, (least, (maker, taker)) in enumerate(zip(_VOLUMES, rates, strict=True))
    ]
