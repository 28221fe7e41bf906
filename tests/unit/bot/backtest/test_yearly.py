"""Change of equity by UTC year."""

from decimal import Decimal

from bot.backtest.periods.yearly import years
from bot.backtest.result import Curve
from bot.timestamps import parse_time_ms

POINTS = [
    [parse_time_ms("2021-11-30T08:00"), "1010"],
    [parse_time_ms("2021-12-31T16:00"), "1100.5"],
    [parse_time_ms("2022-01-01"), "1100.5"],
    [parse_time_ms("2022-12-31T16:00"), "990.45"],
    [parse_time_ms("2024-02-01"), "1089.495"],
]


def test_years_sum_to_the_change_and_a_year_without_events_repeats_the_one_before() -> None:
    window = parse_time_ms("2021-11-01"), parse_time_ms("2024-02-01")
    found = years(Curve.of_document(POINTS), Decimal(1000), window)
    assert [(one.year, one.change, one.whole) for one in found] == [
        (2021, Decimal("100.5"), False),
        (2022, Decimal("-110.05"), True),
        (2023, Decimal(0), True),
        (2024, Decimal("99.045"), False),
    ]
    assert [one.share for one in found] == [0.1005, -0.1, 0.0, 0.1]


def test_year_that_begins_with_nothing_left_has_no_share() -> None:
    points = [[parse_time_ms("2021-06-01"), "-5"], [parse_time_ms("2022-06-01"), "-6"]]
    window = parse_time_ms("2021-01-01"), parse_time_ms("2023-01-01")
    found = years(Curve.of_document(points), Decimal(1000), window)
    assert [one.share for one in found] == [-1.005, None]
