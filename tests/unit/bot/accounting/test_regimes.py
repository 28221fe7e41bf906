"""Regimes of funding: the bounds compared exactly, alike for one settlement and for many."""

from decimal import Decimal

import numpy as np
import pytest

from bot.accounting.regimes import Regime, regime, regimes
from bot.numbers.exact_array import ExactArray

HIGH = Decimal("0.0003")


@pytest.mark.parametrize(
    ("rate", "hours", "expected"),
    [
        ("-0.0000001", 8, Regime.NEGATIVE),
        ("0", 8, Regime.NEUTRAL),
        ("0.00029999", 8, Regime.NEUTRAL),
        ("0.0003", 8, Regime.HIGH),
        ("0.0000375", 1, Regime.HIGH),
        ("0.00003749", 1, Regime.NEUTRAL),
        ("0.0003", 12, Regime.NEUTRAL),
    ],
)
def test_a_settlement_belongs_to_the_regime_of_its_rate_per_eight_hours(
    rate: str, hours: int, expected: Regime
) -> None:
    assert regime(Decimal(rate), hours, HIGH) is expected
    assert regimes(ExactArray.from_decimals([Decimal(rate)]), np.array([hours]), HIGH).tolist() == [expected]


def test_from_a_negative_bound_on_every_rate_that_is_not_negative_is_high() -> None:
    rates = [Decimal("-0.001"), Decimal(0), Decimal("0.001")]
    found = regimes(ExactArray.from_decimals(rates), np.array([8, 8, 8]), Decimal("-0.002"))
    assert found.tolist() == [Regime.NEGATIVE, Regime.HIGH, Regime.HIGH]
