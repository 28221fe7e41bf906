from decimal import Decimal

import pytest

from bot.analytics import concentration
from bot.models import DAY_MS
from bot.timestamps import parse_time_ms


def curve(**points: str) -> list[tuple[int, Decimal]]:
    return [
        (parse_time_ms(day.lstrip("d").replace("_", "-")), Decimal(value)) for day, value in points.items()
    ]


def test_the_best_share_is_of_a_profit_only() -> None:
    assert concentration.best_share([Decimal(30), Decimal(-10)], Decimal(20)) == 1.5
    assert concentration.best_share([Decimal(5)], Decimal(0)) is None
    assert concentration.best_share([], Decimal(1)) is None


def test_months_are_utc_and_start_from_the_month_before() -> None:
    points = curve(d2024_01_30="101", d2024_01_31="103", d2024_02_01="102", d2024_04_01="110")
    assert concentration.monthly_gains(points, Decimal(100)) == [3, -1, 8]


@pytest.mark.parametrize(
    ("points", "days"),
    [
        (curve(d2024_01_01="100", d2024_01_02="101"), 0),
        (curve(d2024_01_01="100", d2024_01_02="99", d2024_01_05="100"), 4),
        (curve(d2024_01_01="99", d2024_01_03="98"), 2),
        (curve(d2024_01_01="110", d2024_01_02="110", d2024_01_03="100", d2024_01_04="111"), 2),
    ],
)
def test_a_drawdown_lasts_from_its_peak_to_its_recovery(
    points: list[tuple[int, Decimal]], days: float
) -> None:
    assert concentration.longest_drawdown_days(points, Decimal(100)) == days


def test_break_even_counts_average_settlements() -> None:
    assert concentration.settlements_to_break_even(Decimal(60), 2, Decimal(100), 50) == 15
    assert concentration.settlements_to_break_even(Decimal(60), 2, Decimal(-1), 50) is None
    assert concentration.settlements_to_break_even(Decimal(0), 0, Decimal(0), 0) is None


def test_days_of_a_long_fall_are_whole_days() -> None:
    points = [(n * DAY_MS, Decimal(100 - n)) for n in range(11)]
    assert concentration.longest_drawdown_days(points, Decimal(100)) == 10
