"""Settlements that repay a round trip."""

from decimal import Decimal

import pytest

from bot.accounting.break_even import BreakEven, break_even


@pytest.mark.parametrize(
    ("notional", "rate", "cost", "settlements"),
    [
        ("10000", "0.0001", "0.003", 30),
        ("10000", "0.0001", "0.00300001", 31),
        ("0.01", "0.0001", "0.0031", 31),
        ("10000", "0", "0.003", None),
        ("10000", "-0.0001", "0.003", None),
        ("10000", "-0.0001", "0", 0),
    ],
)
def test_fewest_whole_settlements_repay_the_round_trip(
    notional: str, rate: str, cost: str, settlements: int | None
) -> None:
    found = break_even(Decimal(notional), Decimal(rate), 4, Decimal(cost))
    assert (found.settlements, found.hours) == (settlements, None if settlements is None else 4 * settlements)


def test_amounts_are_booked_to_eight_places() -> None:
    found = break_even(Decimal("1234.56"), Decimal("0.000123456"), 8, Decimal("0.0031"))
    assert found == BreakEven(Decimal("3.82713600"), Decimal("0.15241384"), 26, 208)
