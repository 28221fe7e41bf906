"""Settlements that a hedge has to last for its funding to repay what opening and closing it costs."""

from dataclasses import dataclass
from decimal import Decimal

from bot.numbers.money import book, exact


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Break-even of a hedge of one size, in quote currency at constant price and rate.

    `cost` is the booked cost of the round trip, `income` the booked funding of one settlement, `settlements`
    the fewest whole ones whose income is at least the cost, and `hours` the time that they take; None both
    where a settlement earns nothing.
    """

    cost: Decimal
    income: Decimal
    settlements: int | None
    hours: int | None


def break_even(notional: Decimal, rate: Decimal, interval_hours: int, round_trip: Decimal) -> BreakEven:
    """Return the break-even of a hedge of `notional` > 0, quote currency, at a `rate` per interval.

    `round_trip` is the cost of opening and closing both legs as a share of the notional. No settlement is
    needed where that costs nothing.

    Source: docs/domain.md, sections 3 and 4.
    """
    with exact():
        cost, income = book(notional * round_trip), book(notional * rate)
        if cost <= 0:
            return BreakEven(cost, income, 0, 0)
        if income <= 0:
            return BreakEven(cost, income, None, None)
        whole, rest = divmod(cost, income)
        settlements = int(whole) + (rest > 0)
    return BreakEven(cost, income, settlements, settlements * interval_hours)
