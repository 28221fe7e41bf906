from fractions import Fraction

import pytest

from tests.reference.naive_metrics import curve_statistics
from tests.reference.naive_numbers import book, divide, plain, round40

HOUR = 3_600_000


def test_daily_statistics_of_three_days() -> None:
    # 100 -> 110 -> 99 -> 108.9 at noon of three days: R = 0.1, -0.1, 0.1; mean 1/30, deviation 0.2/sqrt(3)
    # sharpe = sqrt(365/12), sortino = (1/30)/sqrt(0.01/3)*sqrt(365) = sqrt(365/3)
    # The volatility is 0.2*sqrt(365/3).
    # two days of 365 make y: 1.089^182.5 - 1; drawdown (110 - 99)/110 = 0.1
    noon = 12 * HOUR
    curve = [(noon + day * 24 * HOUR, Fraction(text)) for day, text in enumerate(("110", "99", "108.9"))]

    statistics = curve_statistics(Fraction(100), curve)

    assert statistics["sharpe"] == pytest.approx((365 / 12) ** 0.5, rel=1e-14)
    assert statistics["sortino"] == pytest.approx((365 / 3) ** 0.5, rel=1e-14)
    assert statistics["volatility"] == pytest.approx(0.2 * (365 / 3) ** 0.5, rel=1e-14)
    assert statistics["annualized_return"] == pytest.approx(1.089**182.5 - 1, rel=1e-12)
    assert statistics["calmar"] == pytest.approx(10 * (1.089**182.5 - 1), rel=1e-12)
    assert statistics["total_return"] == pytest.approx(0.089, rel=1e-15)


def test_point_at_midnight_belongs_to_the_day_it_begins_and_empty_days_repeat() -> None:
    # day 0: 110, day 1 (midnight): 99, day 2: nothing, day 3: 99; R = 0.1, -0.1, 0, 0; mean 0
    hours = (12, 24, 80)
    curve = [(hour * HOUR, Fraction(value)) for hour, value in zip(hours, (110, 99, 99), strict=True)]

    statistics = curve_statistics(Fraction(100), curve)

    assert statistics["sharpe"] == 0.0
    assert statistics["volatility"] == pytest.approx((0.02 / 3 * 365) ** 0.5, rel=1e-14)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Fraction(1, 3), Fraction(int("3" * 40), 10**40)),
        (Fraction(2000, 3), Fraction(int("6" * 39 + "7"), 10**37)),
        (Fraction(10**41 + 5, 10), Fraction(10**40)),
        (Fraction(10**41 + 15, 10), Fraction(10**40)),
        (Fraction(10**40 - 1, 10), Fraction(10**40 - 1, 10)),
        (Fraction(-1, 7), Fraction(-1428571428571428571428571428571428571429, 10**40)),
    ],
)
def test_division_keeps_40_digits_half_even(value: Fraction, expected: Fraction) -> None:
    assert round40(value) == expected


def test_booking_rounds_half_even_and_text_is_exact() -> None:
    assert plain(book(Fraction("0.000000005"))) == "0"
    assert plain(book(Fraction("-0.000000005"))) == "0"
    assert plain(book(Fraction("0.000000015"))) == "0.00000002"
    assert plain(Fraction("-1200.0500")) == "-1200.05"
    with pytest.raises(ValueError, match="no finite decimal"):
        plain(divide(Fraction(1), Fraction(3)) + Fraction(1, 3))
