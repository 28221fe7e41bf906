import math
from decimal import Decimal

import numpy as np
import pytest

from bot.analytics import metrics as stats
from bot.models import DAY_MS, HOUR_MS

MIDNIGHT = 19_723 * DAY_MS


def curve(*points: tuple[int, str]) -> list[tuple[int, Decimal]]:
    return [(MIDNIGHT + hours * HOUR_MS, Decimal(value)) for hours, value in points]


def test_drawdown_is_measured_from_a_peak_that_starts_at_the_capital() -> None:
    assert stats.max_drawdown(map(Decimal, (90, 95, 120, 105)), Decimal(100)) == (Decimal(15), 0.125)
    assert stats.max_drawdown(map(Decimal, (101, 102)), Decimal(100)) == (Decimal(0), 0.0)


def test_deepest_money_and_deepest_share_can_be_different_falls() -> None:
    fall, share = stats.max_drawdown(map(Decimal, (50, 1000, 940)), Decimal(100))
    assert (fall, share) == (Decimal(60), 0.5)


def test_a_point_at_midnight_belongs_to_the_day_that_begins() -> None:
    points = curve((0, "110"), (16, "121"), (24, "60.5"), (32, "121"))
    assert stats.daily_returns(points, Decimal(100)) == [0.21, 0.0]


def test_days_without_points_repeat_the_day_before() -> None:
    points = curve((0, "110"), (72, "121"))
    assert stats.daily_returns(points, Decimal(100)) == [0.1, 0.0, 0.0, 0.1]


def test_no_returns_on_equity_that_is_not_positive() -> None:
    assert stats.daily_returns(curve((0, "0"), (24, "10")), Decimal(100)) is None
    assert stats.daily_returns(curve((0, "10"), (24, "-5")), Decimal(100)) == [-0.9, -1.5]


def test_ratios_agree_with_numpy() -> None:
    returns = [0.01, -0.02, 0.005, 0.0, 0.015]
    array = np.array(returns)
    assert stats.volatility(returns) == pytest.approx(array.std(ddof=1) * 365**0.5, rel=1e-12)
    assert stats.sharpe_ratio(returns) == pytest.approx(
        array.mean() / array.std(ddof=1) * 365**0.5, rel=1e-12
    )
    downside = np.sqrt(np.mean(np.minimum(array, 0) ** 2))
    assert stats.sortino_ratio(returns) == pytest.approx(array.mean() / downside * 365**0.5, rel=1e-12)


@pytest.mark.parametrize("returns", [[], [0.1]])
def test_ratios_of_fewer_than_two_days_are_undefined(returns: list[float]) -> None:
    assert stats.volatility(returns) is None
    assert stats.sharpe_ratio(returns) is None
    assert stats.sortino_ratio(returns) is None


def test_ratios_without_deviation_or_loss_are_undefined() -> None:
    assert stats.volatility([0.0, 0.0]) == 0.0
    assert stats.sharpe_ratio([0.0, 0.0]) is None
    assert stats.sortino_ratio([0.1, 0.2]) is None


def test_annualized_return_compounds_over_365_days() -> None:
    assert stats.annualized_return(Decimal(100), Decimal(121), 2 * 365 * DAY_MS) == pytest.approx(
        0.1, rel=1e-15
    )
    assert stats.annualized_return(Decimal(100), Decimal(101), 365 * DAY_MS) == 0.01


@pytest.mark.parametrize(
    ("final", "elapsed_ms"), [("100", 0), ("0", DAY_MS), ("-1", DAY_MS), ("100000", 1), ("1e30", HOUR_MS)]
)
def test_annualized_return_is_undefined_where_it_makes_no_sense(final: str, elapsed_ms: int) -> None:
    assert stats.annualized_return(Decimal(100), Decimal(final), elapsed_ms) is None


def test_a_ratio_over_nothing_is_undefined() -> None:
    assert stats.ratio(1.0, 0.0) is None
    assert stats.ratio(None, 2.0) is None
    assert stats.ratio(1.0, 2.0) == 0.5
    assert math.isclose(stats.ratio(-1.0, 4.0) or 0, -0.25)
